//! Exports: a tenant's records of one object as a file, which an import takes. A walk over the records, part by part; of CSV there are two, because
//! its headers come first.

use crate::{
    app::App,
    change::Filed,
    context::Context,
    error::{Error, Result},
    id::TenantId,
    import::{Stretch, lines},
    record::{Object, Record, Value},
    rows::Format,
    store::{Job, Place, keys},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// An export, as it is asked for and as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Export {
    pub id: String,
    pub tenant: TenantId,
    pub object: Object,
    pub format: Format,
    pub state: State,
    /// Records that are written.
    pub records: u64,
    pub at: Timestamp,
    pub ended: Option<Timestamp>,
    /// Why it failed, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The headers of a CSV.
    #[serde(default)]
    pub columns: BTreeSet<String>,
    /// Where the walk goes on; `None` at its end.
    pub place: Option<Place>,
    /// Whether records are written, or only their fields' names gathered.
    pub writes: bool,
    /// Parts that were written.
    pub parts: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ExportState")]
pub enum State {
    Running,
    Done,
    Cancelled,
    Failed,
}

const PAGE: i32 = 200;
/// Bytes of one part, and as much again while it is written.
const PART: usize = 2 << 20;
/// Pages between two records of how far it is.
const PAGES: usize = 20;
/// Bytes of all headers: they are kept with the export, in one item of 400 KB at the most.
const MOST_COLUMNS: usize = 200_000;
/// No part is begun with less than this left.
const PART_TAKES: Duration = Duration::from_secs(20);

impl App {
    pub async fn create_export(
        &self,
        cx: &Context,
        tenant: &TenantId,
        object: Object,
        format: Format,
    ) -> Result<Export> {
        let export = Export {
            id: ulid::Ulid::new().to_string(),
            tenant: tenant.clone(),
            object,
            format,
            state: State::Running,
            records: 0,
            at: cx.now(),
            ended: None,
            reason: None,
            columns: BTreeSet::new(),
            place: Some(Place::default()),
            writes: format == Format::Ndjson,
            parts: 0,
        };
        let job = Job::new(export, cx.now());
        self.store.put_job(&job.of.key(), &job).await?;
        self.file_on(cx, tenant, Filed::Export, &job.of.id, job.rev).await?;
        Ok(job.of)
    }

    /// Works on an export for as long as there is time.
    pub async fn export(&self, cx: &Context, mut job: Job<Export>) -> Result<Stretch> {
        while job.of.state == State::Running {
            if cx.left() < PART_TAKES {
                return Ok(Stretch::More(job.rev));
            }
            let next = match (&job.of.place, job.of.writes) {
                (Some(place), writes) => self.part(&job.of, place.clone(), writes).await?,
                (None, false) => Export { place: Some(Place::default()), writes: true, ..job.of.clone() },
                (None, true) => self.join(cx, &job.of).await?,
            };
            let Some(next) = self.store.advance_job(&job.of.key(), &job, next).await? else { return Ok(Stretch::Over) };
            tracing::info!(export = next.of.id, records = next.of.records, trace = cx.trace, "an export goes on");
            job = next;
        }
        Ok(Stretch::Over)
    }

    /// Some pages of the walk.
    async fn part(&self, export: &Export, mut place: Place, writes: bool) -> Result<Export> {
        let mut next = export.clone();
        let (mut file, mut pages) = (Vec::new(), 0);
        loop {
            let (records, after) = self.store.walk(&export.tenant, &place, PAGE).await?;
            let shown = records.iter().filter(|record| export.shows(record)).map(flat);
            match writes {
                true => next.records += export.write(shown, &mut file)?,
                false => next.columns.extend(shown.flatten().map(|(name, _)| name)),
            }
            pages += 1;
            next.place = after;
            match &next.place {
                Some(after) if file.len() < PART && pages < PAGES => place = after.clone(),
                _ => break,
            }
        }
        if next.columns.iter().map(String::len).sum::<usize>() > MOST_COLUMNS {
            let reason = format!("the names of its fields have more than {MOST_COLUMNS} bytes: take NDJSON");
            return Ok(Export { state: State::Failed, reason: Some(reason), columns: BTreeSet::new(), ..next });
        }
        if writes && !file.is_empty() {
            self.files.put(&export.part_key(export.parts), export.format.content_type(), file).await?;
            next.parts += 1;
        }
        Ok(next)
    }

    async fn join(&self, cx: &Context, export: &Export) -> Result<Export> {
        let begin = match export.format {
            Format::Csv if !export.columns.is_empty() => {
                lines(std::iter::once(export.columns.iter().map(String::as_str).collect()))?
            }
            Format::Csv | Format::Ndjson => Vec::new(),
        };
        let parts = (0..export.parts).map(|number| export.part_key(number)).collect();
        self.files.join(&export.file(), export.format.content_type(), begin, parts).await?;
        Ok(Export { state: State::Done, ended: Some(cx.now()), ..export.clone() })
    }
}

impl Export {
    pub fn key(&self) -> keys::Pk {
        keys::export(&self.tenant, &self.id)
    }

    /// Where its file lies, once it is done.
    pub fn file(&self) -> String {
        format!("exports/{}/{}.{}", self.tenant, self.id, self.format.extension())
    }

    fn part_key(&self, number: u32) -> String {
        format!("parts/{}/{}/{number:06}", self.tenant, self.id)
    }

    fn shows(&self, record: &Record) -> bool {
        record.object == self.object && record.merged_into.is_none() && record.deleted.is_none()
    }

    /// Writes records behind what there is; how many.
    fn write(&self, records: impl Iterator<Item = BTreeMap<String, Value>>, file: &mut Vec<u8>) -> Result<u64> {
        let mut count = 0;
        for record in records {
            match self.format {
                Format::Csv => {
                    let cells =
                        self.columns.iter().map(|name| record.get(name).map(ToString::to_string).unwrap_or_default());
                    let cells: Vec<String> = cells.collect();
                    file.extend(lines(std::iter::once(cells.iter().map(String::as_str).collect()))?);
                }
                Format::Ndjson => {
                    let line: Map<String, Json> =
                        record.iter().map(|(name, value)| (name.clone(), Value::plain(Some(value)))).collect();
                    serde_json::to_writer(&mut *file, &line)
                        .map_err(|e| Error::bug("a record that is no JSON").because(e))?;
                    file.push(b'\n');
                }
            }
            count += 1;
        }
        Ok(count)
    }
}

/// A record's fields, and the CRMs' own ids of it under the names by which an import knows them.
fn flat(record: &Record) -> BTreeMap<String, Value> {
    let remotes = record.links.iter().filter(|(_, link)| link.gone.is_none());
    let remotes =
        remotes.filter_map(|(id, link)| Some((format!("{id}_id"), Value::text(link.remote.as_ref()?.as_str())?)));
    let fields = record.fields.iter().filter_map(|(name, written)| Some((name.clone(), written.value.clone()?)));
    remotes.chain(fields).collect()
}

//! A walk over an import's file, batch by batch. What is recorded after each is all that is needed to go on, and what is done twice counts
//! once: a row is a request with an id of its own, a part of the result a file under its number.

use super::{Counts, Import, State, Walk, key, told};
use crate::{
    app::App,
    context::Context,
    error::{Error, Result},
    files::Part,
    inbox::{Outcome, apply_rows},
    rows::{Columns, Dialect, Format, LONGEST, Maker, Row, names, rows},
    store::Job,
    sync::Tenant,
};
use std::time::Duration;

/// Rows between two records of how far it is.
const BATCH: usize = 1_000;
/// Bytes of the file in memory: several batches of usual rows.
const READ: usize = 4 * LONGEST;
/// Bytes of all headers: they are kept with the import, in one item of 400 KB at the most.
const MOST_HEADERS: usize = 50_000;
/// Columns of a file, beyond what a CRM exports: each row is as many cells.
const MOST_COLUMNS: usize = 500;
/// No batch is begun with less than this left.
const BATCH_TAKES: Duration = Duration::from_secs(25);
/// The same for putting a result's parts together.
const JOIN_TAKES: Duration = Duration::from_secs(20);

/// How a stretch of work ended.
#[derive(Debug, PartialEq)]
pub enum Stretch {
    /// There is more to do.
    More(u64),
    /// It is done, was cancelled, or somebody else goes on with it.
    Over,
}

/// What is in memory of a file.
#[derive(Default)]
struct Window {
    from: u64,
    bytes: Vec<u8>,
}

impl App {
    /// Works on an import for as long as there is time.
    pub async fn import(&self, cx: &Context, mut job: Job<Import>) -> Result<Stretch> {
        let mut window = Window::default();
        while job.of.is_under_way() {
            let takes = if job.of.is_read() { JOIN_TAKES } else { BATCH_TAKES };
            if cx.left() < takes {
                return Ok(Stretch::More(job.rev));
            }
            let next = match self.step(cx, &job.of, &mut window).await? {
                Ok(next) => next,
                Err(reason) => {
                    Import { state: State::Failed, reason: Some(reason), ended: Some(cx.now()), ..job.of.clone() }
                }
            };
            let Some(next) = self.store.advance_job(&job.of.at(), &job, next).await? else { return Ok(Stretch::Over) };
            let Counts { rows, refused, .. } = next.of.tally();
            tracing::info!(import = next.of.about.id, state = ?next.of.state, rows, refused, trace = cx.trace, "an import goes on");
            job = next;
        }
        Ok(Stretch::Over)
    }

    /// The next thing to do; a text for a person where nothing can be.
    async fn step(&self, cx: &Context, import: &Import, window: &mut Window) -> Result<Result<Import, String>> {
        if import.is_read() {
            return self.end(cx, import).await.map(Ok);
        }
        let (at, size) = (import.walk.at, import.about.bytes);
        let is_whole = at.offset >= window.from
            && (window.ends() >= size || window.ends().saturating_sub(at.offset) >= LONGEST as u64);
        if !is_whole {
            let file = key(&import.about.tenant, &import.about.id);
            match self.files.part(&file, &import.walk.etag, at.offset, READ).await? {
                Part::Bytes(bytes) => *window = Window { from: at.offset, bytes },
                Part::Replaced => return Ok(Err("the file is another one now".to_owned())),
            }
        }
        // As much from each place on, however it was read: so a batch is the same for whoever does it.
        let begin = usize::try_from(at.offset - window.from).unwrap_or(usize::MAX);
        let part = &window.bytes[begin.min(window.bytes.len())..window.bytes.len().min(begin + LONGEST)];
        let is_last = at.offset + part.len() as u64 >= size;
        let Some(dialect) = import.walk.dialect else {
            return self.begin(import, part, is_last).await;
        };
        let (read, after) = rows(part, at, is_last, &dialect, BATCH);
        if after == at {
            return Ok(Err(format!("row {} is longer than 1 MiB: is a quote not closed?", at.row + 1)));
        }
        let outcomes = self.judge(cx, import, &read).await?;
        let mut counts = import.tally();
        outcomes.iter().for_each(|(row, outcome)| counts.note(*row, outcome));
        let part = import.part(import.walk.parts);
        self.files.put(&part, "text/csv", told::result(&outcomes)?).await?;
        let walk = Walk { at: after, parts: import.walk.parts + 1, ..import.walk.clone() };
        Ok(Ok(Import { walk, ..import.clone() }.tallied(counts)))
    }

    /// Looks at how the file is written.
    async fn begin(&self, import: &Import, head: &[u8], is_all: bool) -> Result<Result<Import, String>> {
        let (dialect, headers, first) = match Dialect::of(import.about.format, head, is_all, import.about.hints) {
            Ok(seen) => seen,
            Err(unread) => return Ok(Err(unread.to_string())),
        };
        let headers = match import.about.format {
            Format::Csv => headers,
            Format::Ndjson => names(&rows(head, first, is_all, &dialect, BATCH).0),
        };
        if headers.len() > MOST_COLUMNS {
            return Ok(Err(format!("it has {} columns, and an import takes {MOST_COLUMNS} at most", headers.len())));
        }
        if headers.iter().map(String::len).sum::<usize>() > MOST_HEADERS {
            return Ok(Err(format!("its headers have more than {MOST_HEADERS} bytes")));
        }
        let columns = self.columns(import).await?.of(&headers);
        let walk = Walk { dialect: Some(dialect), first, at: first, ..import.walk.clone() };
        Ok(Ok(Import { columns, walk, ..import.clone() }))
    }

    async fn columns<'i>(&self, import: &'i Import) -> Result<Columns<'i>> {
        let about = &import.about;
        let tenant = Tenant::load(self, &about.tenant).await?;
        let mapped = tenant.connections.values().filter_map(|connection| connection.mappings.get(&about.object));
        let fields = mapped.flat_map(|mapping| mapping.rules.iter().filter(|rule| rule.formula.is_none()));
        let ids = tenant.connections.keys().map(|connection| format!("{connection}_id"));
        let known = fields.map(|rule| rule.hub.clone()).chain(ids).collect();
        let (object, connection) = (about.object.clone(), about.connection.as_ref());
        Ok(Columns { object, connection, said: about.columns.clone(), known, keep: about.keep })
    }

    /// What becomes of each row that says anything, in the file's order.
    async fn judge(&self, cx: &Context, import: &Import, read: &[Row]) -> Result<Vec<(u64, Outcome)>> {
        let about = &import.about;
        let names = match about.format {
            Format::Csv => Columns::default(),
            Format::Ndjson => self.columns(import).await?,
        };
        let maker = Maker {
            id: &format!("import:{}", about.id),
            tenant: &about.tenant,
            object: &about.object,
            source: &about.source,
            at: about.as_of,
            format: about.format,
            columns: &import.columns,
            names,
        };
        let (mut asked, mut outcomes) = (Vec::new(), Vec::new());
        for row in read {
            match maker.request(row) {
                Ok(Some(request)) => asked.push((row.number, request)),
                Ok(None) => {}
                Err(refused) => {
                    outcomes.push((row.number, Outcome::Refused(refused.code.to_owned(), refused.reason)));
                }
            }
        }
        let (numbers, requests): (Vec<u64>, Vec<_>) = asked.into_iter().unzip();
        let done = apply_rows(self, cx, &about.tenant, requests, import.is_rehearsal()).await?;
        outcomes.extend(numbers.into_iter().zip(done));
        outcomes.sort_by_key(|(row, _)| *row);
        Ok(outcomes)
    }

    /// Puts the result's parts together.
    async fn end(&self, cx: &Context, import: &Import) -> Result<Import> {
        let state = if import.is_rehearsal() { State::Counted } else { State::Done };
        let ended = Some(cx.now()).filter(|_| state == State::Done);
        let is = Import { state, ended, ..import.clone() };
        let parts = (0..import.walk.parts).map(|number| import.part(number)).collect();
        let begin = told::lines(std::iter::once(told::HEADERS.to_vec()))?;
        let result = is.result().ok_or_else(|| Error::bug("an import that ended has a result"))?;
        self.files.join(&result, "text/csv", begin, parts).await?;
        Ok(is)
    }
}

impl Window {
    fn ends(&self) -> u64 {
        self.from + self.bytes.len() as u64
    }
}

impl Import {
    /// Whether all of its file was read.
    fn is_read(&self) -> bool {
        self.walk.dialect.is_some() && self.walk.at.offset >= self.about.bytes
    }

    /// A part of the result of what it does now.
    fn part(&self, number: u32) -> String {
        let what = if self.is_rehearsal() { "counted" } else { "done" };
        format!("parts/{}/{}/{what}/{number:06}.csv", self.about.tenant, self.about.id)
    }

    fn tally(&self) -> Counts {
        let counts = if self.begun.is_some() { &self.done } else { &self.counted };
        counts.clone().unwrap_or_default()
    }

    fn tallied(self, counts: Counts) -> Import {
        match self.state {
            State::Running => Import { done: Some(counts), ..self },
            State::Waiting | State::Counting | State::Counted | State::Done | State::Cancelled | State::Failed => {
                Import { counted: Some(counts), ..self }
            }
        }
    }
}

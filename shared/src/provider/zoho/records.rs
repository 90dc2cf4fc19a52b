//! Records as Zoho spells them.

use super::failure::text_at;
use crate::{
    error::{Error, Result},
    id::{RecordId, RemoteId},
    mapping::Mapping,
    planner::{Change, Seen},
    provider::batch::Write,
    record::Value,
};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

/// Fields in one request (Zoho docs: Get records; COQL has the same limit).
const MOST_FIELDS: usize = 50;

/// A module and the fields to show of it. Every name is fit for a URL and for a query as it is.
pub(super) struct Asked<'m> {
    pub(super) module: &'m str,
    pub(super) fields: Vec<&'m str>,
}

/// What the mapping needs to see, and what a lookup compares besides.
pub(super) fn asked<'m>(mapping: &'m Mapping, besides: &[&'m str]) -> Result<Asked<'m>> {
    let mut fields: Vec<&str> = mapping.remote_fields().into_iter().map(|field| parts(field).0).collect();
    fields.extend(besides);
    fields.push("Modified_Time");
    fields.extend(fields.contains(&ABOUT).then_some(MODULE));
    fields.sort_unstable();
    fields.dedup();
    let module = mapping.object.as_str();
    if let Some(odd) = fields.iter().chain([&module]).find(|name| !is_name(name)) {
        return Err(Error::Config { reason: format!("{odd:?} is no API name of Zoho's") });
    }
    if fields.len() > MOST_FIELDS {
        return Err(Error::Config {
            reason: format!("Zoho shows {MOST_FIELDS} fields at once, and {} are mapped", fields.len()),
        });
    }
    Ok(Asked { module, fields })
}

/// What a task is about, and of which module that is (Zoho docs: Insert records, Tasks, `What_Id`, `$se_module`).
const ABOUT: &str = "What_Id";
const MODULE: &str = "$se_module";

/// The lookups that lead to several modules: of which one, the mapping says after a colon, as in `What_Id:Leads`.
pub(super) const SEVERAL: [&str; 2] = [ABOUT, "Parent_Id"];

/// A field's API name, and the module that a lookup leads to.
fn parts(field: &str) -> (&str, Option<&str>) {
    field.split_once(':').map_or((field, None), |(name, module)| (name, Some(module)))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 100 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'$')
}

/// Ids are numbers of up to 64 bits.
pub(super) fn is_id(id: &RemoteId) -> bool {
    id.as_str().len() <= 20 && id.as_str().bytes().all(|b| b.is_ascii_digit())
}

/// A time as Zoho wants it: with an offset, in whole seconds.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// The rows of a list, a query or a page; none where there is no body.
pub(super) fn rows(body: &Json) -> &[Json] {
    body.get("data").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whether Zoho has more rows than it answered.
pub(super) fn more(body: &Json) -> Option<bool> {
    body.pointer("/info/more_records")?.as_bool()
}

/// A record that Zoho shows. Of a lookup its id counts; other nested values are not shown.
pub(super) fn read(record: &Json, mapping: &Mapping) -> Option<(RemoteId, Seen)> {
    let remote = text_at(record, "/id")?.parse().ok()?;
    let shown = |field: &str| {
        let (name, module) = parts(field);
        let json = record.get(name)?;
        let leads_to = text_at(json, "/module/api_name").or_else(|| text_at(record, "/$se_module"));
        if module.is_some() && !json.is_null() && leads_to != module {
            return None;
        }
        Some((field.to_owned(), Value::from_json(json.get("id").unwrap_or(json)).ok()?))
    };
    let fields = mapping.remote_fields().into_iter().filter_map(shown).collect();
    Some((remote, Seen { modified: modified(record), fields }))
}

/// When a record changed last; Zoho says it in the organisation's offset.
pub(super) fn modified(record: &Json) -> Option<Timestamp> {
    text_at(record, "/Modified_Time")?.parse().ok()
}

/// Whose record it is, where it carries an id of ours.
pub(super) fn claimed(record: &Json, mapping: &Mapping) -> Option<RecordId> {
    record.get(&mapping.id_field)?.as_str()?.trim().parse().ok()
}

/// The row that makes a record: what there is to say, and our id.
pub(super) fn create(write: &Write, mapping: &Mapping) -> Json {
    let said = write.changes.iter().filter(|change| change.value.is_some());
    let mut row: Map<String, Json> = said.flat_map(|change| spelt(change, mapping)).collect();
    if mapping.has_room() {
        row.insert(mapping.id_field.clone(), json!(write.record));
    }
    Json::Object(row)
}

/// The row that changes a record: null clears.
pub(super) fn update(write: &Write, remote: &RemoteId, mapping: &Mapping) -> Json {
    let mut row: Map<String, Json> = write.changes.iter().flat_map(|change| spelt(change, mapping)).collect();
    row.insert("id".to_owned(), json!(remote));
    Json::Object(row)
}

/// A lookup is written as it is shown (Zoho docs: Insert records, sample attributes; Notes API); what a task is about with its module.
fn spelt(change: &Change, mapping: &Mapping) -> Vec<(String, Json)> {
    let (name, module) = parts(&change.field);
    let plain = Value::plain(change.value.as_ref());
    let spelt = match module {
        _ if plain.is_null() || !mapping.refers(&change.field) => plain,
        Some(module) if name != ABOUT => json!({"module": {"api_name": module}, "id": plain}),
        _ => json!({"id": plain}),
    };
    let about = module.filter(|_| name == ABOUT && !spelt.is_null()).map(|module| (MODULE.to_owned(), json!(module)));
    [(name.to_owned(), spelt)].into_iter().chain(about).collect()
}

#[cfg(test)]
#[path = "records_tests.rs"]
pub(super) mod tests;

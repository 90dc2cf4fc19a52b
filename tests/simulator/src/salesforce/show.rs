//! Records as Salesforce shows them: blanks as null, times in whole seconds and with an offset that has no colon.

use super::Desk;
use super::fields::{Field, Kind};
use super::ids;
use crate::records::Record;
use crate::wire::Call;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// `2026-11-21T09:00:00.000+0000`
pub fn time(ms: i64) -> String {
    let t = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    t.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}

/// Whole seconds are all that Salesforce keeps.
pub fn second(ms: i64) -> i64 {
    ms.div_euclid(1000) * 1000
}

/// `/services/data/v66.0`, as the call has it.
pub fn root(call: &Call) -> String {
    call.segments().iter().take(3).map(|s| format!("/{s}")).collect()
}

/// A record's value of one field.
pub fn value(object: &str, record: &Record, field: &Field) -> Value {
    match field.name.as_str() {
        "Id" => json!(ids::text(object, record.id)),
        "IsDeleted" => json!(record.archived.is_some()),
        "CreatedDate" => json!(time(record.created)),
        "LastModifiedDate" | "SystemModstamp" => json!(time(record.modified)),
        "CreatedById" => json!(ids::user(record.created_by)),
        "LastModifiedById" => json!(ids::user(record.modified_by)),
        "Name" if !field.updateable => json!(full_name(record)),
        name => match record.fields.get(name) {
            Some(value) => value.clone(),
            None if field.kind == Kind::Boolean => json!(false),
            None => Value::Null,
        },
    }
}

fn full_name(record: &Record) -> String {
    let parts = [record.text("FirstName"), record.text("LastName")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

impl Desk<'_> {
    /// The named fields under the names that the call used.
    pub fn show(&self, object: &str, record: &Record, names: &[String], root: &str) -> Value {
        let mut shown = Map::new();
        let url = format!("{root}/sobjects/{object}/{}", ids::text(object, record.id));
        shown.insert("attributes".to_owned(), json!({"type": object, "url": url}));
        for field in names.iter().filter_map(|name| self.org.field(object, name)) {
            shown.insert(field.name.clone(), value(object, record, field));
        }
        Value::Object(shown)
    }

    /// The visible fields of those asked for, or the first that there is not.
    pub fn columns<'a>(&self, object: &str, asked: impl Iterator<Item = &'a str>) -> Result<Vec<String>, &'a str> {
        asked
            .map(|name| {
                let field = self.org.visible(object).find(|f| f.name.eq_ignore_ascii_case(name));
                field.map(|f| f.name.clone()).ok_or(name)
            })
            .collect()
    }
}

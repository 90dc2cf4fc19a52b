//! Records as Zoho shows them: the fields asked for, blanks as null, ids as strings.

use super::Desk;
use crate::clock::iso_offset;
use crate::records::{Record, Source, View};
use serde_json::{Map, Value, json};

impl Desk<'_> {
    /// Unknown names are left out.
    pub fn show(&self, module: &str, record: &Record, names: &[&str]) -> Value {
        let mut shown = Map::new();
        for name in names {
            if *name == "$se_module" || self.org.field(module, name).is_some() {
                shown.insert((*name).to_owned(), self.value(record, name));
            }
        }
        shown.insert("id".to_owned(), json!(record.id.to_string()));
        Value::Object(shown)
    }

    fn value(&self, record: &Record, name: &str) -> Value {
        match name {
            "Created_Time" => json!(self.time(record.created)),
            "Modified_Time" => json!(self.time(record.modified)),
            "Created_By" | "Owner" => user(record.created_by),
            "Modified_By" => user(record.modified_by),
            _ => record.fields.get(name).cloned().unwrap_or_default(),
        }
    }

    /// Whole seconds, in the organisation's offset.
    pub fn time(&self, ms: i64) -> String {
        iso_offset(ms, self.org.offset_minutes)
    }

    /// What the answer to a write says of the record: never its fields (Zoho docs: upsert).
    pub fn details(&self, record: &Record) -> Value {
        json!({
            "Modified_Time": self.time(record.modified), "Modified_By": short_user(record.modified_by),
            "Created_Time": self.time(record.created), "id": record.id.to_string(), "Created_By": short_user(record.created_by),
        })
    }
}

/// Time of last change in whole seconds, which is all that Zoho knows.
pub fn modified_s(view: View<'_>) -> i64 {
    view.modified.div_euclid(1000)
}

pub fn user(source: Source) -> Value {
    match source {
        Source::User => json!({"name": "Petra Person", "id": "5725767000000411001", "email": "petra@zoho.example"}),
        Source::App => {
            json!({"name": "Connected User", "id": "5725767000000411777", "email": "connected@zoho.example"})
        }
    }
}

fn short_user(source: Source) -> Value {
    let user = user(source);
    json!({"name": user["name"], "id": user["id"]})
}

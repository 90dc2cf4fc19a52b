//! Checking one row's values (Zoho docs: insert records, possible errors).

use super::Desk;
use super::errors::{field, object};
use super::settings::{Field, looked_up};
use crate::clock::parse_time;
use crate::hubspot::write::is_email;
use crate::records::Fields;
use serde_json::{Value, json};

impl Desk<'_> {
    /// The values as Zoho will keep them, or the row's error. Unknown names are ignored; `id` says it is an update.
    pub fn check(&self, module: &str, id: Option<u64>, row: usize, whole: &Value) -> Result<Fields, Value> {
        let sent = whole
            .as_object()
            .ok_or_else(|| object("INVALID_DATA", "invalid data", json!({"expected_data_type": "jsonobject"})))?;
        let mut fields = Fields::new();
        for known in self.org.fields.get(module).into_iter().flatten().filter(|f| !f.read_only) {
            let value =
                sent.get(&known.name).filter(|v| !v.is_null() && v.as_str().is_none_or(|s| !s.trim().is_empty()));
            match value {
                Some(value) if known.kind == "lookup" => {
                    let wrong = json!({"expected_data_type": known.kind});
                    let wrong = || field("INVALID_DATA", "invalid data", &known.name, row, wrong);
                    fields.insert(known.name.clone(), self.lookup(known, value, whole).ok_or_else(wrong)?);
                }
                Some(value) => drop(fields.insert(known.name.clone(), self.spell(known, row, value)?)),
                // A mandatory field must be there when a record is made, and may not be blanked later.
                None if known.mandatory && (id.is_none() || sent.contains_key(&known.name)) => {
                    return Err(field("MANDATORY_NOT_FOUND", "required field not found", &known.name, row, json!({})));
                }
                None if sent.contains_key(&known.name) => drop(fields.insert(known.name.clone(), Value::Null)),
                None => {}
            }
        }
        if let Some(module) = whole.get("$se_module").filter(|_| fields.contains_key("What_Id")) {
            fields.insert("$se_module".to_owned(), module.clone());
        }
        self.duplicates(module, id, row, &fields)?;
        Ok(fields)
    }

    fn spell(&self, known: &Field, row: usize, value: &Value) -> Result<Value, Value> {
        let invalid = |more: Value| field("INVALID_DATA", "invalid data", &known.name, row, more);
        if let Some(rule) = self.faults.refusal(&known.name, value) {
            let code = rule.code.as_deref().unwrap_or("INVALID_DATA");
            return Err(field(code, "invalid data", &known.name, row, json!({"expected_data_type": known.kind})));
        }
        let wrong = || invalid(json!({"expected_data_type": known.kind}));
        match (known.kind.as_str(), value) {
            ("integer", Value::Number(_)) | ("boolean", Value::Bool(_)) => return Ok(value.clone()),
            ("currency", Value::Number(_)) => return Ok(value.clone()),
            ("integer" | "boolean" | "currency", _) => return Err(wrong()),
            _ => {}
        }
        let text = value.as_str().ok_or_else(wrong)?.trim();
        match known.kind.as_str() {
            "email" if !is_email(text) => return Err(wrong()),
            "datetime" if parse_time(text).is_none() => return Err(wrong()),
            "date" if parse_time(&format!("{text}T00:00:00Z")).is_none() => return Err(wrong()),
            _ => {}
        }
        let kept = self.faults.respell(&known.name, known.kind == "phone", text);
        if kept.chars().count() > known.length {
            return Err(invalid(json!({"maximum_length": known.length})));
        }
        Ok(Value::String(kept))
    }

    /// A lookup is kept with the name of the record that it leads to (Zoho docs: insert records, lookup).
    fn lookup(&self, known: &Field, value: &Value, row: &Value) -> Option<Value> {
        let id = value["id"].as_str().or(value.as_str())?;
        let module = looked_up(&known.name, value, row)?;
        let record = self.org.modules.get(module)?.live(id.parse().ok()?)?;
        let name = match module {
            "Accounts" => "Account_Name",
            "Deals" => "Deal_Name",
            _ => "Last_Name",
        };
        let mut kept = json!({"name": record.text(name), "id": id});
        if known.name == "Parent_Id" {
            kept["module"] = json!({"api_name": module});
        }
        Some(kept)
    }

    /// Unique fields refuse a value that another record has; e-mail addresses are not unique by themselves.
    fn duplicates(&self, module: &str, id: Option<u64>, row: usize, fields: &Fields) -> Result<(), Value> {
        let Some(table) = self.org.modules.get(module) else { return Ok(()) };
        for unique in self.org.fields.get(module).into_iter().flatten().filter(|f| f.unique) {
            let Some(value) = fields.get(&unique.name).and_then(Value::as_str) else { continue };
            if let Some(holder) = table.find(&unique.name, value).filter(|h| Some(*h) != id) {
                let record = json!({"id": holder.to_string(), "module": {"api_name": module, "id": "5725767000000002175"}, "Owner": super::show::user(crate::records::Source::App)});
                return Err(field(
                    "DUPLICATE_DATA",
                    "duplicate data",
                    &unique.name,
                    row,
                    json!({"duplicate_record": record}),
                ));
            }
        }
        Ok(())
    }
}

//! Checking and storing property values.

use super::Desk;
use super::errors::Refusal;
use super::properties::{Property, required};
use crate::clock::{iso_ms, parse_time};
use crate::records::{Fields, Source, Stamp};
use serde_json::Value;
use std::collections::HashMap;

/// Values that earlier rows of the same batch take, by property and folded value.
pub type Claims = HashMap<(String, String), Option<u64>>;

impl Desk<'_> {
    /// The values as HubSpot will keep them, or why it refuses them. `id` is the record they are for, if it exists.
    pub fn check(&self, object: &str, id: Option<u64>, sent: &Value, claims: &mut Claims) -> Result<Fields, Refusal> {
        let sent = sent.as_object().ok_or_else(|| Refusal::validation("Invalid input JSON: properties is required"))?;
        let mut fields = Fields::new();
        for (name, value) in sent {
            let Some(property) = self.portal.property(object, name) else {
                return Err(Refusal::property(
                    name,
                    "PROPERTY_DOESNT_EXIST",
                    &format!("Property \"{name}\" does not exist"),
                ));
            };
            let text = self.spell(property, value)?;
            fields.insert(name.clone(), Value::String(text));
        }
        for name in required(object) {
            let lacks = fields.get(*name).map_or(id.is_none(), |value| value == "");
            if lacks {
                return Err(Refusal::property(name, "REQUIRED_FIELD", &format!("Required property {name} is missing")));
            }
        }
        for (name, value) in &fields {
            self.unique(object, id, name, value, claims)?;
        }
        // Only now: a row that is refused claims nothing.
        for (name, value) in &fields {
            if let Some(text) = self.identity(object, name, value) {
                claims.insert((name.clone(), text.to_lowercase()), id);
            }
        }
        Ok(fields)
    }

    fn spell(&self, property: &Property, value: &Value) -> Result<String, Refusal> {
        let name = property.name.as_str();
        if property.read_only {
            let message = format!("\"{name}\" is a read only property; its value cannot be set.");
            return Err(Refusal::property(name, "READ_ONLY_VALUE", &message));
        }
        let text = match value {
            Value::String(s) => s.trim().to_owned(),
            Value::Number(n) => n.to_string(),
            Value::Bool(b) => b.to_string(),
            Value::Null => String::new(),
            Value::Array(_) | Value::Object(_) => return Err(Refusal::unreadable()),
        };
        if text.is_empty() {
            return Ok(text);
        }
        if let Some(rule) = self.faults.refusal(name, &Value::String(text.clone())) {
            let code = rule.code.as_deref().unwrap_or("INVALID_VALUE");
            return Err(Refusal::property(name, code, &format!("{text} was refused")));
        }
        if text.chars().count() > 65_536 {
            return Err(Refusal::property(
                name,
                "PROPERTY_VALUE_TOO_LONG",
                "The value is too long: at most 65536 characters",
            ));
        }
        match property.kind.as_str() {
            _ if name == "email" && !is_email(&text) => {
                Err(Refusal::property(name, "INVALID_EMAIL", &format!("Email address {text} is invalid")))
            }
            // HubSpot keeps e-mail addresses in lower case.
            _ if name == "email" => Ok(text.to_lowercase()),
            "enumeration" if !property.options.is_empty() && !property.options.contains(&text) => {
                let message = format!("{text} was not one of the allowed options: [{}]", property.options.join(", "));
                Err(Refusal::property(name, "INVALID_OPTION", &message))
            }
            "number" if text.parse::<f64>().is_err() => {
                Err(Refusal::property(name, "INVALID_INTEGER", &format!("{text} was not a valid number")))
            }
            "datetime" if parse_time(&text).is_none() && !is_day(&text) => {
                Err(Refusal::property(name, "INVALID_DATE", &format!("{text} was not a valid date")))
            }
            // A time is shown as a time, however it was written.
            "datetime" => Ok(parse_time(&text).or_else(|| parse_time(&midnight(&text))).map_or(text, iso_ms)),
            _ => Ok(self.faults.respell(name, property.field_type == "phonenumber", &text)),
        }
    }

    /// The text of a value that no two records may share.
    fn identity<'v>(&self, object: &str, name: &str, value: &'v Value) -> Option<&'v str> {
        let is_email = object == "contacts" && name == "email";
        let unique = is_email || self.portal.property(object, name).is_some_and(|p| p.unique);
        value.as_str().filter(|t| unique && !t.is_empty())
    }

    /// One contact per e-mail address, one record per value of a unique property.
    fn unique(&self, object: &str, id: Option<u64>, name: &str, value: &Value, claims: &Claims) -> Result<(), Refusal> {
        let Some(text) = self.identity(object, name, value) else { return Ok(()) };
        let table = self.portal.tables.get(object);
        let stored = table.and_then(|t| t.find(name, text)).filter(|holder| Some(*holder) != id);
        let claim = claims.get(&(name.to_owned(), text.to_lowercase())).copied();
        // The outer `None`: nobody; the inner one: a row that makes a record.
        let claimed = claim.filter(|holder| holder.is_none() || *holder != id);
        match stored.map(Some).or(claimed) {
            None => Ok(()),
            Some(holder) if name == "email" => Err(Refusal::email_taken(holder)),
            Some(holder) => Err(Refusal::value_taken(name, text, holder)),
        }
    }

    pub fn stamp(&self, source: Source) -> Stamp {
        Stamp { now: self.now, source, lag_ms: self.faults.search_lag_ms }
    }

    /// Stores checked values, in a new record or an old one, and tells the subscribers.
    pub fn store(&mut self, object: &str, id: Option<u64>, fields: Fields, source: Source) -> u64 {
        let stamp = self.stamp(source);
        let Some(table) = self.portal.tables.get_mut(object) else { return 0 };
        match id {
            Some(id) => {
                let changed = table.update(id, fields, stamp);
                self.emit_changes(object, id, &changed, source);
                id
            }
            None => {
                let names: Vec<String> =
                    fields.iter().filter(|(_, v)| v.as_str() != Some("")).map(|(k, _)| k.clone()).collect();
                let id = table.insert(fields, stamp);
                self.emit_created(object, id, source);
                self.emit_changes(object, id, &names, source);
                id
            }
        }
    }
}

/// A day is taken for its midnight (HubSpot docs: properties, date and datetime).
fn is_day(text: &str) -> bool {
    parse_time(&midnight(text)).is_some()
}

fn midnight(day: &str) -> String {
    format!("{day}T00:00:00Z")
}

/// Whether HubSpot takes it for an e-mail address.
pub fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty()
            && host.contains('.')
            && !host.starts_with('.')
            && !host.ends_with('.')
            && !text.contains(char::is_whitespace)
            && !host.contains('@')
    })
}

//! Checking one record's values (Salesforce docs: SOAP API, status codes of data manipulation).

use super::Desk;
use super::errors::Refusal;
use super::fields::{Field, Kind};
use super::ids;
use crate::clock::parse_time;
use crate::hubspot::write::is_email;
use crate::phones::{self, Style};
use crate::records::{Fields, Source};
use serde_json::{Map, Value, json};

/// Longest text that reads as a number.
const DIGITS: usize = 18;

impl Desk<'_> {
    /// The values as Salesforce will keep them, or why it does not; `id` says it is an update.
    pub fn check(
        &self,
        object: &str,
        id: Option<u64>,
        sent: &Map<String, Value>,
        source: Source,
    ) -> Result<Fields, Refusal> {
        let mut fields = Fields::new();
        for (name, value) in sent.iter().filter(|(name, _)| *name != "attributes") {
            let field = self.org.field(object, name).filter(|f| source == Source::User || !self.org.is_hidden(&f.name));
            let field = field.ok_or_else(|| {
                Refusal::new("INVALID_FIELD", format!("No such column '{name}' on sobject of type {object}"))
            })?;
            if !field.updateable {
                let message = format!(
                    "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.",
                    field.name
                );
                return Err(Refusal::of("INVALID_FIELD_FOR_INSERT_UPDATE", message, &field.name));
            }
            fields.insert(field.name.clone(), self.spell(object, field, value, source)?);
        }
        self.required(object, id, &fields)?;
        self.alone_with_a_lead(object, id, &fields)?;
        self.unique(object, id, &fields)?;
        Ok(fields)
    }

    fn spell(&self, object: &str, field: &Field, value: &Value, source: Source) -> Result<Value, Refusal> {
        if value.is_null() || value.as_str().is_some_and(|s| s.trim().is_empty()) {
            return Ok(Value::Null);
        }
        if let Some(rule) = self.faults.refusal(&field.name, value) {
            let code = rule.code.as_deref().unwrap_or("FIELD_CUSTOM_VALIDATION_EXCEPTION");
            return Err(Refusal::of(code, format!("{}: a rule of this org refuses it", field.name), &field.name));
        }
        match field.kind {
            Kind::Boolean => return truth(value).ok_or_else(|| unfit(field, value)),
            Kind::Int | Kind::Currency => return number(field, value),
            Kind::Reference => return self.reference(field, value),
            _ => {}
        }
        let text = value.as_str().ok_or_else(|| unfit(field, value))?.trim();
        match field.kind {
            Kind::Email if !is_email(text) => {
                let message = format!("{}: invalid email address: {text}", field.name);
                return Err(Refusal::of("INVALID_EMAIL_ADDRESS", message, &field.name));
            }
            Kind::Picklist if field.restricted && !field.options.contains(&text) => {
                let message = format!("{object} {}: bad value for restricted picklist field: {text}", field.name);
                return Err(Refusal::of("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, &field.name));
            }
            Kind::Date if parse_time(&format!("{text}T00:00:00Z")).is_none() => return Err(unfit(field, value)),
            _ => {}
        }
        let text = if source == Source::User { typed(field, text) } else { text.to_owned() };
        let kept = self.faults.respell(&field.name, field.kind == Kind::Phone, &text);
        if field.length > 0 && kept.chars().count() > field.length {
            let message = format!("{}: data value too large: {kept} (max length={})", field.name, field.length);
            return Err(Refusal::of("STRING_TOO_LONG", message, &field.name));
        }
        Ok(Value::String(kept))
    }

    fn reference(&self, field: &Field, value: &Value) -> Result<Value, Refusal> {
        let text = value.as_str().ok_or_else(|| unfit(field, value))?;
        let known = field.refers_to.iter().find_map(|to| Some((*to, ids::parse(to, text)?)));
        let Some((to, id)) = known else {
            let message = format!("{}: id value of incorrect type: {text}", field.name);
            return Err(Refusal::of("MALFORMED_ID", message, &field.name));
        };
        match self.org.objects.get(to).map(|table| table.records.get(&id).map(|r| r.archived.is_some())) {
            Some(None) => Err(Refusal { status: 400, fields: vec![field.name.clone()], ..Refusal::missing() }),
            Some(Some(true)) => Err(Refusal { status: 400, ..Refusal::deleted() }),
            _ => Ok(json!(ids::text(to, id))),
        }
    }

    /// A task with a lead is about nothing else (Salesforce docs: Object Reference, Task, `WhatId`).
    fn alone_with_a_lead(&self, object: &str, id: Option<u64>, fields: &Fields) -> Result<(), Refusal> {
        let kept = id.and_then(|id| Some(&self.org.objects.get(object)?.records.get(&id)?.fields));
        let said = |name: &str| fields.get(name).or_else(|| kept?.get(name)).and_then(Value::as_str);
        let with_a_lead = said("WhoId").is_some_and(|who| who.starts_with(ids::prefix("Lead")));
        if object != "Task" || !with_a_lead || said("WhatId").is_none() {
            return Ok(());
        }
        let message = "Related To ID: a task of a lead cannot be related to another record";
        Err(Refusal::of("FIELD_INTEGRITY_EXCEPTION", message, "WhatId"))
    }

    fn required(&self, object: &str, id: Option<u64>, fields: &Fields) -> Result<(), Refusal> {
        let missing = |f: &&Field| match fields.get(&f.name) {
            None => id.is_none(),
            Some(value) => value.is_null(),
        };
        let fields = self.org.fields.get(object).into_iter().flatten().filter(|f| f.required);
        let missing: Vec<String> = fields.filter(missing).map(|f| f.name.clone()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!("Required fields are missing: [{}]", missing.join(", "));
        Err(Refusal { fields: missing, ..Refusal::new("REQUIRED_FIELD_MISSING", message) })
    }

    pub fn unique(&self, object: &str, id: Option<u64>, fields: &Fields) -> Result<(), Refusal> {
        let Some(table) = self.org.objects.get(object) else { return Ok(()) };
        let who = |fields: &Fields| ["CampaignId", "LeadId", "ContactId"].map(|name| fields.get(name).cloned());
        let twin = |record: &crate::records::Record| record.archived.is_none() && who(&record.fields) == who(fields);
        if object == "CampaignMember" && id.is_none() && table.records.values().any(twin) {
            return Err(Refusal::new("DUPLICATE_VALUE", "Already a campaign member."));
        }
        for unique in self.org.fields.get(object).into_iter().flatten().filter(|f| f.unique) {
            let Some(value) = fields.get(&unique.name).and_then(Value::as_str) else { continue };
            if let Some(holder) = table.find(&unique.name, value).filter(|holder| Some(*holder) != id) {
                let (name, holder) = (&unique.name, ids::text(object, holder));
                let message = format!("duplicate value found: {name} duplicates value on record with id: {holder}");
                return Err(Refusal::new("DUPLICATE_VALUE", message));
            }
        }
        Ok(())
    }
}

/// Ten digits without a plus are American to the CRM's own screens (Salesforce help: phone number formats).
fn typed(field: &Field, text: &str) -> String {
    let american = field.kind == Kind::Phone && !text.starts_with('+') && phones::digits(text).len() == 10;
    if american { Style::National.spell(text) } else { text.to_owned() }
}

fn truth(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        _ => value.as_str()?.to_lowercase().parse::<bool>().ok().map(Value::Bool),
    }
}

/// Texts that read as numbers are taken for them.
fn number(field: &Field, value: &Value) -> Result<Value, Refusal> {
    let read = value.as_str().filter(|s| s.len() <= DIGITS).and_then(|s| serde_json::from_str(s.trim()).ok());
    let number = read.unwrap_or_else(|| value.clone());
    let fits = if field.kind == Kind::Int { number.is_i64() } else { number.is_number() };
    if fits { Ok(number) } else { Err(unfit(field, value)) }
}

fn unfit(field: &Field, value: &Value) -> Refusal {
    let message = format!("Cannot deserialize instance of {} from value {value}", field.kind.name());
    Refusal::new("JSON_PARSER_ERROR", message)
}

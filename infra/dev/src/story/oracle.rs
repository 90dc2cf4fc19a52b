//! What each lead must show in the end, worked out from what went in and from nothing else. Pure.

use std::collections::BTreeMap;

pub(super) type Texts = BTreeMap<String, String>;

pub(super) const CRMS: [&str; 2] = ["hubspot", "zoho"];

/// Hub field, HubSpot property, Zoho field, and what Zoho is sent where nothing is known.
const FIELDS: [(&str, &str, &str, Option<&str>); 5] = [
    ("first_name", "firstname", "First_Name", None),
    ("last_name", "lastname", "Last_Name", Some("-")),
    ("company", "company", "Company", Some("-")),
    ("email", "email", "Email", None),
    ("phone", "phone", "Phone", None),
];

/// Something that was told about one lead.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// A CRM's user made or changed the record there; fields as the CRM names them.
    Edit {
        crm: &'static str,
        fields: Texts,
    },
    Request {
        lead: Texts,
        sync_fields: Texts,
    },
}

/// What a lead must show: in the hub, and in each CRM by the CRM's own field names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Expected {
    pub(super) hub: Texts,
    pub(super) crms: BTreeMap<&'static str, Texts>,
}

/// Folds what was told, in the order of time: the newest word about a field stands everywhere, each CRM keeps the
/// spelling of a telephone number that its own user chose, and a request's sync fields are shown by the CRM they name.
pub(super) fn expected(inputs: &[Input]) -> Expected {
    let mut expected = Expected::default();
    let mut typed: BTreeMap<&str, Texts> = BTreeMap::new();
    for input in inputs {
        match input {
            Input::Edit { crm, fields } => {
                for (field, text) in fields {
                    if let Some(hub) = hub_name(crm, field) {
                        expected.hub.insert(hub.to_owned(), normal(hub, text));
                    }
                }
                typed.entry(crm).or_default().extend(fields.clone());
            }
            Input::Request { lead, sync_fields } => {
                expected.hub.extend(lead.iter().map(|(field, text)| (field.clone(), normal(field, text))));
                for (field, template) in sync_fields {
                    let crm = if field.starts_with(char::is_uppercase) { "zoho" } else { "hubspot" };
                    expected.crms.entry(crm).or_default().insert(field.clone(), rendered(template, &expected.hub));
                }
            }
        }
    }
    for (crm, field, hub, filler) in named() {
        let Some(text) = expected.hub.get(hub).map(String::as_str).or(filler) else { continue };
        let kept = typed.get(crm).and_then(|typed| typed.get(field)).filter(|typed| normal(hub, typed) == text);
        let shown = kept.map_or(text, String::as_str).to_owned();
        expected.crms.entry(crm).or_default().insert(field.to_owned(), shown);
    }
    expected
}

/// CRM, its field, the hub's field, Zoho's filler.
fn named() -> impl Iterator<Item = (&'static str, &'static str, &'static str, Option<&'static str>)> {
    FIELDS
        .iter()
        .flat_map(|(hub, hubspot, zoho, filler)| [("hubspot", *hubspot, *hub, None), ("zoho", *zoho, *hub, *filler)])
}

fn hub_name(crm: &str, field: &str) -> Option<&'static str> {
    named().find(|(c, f, ..)| *c == crm && *f == field).map(|(_, _, hub, _)| hub)
}

/// The fields by which a CRM shows a person.
pub(super) fn fields_of(crm: &str) -> Vec<&'static str> {
    named().filter(|(c, ..)| *c == crm).map(|(_, field, ..)| field).collect()
}

/// The same person's field in the other CRM.
pub(crate) fn counterpart(crm: &str, field: &str) -> Option<(&'static str, &'static str)> {
    let hub = hub_name(crm, field)?;
    named().find(|(c, _, h, _)| *c != crm && *h == hub).map(|(c, f, ..)| (c, f))
}

/// American numbers as E.164, addresses in lower case.
pub(crate) fn normal(field: &str, text: &str) -> String {
    match field {
        "email" => text.trim().to_lowercase(),
        "phone" => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            if text.starts_with('+') || digits.len() == 11 { format!("+{digits}") } else { format!("+1{digits}") }
        }
        _ => text.to_owned(),
    }
}

fn rendered(template: &str, hub: &Texts) -> String {
    let name = ["first_name", "last_name"].iter().filter_map(|n| hub.get(*n)).cloned().collect::<Vec<_>>().join(" ");
    let all = hub.iter().map(|(field, text)| (field.as_str(), text.as_str())).chain([("name", name.as_str())]);
    all.fold(template.to_owned(), |text, (field, value)| text.replace(&format!("{{{{{field}}}}}"), value))
}

#[cfg(test)]
#[path = "oracle_tests.rs"]
mod tests;

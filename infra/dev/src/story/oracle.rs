//! What each lead must show in the end, worked out from what went in and from nothing else. Pure.

use crate::screens::SCREENS;
use std::collections::BTreeMap;

pub(super) type Texts = BTreeMap<String, String>;

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
                    match hub_name(crm, field) {
                        Some("name") => expected.hub.extend(parted(text)),
                        Some(hub) => drop(expected.hub.insert(hub.to_owned(), normal(hub, text))),
                        None => {}
                    }
                }
                typed.entry(crm).or_default().extend(fields.clone());
            }
            Input::Request { lead, sync_fields } => {
                expected.hub.extend(lead.iter().map(|(field, text)| (field.clone(), normal(field, text))));
                for (field, template) in sync_fields {
                    expected
                        .crms
                        .entry(named_by(field))
                        .or_default()
                        .insert(field.clone(), rendered(template, &expected.hub));
                }
            }
        }
    }
    let whole = whole_name(&expected.hub);
    for (crm, field, hub, filler) in named() {
        let known = if hub == "name" { whole.as_ref() } else { expected.hub.get(hub) };
        let Some(text) = known.map(String::as_str).or(filler) else { continue };
        let kept = typed.get(crm).and_then(|typed| typed.get(field)).filter(|typed| normal(hub, typed) == text);
        let shown = kept.map_or(text, String::as_str).to_owned();
        expected.crms.entry(crm).or_default().insert(field.to_owned(), shown);
    }
    expected
}

/// CRM, its field, the hub's field, and the filler.
fn named() -> impl Iterator<Item = (&'static str, &'static str, &'static str, Option<&'static str>)> {
    let of = |screen: &'static crate::screens::Screen| {
        screen.fields.iter().map(|(hub, field, filler)| (screen.crm, *field, *hub, *filler))
    };
    SCREENS.iter().flat_map(of)
}

fn hub_name(crm: &str, field: &str) -> Option<&'static str> {
    named().find(|(c, f, ..)| *c == crm && *f == field).map(|(_, _, hub, _)| hub)
}

/// Which CRM can have a field of this name.
fn named_by(field: &str) -> &'static str {
    let code = field.len() == 40;
    match field {
        _ if code => "pipedrive",
        _ if field.ends_with("__c") => "salesforce",
        _ if field.starts_with(char::is_uppercase) => "zoho",
        _ => "hubspot",
    }
}

/// The fields by which a CRM shows a person.
pub(super) fn fields_of(crm: &str) -> Vec<&'static str> {
    named().filter(|(c, ..)| *c == crm).map(|(_, field, ..)| field).collect()
}

/// The same person's field in the other CRMs.
pub(crate) fn counterparts(crm: &str, field: &str) -> Vec<(&'static str, &'static str)> {
    let Some(hub) = hub_name(crm, field) else { return Vec::new() };
    named().filter(|(c, _, h, _)| *c != crm && *h == hub).map(|(c, f, ..)| (c, f)).collect()
}

/// A whole name, as its user typed it: the last word is the last name.
fn parted(name: &str) -> Texts {
    let (first, last) = name.rsplit_once(' ').unwrap_or(("", name));
    let parts = [("first_name", first), ("last_name", last)];
    parts
        .into_iter()
        .filter(|(_, part)| !part.is_empty())
        .map(|(field, part)| (field.to_owned(), part.to_owned()))
        .collect()
}

fn whole_name(hub: &Texts) -> Option<String> {
    let parts: Vec<&str> =
        ["first_name", "last_name"].iter().filter_map(|part| hub.get(*part)).map(String::as_str).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
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
    let name = whole_name(hub).unwrap_or_default();
    let all = hub.iter().map(|(field, text)| (field.as_str(), text.as_str())).chain([("name", name.as_str())]);
    all.fold(template.to_owned(), |text, (field, value)| text.replace(&format!("{{{{{field}}}}}"), value))
}

#[cfg(test)]
#[path = "oracle_tests.rs"]
mod tests;

//! The mapping a new connection starts with, and how it gets the names that only the account knows.

use super::{
    failure, leads,
    records::{self, KINDS, kind, next_cursor, rows},
};
use crate::{
    error::{Error, Result},
    mapping::{Mapping, Rule},
    provider::{
        list,
        schema::{Field, Made, Types, Wish, is_code, takes},
        session::{Request, Session},
    },
    record::{Object, Sort},
};
use serde_json::{Value as Json, json};

/// The label of the custom field that holds our record id. Its code is made by Pipedrive.
const ID_FIELD: &str = "CRM Sync Id";

/// People as persons, companies as organizations, deals as deals, tasks as activities, notes as notes. Each needs a name, or a title.
///
/// Custom fields stand under their labels until the account has been asked for their codes.
pub(super) fn default_mapping(object: &Object) -> Option<Mapping> {
    let (name, rules) = match object {
        Object::Person => {
            let name = Rule::both("full_name", "name").or("-");
            let others = [("email", "email"), ("phone", "phone"), ("last_call", "Last call"), ("company_id", "org_id")];
            ("persons", [name].into_iter().chain(others.map(|(hub, remote)| Rule::both(hub, remote))).collect())
        }
        Object::Company => ("organizations", vec![Rule::both("name", "name").or("-")]),
        Object::Deal => {
            let title = Rule::both("name", "title").or("-");
            let others = [
                ("amount", "value"),
                ("close_date", "expected_close_date"),
                ("company_id", "org_id"),
                ("contact_id", "person_id"),
            ];
            let stage = Rule::both("stage", "status").values(["open", "won", "lost"].map(|status| (status, status)));
            ("deals", [title, stage].into_iter().chain(others.map(|(hub, remote)| Rule::both(hub, remote))).collect())
        }
        Object::Note => return Some(only_made("notes", &[("body", "content")], true)),
        Object::Task => {
            let mut mapping = only_made("activities", &[("body", "note"), ("due_date", "due_date")], false);
            let states = [("open", "false"), ("done", "true")];
            mapping.rules.push(Rule::to_crm("subject", "subject").or("-"));
            mapping.rules.push(Rule::to_crm("status", "done").values(states));
            return Some(mapping);
        }
        Object::Custom(_) => return None,
    };
    Some(Mapping::new(name, ID_FIELD, rules))
}

/// What has no room for our record ids. A note is about something from the beginning (Pipedrive docs: API v1, Notes, Add a note).
fn only_made(name: &str, own: &[(&str, &str)], needs: bool) -> Mapping {
    let about = [("contact_id", "person_id"), ("company_id", "org_id"), ("deal_id", "deal_id")];
    let about = about.map(|(hub, remote)| Rule { needed: needs, ..Rule::to_crm(hub, remote) });
    let own = own.iter().map(|(hub, remote)| Rule::to_crm(hub, remote));
    Mapping::new(name, "", own.chain(about).collect())
}

/// Standard fields, or 40 hexadecimal digits (Pipedrive docs: Custom fields), or the title of a person's lead.
pub(super) fn could_name(field: &str) -> bool {
    let kept = KINDS.iter().filter(|kind| kind.fields.is_some());
    kept.into_iter().any(|kind| kind.standard.contains(&field)) || is_code(field) || field == leads::TITLE
}

/// The fields of a kind, under the names that the mapping knows; a custom field also by its label (Pipedrive docs: API v2,
/// PersonFields, OrganizationFields, DealFields).
pub(super) async fn schema(session: &Session, mapping: &Mapping) -> Result<Vec<Field>> {
    let kind = kind(mapping)?;
    let (mut told, mut cursor): (Vec<Json>, _) = (Vec::new(), String::new());
    while let Some(fields) = kind.fields {
        let request = Request::get(format!("/api/v2/{fields}?limit=500{cursor}"));
        let body = session.send(&request, failure::of_call).await?.body;
        told.extend(rows(&body).iter().cloned());
        match next_cursor(&body) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let row = |name: &str| told.iter().find(|row| text(row, "field_code") == Some(name));
    let standard = kind.standard.iter().map(|name| field(name, name, row(name).unwrap_or(&Json::Null)));
    let custom = told.iter().filter_map(|row| Some((text(row, "field_code")?, text(row, "field_name")?, row)));
    let custom = custom.filter(|(code, ..)| is_code(code)).map(|(code, label, row)| field(code, label, row));
    Ok(standard.chain(custom).chain(leads::fields(kind.name)).chain(list::shown(mapping)).collect())
}

/// What fields take, by their `field_type` (Pipedrive docs: Custom fields, types and their values). Of a list it is the option's id.
const TYPES: Types = &[
    ("varchar", &[Sort::Text]),
    ("varchar_auto", &[Sort::Text]),
    ("text", &[Sort::Text]),
    ("phone", &[Sort::Text]),
    ("status", &[Sort::Text]),
    ("date", &[Sort::Date]),
    ("double", &[Sort::Number]),
    ("int", &[Sort::Number]),
    ("enum", &[Sort::Number]),
];

/// No field of Pipedrive's is unique. A sum of money stands with its currency beside it, a link is written as it is.
fn field(name: &str, label: &str, row: &Json) -> Field {
    let takes: &[Sort] = match text(row, "field_type").unwrap_or_default() {
        _ if records::is_link(name) => &[],
        "monetary" if !is_code(name) => &[Sort::Number],
        kind => takes(TYPES, kind),
    };
    let options = row.get("options").and_then(Json::as_array).into_iter().flatten();
    let options = options.filter_map(|option| Some(option.get("id")?.as_u64()?.to_string())).collect();
    Field { name: name.to_owned(), label: label.to_owned(), writable: true, unique: false, takes, options }
}

fn text<'r>(row: &'r Json, name: &str) -> Option<&'r str> {
    row.get(name)?.as_str()
}

pub(super) async fn make(session: &Session, mapping: &Mapping, wish: &Wish<'_>) -> Result<Made> {
    let body = json!({"field_name": wish.name, "field_type": "varchar"});
    let reason = || format!("{} have no fields of their own", mapping.object);
    let fields = kind(mapping)?.fields.ok_or_else(|| Error::Config { reason: reason() })?;
    let path = format!("/api/v2/{fields}");
    session.send_once(&Request::post(path, body), failure::of_call).await?;
    Ok(Made::Done)
}

//! The mapping a new connection starts with, and how it gets the names that only the account knows.

use super::{
    failure, leads,
    records::{KINDS, kind, next_cursor, rows},
};
use crate::{
    error::Result,
    mapping::{Mapping, Rule},
    provider::{
        schema::{Field, Made, Wish, is_code},
        session::{Request, Session},
    },
    record::Object,
};
use serde_json::{Value as Json, json};

/// The label of the custom field that holds our record id. Its code is made by Pipedrive.
const ID_FIELD: &str = "CRM Sync Id";

/// People as persons, companies as organizations, deals as deals. Each needs a name, or a title.
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
        Object::Note | Object::Task | Object::Custom(_) => return None,
    };
    Some(Mapping::new(name, ID_FIELD, rules))
}

/// Standard fields, or 40 hexadecimal digits (Pipedrive docs: Custom fields), or the title of a person's lead.
pub(super) fn could_name(field: &str) -> bool {
    KINDS.iter().any(|kind| kind.standard.contains(&field)) || is_code(field) || field == leads::TITLE
}

/// The fields of a kind, under the names that the mapping knows; a custom field also by its label (Pipedrive docs: API v2,
/// PersonFields, OrganizationFields, DealFields).
pub(super) async fn schema(session: &Session, mapping: &Mapping) -> Result<Vec<Field>> {
    let kind = kind(mapping)?;
    let standard = kind.standard.iter().map(|name| ((*name).to_owned(), (*name).to_owned()));
    let (mut known, mut cursor): (Vec<_>, _) = (standard.collect(), String::new());
    loop {
        let request = Request::get(format!("/api/v2/{}?limit=500{cursor}", kind.fields));
        let body = session.send(&request, failure::of_call).await?.body;
        let text = |field: &Json, name: &str| field.get(name).and_then(Json::as_str).map(str::to_owned);
        let named = rows(&body).iter().filter_map(|row| Some((text(row, "field_code")?, text(row, "field_name")?)));
        known.extend(named.filter(|(code, _)| is_code(code)));
        match next_cursor(&body) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    // No field of Pipedrive's is unique.
    let own = known.into_iter().map(|(name, label)| Field { name, label, writable: true, unique: false });
    Ok(own.chain(leads::fields(kind.name)).collect())
}

pub(super) async fn make(session: &Session, mapping: &Mapping, wish: &Wish<'_>) -> Result<Made> {
    let body = json!({"field_name": wish.name, "field_type": "varchar"});
    let path = format!("/api/v2/{}", kind(mapping)?.fields);
    session.send_once(&Request::post(path, body), failure::of_call).await?;
    Ok(Made::Done)
}

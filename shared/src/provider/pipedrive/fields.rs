//! The mapping a new connection starts with, and how it gets the names that only the account knows.

use super::{
    failure,
    person::{STANDARD, next_cursor, rows},
};
use crate::{
    error::Result,
    mapping::{Mapping, Rule},
    provider::{
        schema::{Field, Made, Wish, is_code},
        session::{Request, Session},
    },
};
use serde_json::{Value as Json, json};

/// The label of the custom field that holds our record id. Its code is made by Pipedrive.
const ID_FIELD: &str = "CRM Sync Id";

/// People as persons. A person needs a name.
///
/// Custom fields stand under their labels until the account has been asked for their codes.
pub(super) fn default_mapping() -> Mapping {
    let rules = vec![
        Rule::both("name", "name").or("-"),
        Rule::both("email", "email"),
        Rule::both("phone", "phone"),
        Rule::both("last_call", "Last call"),
    ];
    Mapping::new("persons", ID_FIELD, rules)
}

/// Standard fields of a person, or 40 hexadecimal digits (Pipedrive docs: Custom fields).
pub(super) fn could_name(field: &str) -> bool {
    STANDARD.iter().any(|standard| standard.name == field) || is_code(field)
}

/// The fields of a person, under the names that the mapping knows; a custom field also by its label (Pipedrive docs: API v2,
/// PersonFields).
pub(super) async fn schema(session: &Session) -> Result<Vec<Field>> {
    let standard = STANDARD.iter().map(|standard| (standard.name.to_owned(), standard.name.to_owned()));
    let (mut known, mut cursor): (Vec<_>, _) = (standard.collect(), String::new());
    loop {
        let request = Request::get(format!("/api/v2/personFields?limit=500{cursor}"));
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
    Ok(known.into_iter().map(|(name, label)| Field { name, label, writable: true, unique: false }).collect())
}

pub(super) async fn make(session: &Session, wish: &Wish<'_>) -> Result<Made> {
    let body = json!({"field_name": wish.name, "field_type": "varchar"});
    session.send_once(&Request::post("/api/v2/personFields", body), failure::of_call).await?;
    Ok(Made::Done)
}

//! Edits as a person makes them in Pipedrive's own screens.

use super::Desk;
use super::kinds::{Kind, parse_id};
use crate::records::Source;
use crate::sim_edits::Edit;
use crate::webhooks::Outbox;
use crate::wire::{Payload, Reply};
use crate::world::World;
use serde_json::{Map, Value, json};

/// `fields` are written as API v2 takes them; a person's `email` and `phone` stand for a list of one.
pub fn edit(world: &mut World, at: usize, object: &str, edits: Vec<Edit>) -> Result<Vec<u64>, String> {
    let kind = Kind::of_table(object).ok_or_else(|| format!("no object {object}"))?;
    edits.into_iter().map(|e| one(world, at, kind, e)).collect()
}

fn one(world: &mut World, at: usize, kind: &'static Kind, edit: Edit) -> Result<u64, String> {
    let mut lost = Outbox::default();
    let mut desk = world.company(at).ok_or("no such company")?;
    if edit.silent {
        desk.outbox = &mut lost;
    }
    let live = |desk: &Desk<'_>, id: &str| {
        let found = parse_id(kind, id).filter(|id| desk.live(kind, *id).is_ok());
        found.ok_or_else(|| format!("no live record {id} in {}", kind.table))
    };
    if let Some((winner, loser)) = &edit.merge {
        let (winner, loser) = (live(&desk, winner)?, live(&desk, loser)?);
        if winner == loser {
            return Err("a record cannot merge with itself".to_owned());
        }
        desk.merge(kind, winner, loser, Source::User);
        return Ok(winner);
    }
    let id = edit.id.as_deref().map(|id| live(&desk, id)).transpose()?;
    if let Some(id) = id.filter(|_| edit.delete || edit.privacy_delete) {
        desk.delete(kind, id, Source::User, None);
        return Ok(id);
    }
    let fields = desk.check(kind, id, &Value::Object(spelled_out(edit.fields))).map_err(|r| message(&r))?;
    Ok(desk.store(kind, id, fields, Source::User))
}

fn spelled_out(mut fields: Map<String, Value>) -> Map<String, Value> {
    for (short, list) in [("email", "emails"), ("phone", "phones")] {
        if let Some(value) = fields.remove(short) {
            let one = json!([{"value": value, "primary": true, "label": "work"}]);
            fields.insert(list.to_owned(), if value.is_null() { json!([]) } else { one });
        }
    }
    fields
}

fn message(refusal: &Reply) -> String {
    match &refusal.payload {
        Payload::Json(body) => body["error"].as_str().unwrap_or("refused").to_owned(),
        Payload::Html(_) | Payload::Csv(_) | Payload::Empty => "refused".to_owned(),
    }
}

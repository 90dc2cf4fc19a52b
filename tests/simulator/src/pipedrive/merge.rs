//! Merging two records of a kind (Pipedrive API v1: merge two persons).

use super::events::Event;
use super::kinds::{Kind, Shape};
use super::{Desk, errors, show};
use crate::records::{Fields, Source};
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

/// `{"merge_with_id"}` names the record that stays; the one in the path goes.
pub fn merge(desk: &mut Desk<'_>, kind: &'static Kind, id: u64, call: &Call) -> Result<Reply, Reply> {
    let into = call.json().and_then(|b| b["merge_with_id"].as_u64());
    let into = into.filter(|into| *into != id).ok_or_else(|| errors::bad("merge_with_id: is another record"))?;
    desk.live(kind, id)?;
    desk.live(kind, into)?;
    desk.merge(kind, into, id, Source::App);
    let winner = desk.live(kind, into)?;
    let value = |name: &str| winner.fields.get(name).cloned().unwrap_or_default();
    Ok(show::found(&match kind.table {
        "organizations" => json!({"id": into}),
        _ => json!({
            "id": into, "company_id": desk.company.id, "active_flag": true, (kind.required): value(kind.required),
            "owner_id": value("owner_id"), "org_id": value("org_id"), "email": value("emails"), "phone": value("phones"),
            "add_time": show::spaced(winner.created), "update_time": show::spaced(winner.modified),
        }),
    }))
}

impl Desk<'_> {
    /// The winner keeps its values, takes what it lacks, and has the contacts of both.
    pub fn merge(&mut self, kind: &'static Kind, winner: u64, loser: u64, source: Source) {
        let Some(before) = self.event_data(kind, winner) else { return };
        let fields = |id| self.live(kind, id).map(|r| r.fields.clone()).unwrap_or_default();
        let gained = gained(kind, &fields(winner), fields(loser));
        self.write(kind, Some(winner), gained, source);
        self.delete(kind, loser, source, Some(winner));
        if let Some(table) = self.company.tables.get_mut(kind.table) {
            table.merged.insert(loser, winner);
        }
        let data = self.event_data(kind, winner).unwrap_or_default();
        let merged = Some(("merged_from_id", loser));
        let event = Event { kind, id: winner, source, action: "change", data, previous: Value::Null, merged };
        self.tell_change(event, &before);
    }
}

fn gained(kind: &Kind, kept: &Fields, lost: Fields) -> Fields {
    let mut gained = Fields::new();
    let derived = |name: &str| kind.field(name).is_some_and(|f| f.shape == Shape::Derived);
    for (name, value) in lost.into_iter().filter(|(name, _)| !derived(name)) {
        let merged = match (kept.get(&name), value) {
            (None, value) => value,
            (Some(Value::Array(ours)), Value::Array(theirs)) => {
                let known =
                    |v: &Value| ours.iter().any(|o| o == v || (v["value"].is_string() && o["value"] == v["value"]));
                let new = theirs.into_iter().filter(|v| !known(v)).map(|mut v| {
                    if v.get("primary").is_some() {
                        v["primary"] = json!(ours.is_empty());
                    }
                    v
                });
                let new: Vec<Value> = new.collect();
                json!([ours.as_slice(), new.as_slice()].concat())
            }
            (Some(Value::Object(ours)), Value::Object(theirs)) if name == "custom_fields" => {
                Value::Object(theirs.into_iter().chain(ours.clone()).collect())
            }
            (Some(_), _) => continue,
        };
        gained.insert(name, merged);
    }
    gained
}

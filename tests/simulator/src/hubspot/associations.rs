//! `/crm/associations/{version}/{from}/{to}/batch/…`: which records belong together (HubSpot docs: associations API).
//!
//! Read takes 1,000 inputs, create 2,000. What has no association is an error row of a 207. An association moves the modification
//! times of both ends, and is told once for each; the primary one is told a second time (HubSpot docs: webhooks).

use super::Desk;
use super::errors::Refusal;
use super::portal::Portal;
use crate::clock::iso_ms;
use crate::records::{Fields, Source};
use crate::wire::{Call, Reply};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How the pages of records name an association, as if it were a property.
pub const ASSOCIATION: &str = "associations.";

/// The ends of one record's associations with one object, the primary one first.
#[derive(Debug, Default, Clone)]
pub struct Ends {
    ids: Vec<u64>,
    primary: bool,
}

/// Associations both ways: from which object and record, to which object.
pub type Associations = BTreeMap<(String, u64, String), Ends>;

/// From, to, type, and the type of the primary one (HubSpot docs: association type id values).
const TYPES: &[(&str, &str, u64, u64)] = &[
    ("contacts", "contacts", 449, 0),
    ("contacts", "companies", 279, 1),
    ("companies", "contacts", 280, 2),
    ("deals", "companies", 341, 5),
    ("companies", "deals", 342, 6),
    ("deals", "contacts", 3, 0),
    ("contacts", "deals", 4, 0),
    ("notes", "contacts", 202, 0),
    ("contacts", "notes", 201, 0),
    ("notes", "companies", 190, 0),
    ("companies", "notes", 189, 0),
    ("notes", "deals", 214, 0),
    ("deals", "notes", 213, 0),
    ("tasks", "contacts", 204, 0),
    ("contacts", "tasks", 203, 0),
    ("tasks", "companies", 192, 0),
    ("companies", "tasks", 191, 0),
    ("tasks", "deals", 216, 0),
    ("deals", "tasks", 215, 0),
];

fn types(from: &str, to: &str) -> Option<(u64, u64)> {
    TYPES.iter().find(|(f, t, ..)| *f == from && *t == to).map(|(_, _, plain, primary)| (*plain, *primary))
}

pub fn batch(desk: &mut Desk<'_>, from: &str, to: &str, verb: &[&str], call: &Call) -> Result<Reply, Refusal> {
    if types(from, to).is_none() {
        return Err(Refusal::validation(&format!("no association of {from} with {to}")));
    }
    let body = call.json().ok_or_else(Refusal::unreadable)?;
    let missing = || Refusal::validation("Invalid input JSON: inputs is required");
    let inputs = body["inputs"].as_array().ok_or_else(missing)?;
    let most = if verb == ["read"] { 1_000 } else { 2_000 };
    if inputs.len() > most {
        return Err(Refusal::validation(&format!("The maximum number of inputs supported in a batch is {most}")));
    }
    match verb {
        ["read"] => Ok(read(desk, from, to, inputs)),
        ["create"] => create(desk, from, to, inputs),
        ["archive"] => {
            for input in inputs {
                for end in input["to"].as_array().into_iter().flatten() {
                    if let (Some(one), Some(other)) = (id(&input["from"]), id(end)) {
                        desk.dissociate((from, one), (to, other), Source::App);
                    }
                }
            }
            Ok(Reply::empty(204))
        }
        _ => Err(Refusal::not_found()),
    }
}

fn read(desk: &Desk<'_>, from: &str, to: &str, inputs: &[Value]) -> Reply {
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    let (plain, first) = types(from, to).unwrap_or_default();
    for input in inputs {
        let ends = id(input).and_then(|id| desk.portal.associations.get(&(from.to_owned(), id, to.to_owned())));
        let Some(ends) = ends.filter(|ends| !ends.ids.is_empty()) else {
            let message = format!("No {to} is associated with {from} {}.", input["id"].as_str().unwrap_or_default());
            let context = json!({"fromObjectId": [input["id"]]});
            errors.push(Refusal { message, ..Refusal::not_found() }.row(&context));
            continue;
        };
        let shown = ends.ids.iter().enumerate().map(|(n, end)| {
            let plain = json!({"category": "HUBSPOT_DEFINED", "typeId": plain, "label": null});
            let primary = json!({"category": "HUBSPOT_DEFINED", "typeId": first, "label": "Primary"});
            let is_primary = n == 0 && ends.primary;
            json!({"toObjectId": end, "associationTypes": if is_primary { vec![primary, plain] } else { vec![plain] }})
        });
        results.push(json!({"from": {"id": input["id"]}, "to": shown.collect::<Vec<_>>()}));
    }
    // Nobody promises an order.
    results.reverse();
    let at = iso_ms(desk.now);
    let mut body = json!({"status": "COMPLETE", "startedAt": at, "completedAt": at, "results": results});
    if errors.is_empty() {
        return Reply::json(200, body);
    }
    body["numErrors"] = json!(errors.len());
    body["errors"] = json!(errors);
    Reply::json(207, body)
}

fn create(desk: &mut Desk<'_>, from: &str, to: &str, inputs: &[Value]) -> Result<Reply, Refusal> {
    let (plain, first) = types(from, to).unwrap_or_default();
    let mut results = Vec::new();
    for input in inputs {
        let live = |object: &str, value: &Value| {
            let found = id(value).filter(|id| desk.portal.tables.get(object).is_some_and(|t| t.live(*id).is_some()));
            found.ok_or_else(|| Refusal::validation(&format!("{object}: no such record in an association")))
        };
        let (one, other) = (live(from, &input["from"])?, live(to, &input["to"])?);
        let types = input["types"].as_array().into_iter().flatten();
        let asked: Vec<u64> = types.filter_map(|t| t["associationTypeId"].as_u64()).collect();
        if asked.is_empty() || asked.iter().any(|t| *t != plain && (*t != first || first == 0)) {
            return Err(Refusal::validation(&format!("{asked:?}: no type of association of {from} with {to}")));
        }
        desk.associate((from, one), (to, other), asked.contains(&first), Source::App);
        results.push(json!({"fromObjectId": one, "toObjectId": other, "labels": []}));
    }
    Ok(Reply::json(201, json!({"status": "COMPLETE", "results": results})))
}

fn id(value: &Value) -> Option<u64> {
    value["id"].as_str().and_then(|text| text.parse().ok()).or_else(|| value["id"].as_u64())
}

impl Desk<'_> {
    pub fn associate(&mut self, one: (&str, u64), other: (&str, u64), primary: bool, source: Source) {
        for ((object, id), (end, end_id)) in [(one, other), (other, one)] {
            let ends = self.portal.associations.entry((object.to_owned(), id, end.to_owned())).or_default();
            let has_primary = types(object, end).is_some_and(|(_, primary)| primary > 0);
            // A company has many contacts, and is the primary one of each.
            let takes_the_place = primary && has_primary && object != "companies";
            ends.ids.retain(|known| *known != end_id);
            let at = if takes_the_place { 0 } else { ends.ids.len() };
            ends.ids.insert(at, end_id);
            ends.primary |= takes_the_place;
        }
        self.told(one, other, false, primary, source);
    }

    pub fn dissociate(&mut self, one: (&str, u64), other: (&str, u64), source: Source) {
        let mut was = false;
        for ((object, id), (end, end_id)) in [(one, other), (other, one)] {
            if let Some(ends) = self.portal.associations.get_mut(&(object.to_owned(), id, end.to_owned())) {
                was |= ends.ids.contains(&end_id);
                ends.primary &= ends.ids.first() != Some(&end_id);
                ends.ids.retain(|known| *known != end_id);
            }
        }
        if was {
            self.told(one, other, true, false, source);
        }
    }

    fn told(&mut self, one: (&str, u64), other: (&str, u64), removed: bool, primary: bool, source: Source) {
        let stamp = self.stamp(source);
        for ((object, id), (end, end_id)) in [(one, other), (other, one)] {
            if let Some(table) = self.portal.tables.get_mut(object) {
                table.update(id, Fields::new(), stamp);
            }
            for is_primary in if primary { vec![true, false] } else { vec![false] } {
                let kind = format!("{}_TO_{}", name(object), name(end));
                let more = json!({
                    "associationType": kind, "fromObjectId": id, "toObjectId": end_id, "associationRemoved": removed,
                    "isPrimaryAssociation": is_primary,
                });
                self.emit(object, "associationChange", id, source, more);
            }
        }
    }

    /// A person picks another end, or none.
    pub fn pick(&mut self, object: &str, id: u64, with: &str, end: Option<u64>) {
        let other = |(known, old): &(&str, u64)| *known == with && Some(*old) != end;
        let old = self.portal.associated(object, id).find(other).map(|(_, old)| old);
        if let Some(old) = old {
            self.dissociate((object, id), (with, old), Source::User);
        }
        if let Some(end) = end {
            self.associate((object, id), (with, end), true, Source::User);
        }
    }

    /// A merged record keeps what both were associated with.
    pub fn move_associations(&mut self, object: &str, from: u64, to: u64) {
        let own = self.portal.associations.iter().filter(|((o, id, _), _)| o == object && *id == from);
        let own: Vec<(String, Ends)> = own.map(|((_, _, end), ends)| (end.clone(), ends.clone())).collect();
        for (end, ends) in own {
            for (n, other) in ends.ids.iter().enumerate() {
                self.dissociate((object, from), (&end, *other), Source::App);
                self.associate((object, to), (&end, *other), n == 0 && ends.primary, Source::App);
            }
        }
    }
}

impl Portal {
    /// The primary or the first end of each association, as the record's page shows it.
    pub fn associated(&self, object: &str, id: u64) -> impl Iterator<Item = (&str, u64)> {
        let own = self.associations.iter().filter(move |((o, i, _), _)| o == object && *i == id);
        own.filter_map(|((_, _, with), ends)| Some((with.as_str(), *ends.ids.first()?)))
    }
}

fn name(object: &str) -> &str {
    match object {
        "contacts" => "CONTACT",
        "companies" => "COMPANY",
        "notes" => "NOTE",
        "tasks" => "TASK",
        _ => "DEAL",
    }
}

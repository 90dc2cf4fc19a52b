//! Edits as a person makes them in Salesforce's own screens.

use super::Desk;
use super::errors::Refusal;
use super::ids;
use super::show::time;
use super::store::Writer;
use crate::records::{Fields, Source, Stamp};
use crate::sim_edits::Edit;
use crate::world::World;
use serde_json::{Value, json};

const PERSON: Writer = Writer { source: Source::User, duplicates: true };

pub fn edit(world: &mut World, at: usize, object: &str, edits: Vec<Edit>) -> Result<Vec<u64>, String> {
    let object = ids::object(object).ok_or_else(|| format!("no object {object}"))?;
    let mut desk = world.salesforce(at).ok_or("no such org")?;
    let mut done = Vec::with_capacity(edits.len());
    for edit in edits {
        let silent = edit.silent;
        let saved = one(&mut desk, object, &edit).map_err(|refusal| refusal.message)?;
        for (object, id) in saved.told.iter().filter(|_| !silent) {
            desk.tell(object, *id);
        }
        for id in saved.gone.iter().filter(|_| !silent) {
            desk.relay_moved(object, *id, "DELETE");
        }
        done.push(saved.id);
    }
    Ok(done)
}

/// The record that an edit was about, and those that outbound messages are due for.
struct Saved {
    id: u64,
    told: Vec<(&'static str, u64)>,
    gone: Vec<u64>,
}

fn one(desk: &mut Desk<'_>, object: &'static str, edit: &Edit) -> Result<Saved, Refusal> {
    if let Some((winner, loser)) = &edit.merge {
        let (winner, loser) = (desk.locate(object, winner)?, desk.locate(object, loser)?);
        merge(desk, object, winner, loser)?;
        return Ok(Saved { id: winner, told: vec![(object, winner)], gone: vec![loser] });
    }
    let id = edit.id.as_deref().map(|id| desk.locate(object, id)).transpose()?;
    match id {
        Some(id) if edit.delete || edit.privacy_delete => {
            desk.bin(object, id, None, Source::User)?;
            Ok(Saved { id, told: Vec::new(), gone: vec![id] })
        }
        Some(id) if edit.convert && object == "Lead" => {
            let contact = convert(desk, id)?;
            Ok(Saved { id, told: vec![("Contact", contact), (object, id)], gone: Vec::new() })
        }
        _ => {
            let id = desk.save(object, id, &edit.fields, PERSON)?;
            Ok(Saved { id, told: vec![(object, id)], gone: Vec::new() })
        }
    }
}

/// The winner keeps its values and takes what it lacks; the loser is deleted (Salesforce help: merge duplicates).
fn merge(desk: &mut Desk<'_>, object: &str, winner: u64, loser: u64) -> Result<(), Refusal> {
    if winner == loser {
        return Err(Refusal::new("INVALID_OPERATION", "a record cannot merge with itself"));
    }
    desk.bin(object, loser, Some(winner), Source::User)?;
    let stamp = stamp(desk);
    let Some(table) = desk.org.objects.get_mut(object) else { return Ok(()) };
    let fields = |id: u64| table.records.get(&id).map(|r| r.fields.clone()).unwrap_or_default();
    let kept = fields(winner);
    let mut moved = fields(loser);
    moved.retain(|name, _| name != "MasterRecordId" && !kept.contains_key(name));
    table.update(winner, moved, stamp);
    Ok(())
}

/// What a contact takes of its lead, and under which name (Salesforce help: lead conversion field mapping).
const MAPPING: [(&str, &str); 15] = [
    ("FirstName", "FirstName"),
    ("LastName", "LastName"),
    ("Email", "Email"),
    ("Phone", "Phone"),
    ("MobilePhone", "MobilePhone"),
    ("Title", "Title"),
    ("LeadSource", "LeadSource"),
    ("Description", "Description"),
    ("HasOptedOutOfEmail", "HasOptedOutOfEmail"),
    ("OwnerId", "OwnerId"),
    ("Street", "MailingStreet"),
    ("City", "MailingCity"),
    ("State", "MailingState"),
    ("PostalCode", "MailingPostalCode"),
    ("Country", "MailingCountry"),
];

/// Makes a contact of a lead, in the account that is called as its company, and answers the contact.
fn convert(desk: &mut Desk<'_>, lead: u64) -> Result<u64, Refusal> {
    let own = desk.org.objects.get("Lead").and_then(|table| table.live(lead)).ok_or_else(Refusal::missing)?;
    if own.fields.get("IsConverted") == Some(&json!(true)) {
        return Err(Refusal::new("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead"));
    }
    let own = own.fields.clone();
    let custom = desk.org.fields.get("Lead").into_iter().flatten().filter(|f| f.is_custom()).map(|f| f.name.as_str());
    let custom = custom.filter(|name| desk.org.field("Contact", name).is_some()).map(|name| (name, name));
    let mut fields: Fields = MAPPING
        .into_iter()
        .chain(custom)
        .filter_map(|(from, to)| Some((to.to_owned(), own.get(from)?.clone())))
        .collect();
    let account = own.get("Company").and_then(Value::as_str).map(|company| account(desk, company));
    if let Some(account) = account.flatten() {
        fields.insert("AccountId".to_owned(), json!(ids::text("Account", account)));
    }
    desk.unique("Contact", None, &fields)?;
    let contact = insert(desk, "Contact", fields).ok_or_else(Refusal::missing)?;
    let day: String = time(desk.now).chars().take(10).collect();
    move_tasks(desk, lead, contact);
    let mut marks = Fields::from([
        ("IsConverted".to_owned(), json!(true)),
        ("ConvertedDate".to_owned(), json!(day)),
        ("ConvertedContactId".to_owned(), json!(ids::text("Contact", contact))),
        ("Status".to_owned(), json!("Closed - Converted")),
    ]);
    if let Some(account) = account.flatten() {
        marks.insert("ConvertedAccountId".to_owned(), json!(ids::text("Account", account)));
    }
    let stamp = stamp(desk);
    if let Some(table) = desk.org.objects.get_mut("Lead") {
        table.update(lead, marks, stamp);
    }
    Ok(contact)
}

/// Tasks with a lead are with its contact from then on (Salesforce help: lead conversion, activities).
fn move_tasks(desk: &mut Desk<'_>, lead: u64, contact: u64) {
    let (lead, contact) = (json!(ids::text("Lead", lead)), json!(ids::text("Contact", contact)));
    let stamp = stamp(desk);
    let Some(table) = desk.org.objects.get_mut("Task") else { return };
    let with = table.records.values().filter(|task| task.fields.get("WhoId") == Some(&lead));
    for task in with.map(|task| task.id).collect::<Vec<_>>() {
        table.update(task, Fields::from([("WhoId".to_owned(), contact.clone())]), stamp);
    }
}

fn account(desk: &mut Desk<'_>, company: &str) -> Option<u64> {
    let known = desk.org.objects.get("Account").and_then(|table| table.find("Name", company));
    known.or_else(|| insert(desk, "Account", Fields::from([("Name".to_owned(), json!(company))])))
}

fn insert(desk: &mut Desk<'_>, object: &str, mut fields: Fields) -> Option<u64> {
    desk.defaults(object, &mut fields, Source::User);
    let stamp = stamp(desk);
    Some(desk.org.objects.get_mut(object)?.insert(fields, stamp))
}

fn stamp(desk: &Desk<'_>) -> Stamp {
    Stamp { now: desk.now, source: Source::User, lag_ms: 0 }
}

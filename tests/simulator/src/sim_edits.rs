//! Edits as a person makes them in a CRM's own screens, and records as that person sees them.

use crate::calls::Crm;
use crate::clock::iso_ms;
use crate::hubspot::associations::ASSOCIATION;
use crate::hubspot::write::Claims;
use crate::records::{Record, Source, Table};
use crate::world::World;
use crate::zoho::notify::Changes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The body of `POST /_sim/<crm>/<object>`: one edit or a list of them.
#[derive(Debug)]
pub enum Body {
    Many(Vec<Edit>),
    One(Box<Edit>),
}

impl Body {
    pub fn read(json: &[u8]) -> serde_json::Result<Self> {
        match json.trim_ascii_start().first() {
            Some(b'[') => serde_json::from_slice(json).map(Self::Many),
            _ => serde_json::from_slice(json).map(Self::One),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edit {
    /// Without it, `fields` makes a record.
    pub id: Option<String>,
    pub fields: Map<String, Value>,
    pub delete: bool,
    /// Out of the recycle bin.
    pub restore: bool,
    /// HubSpot: erased for good, as privacy law asks.
    pub privacy_delete: bool,
    /// Winner and loser.
    pub merge: Option<(String, String)>,
    /// Salesforce: the lead becomes a contact.
    pub convert: bool,
    /// Its webhook is lost.
    pub silent: bool,
}

/// Does the edits in order, up to the first that the CRM refuses, and shows the records afterwards.
pub fn edit(world: &mut World, crm: Crm, object: &str, account: Option<&str>, body: Body) -> Result<Value, String> {
    let (edits, one) = match body {
        Body::Many(edits) => (edits, false),
        Body::One(edit) => (vec![*edit], true),
    };
    let at = account_at(world, crm, account)?;
    let restores = edits.iter().any(|edit| edit.restore);
    let ids = match crm {
        _ if restores => edits.iter().map(|edit| restore(world, crm, at, object, edit)).collect::<Result<_, _>>()?,
        Crm::Hubspot => {
            edits.into_iter().map(|e| hubspot(world, at, object, e)).collect::<Result<Vec<u64>, String>>()?
        }
        Crm::Zoho => zoho(world, at, object, edits)?,
        Crm::Salesforce => crate::salesforce::edits::edit(world, at, object, edits)?,
        Crm::Pipedrive => crate::pipedrive::edits::edit(world, at, object, edits)?,
    };
    let mut shown = ids.into_iter().map(|id| find(world, crm, at, object, id)).collect::<Vec<Value>>();
    Ok(if one { shown.pop().unwrap_or_default() } else { Value::Array(shown) })
}

/// Out of the recycle bin. HubSpot alone is documented to tell of it, as `restore` (HubSpot docs: webhooks, subscription types);
/// elsewhere the record is shown as changed, and no webhook is said to come.
fn restore(world: &mut World, crm: Crm, at: usize, object: &str, edit: &Edit) -> Result<u64, String> {
    let text = edit.id.as_deref().unwrap_or_default();
    let none = || format!("no deleted record {text} in {object}");
    let number = || text.parse::<u64>().ok();
    match crm {
        Crm::Hubspot => {
            let mut desk = world.portal(at).ok_or("no such portal")?;
            let (id, now) = (number().ok_or_else(none)?, desk.now);
            let back = desk.portal.tables.get_mut(object).is_some_and(|table| table.restore(id, now));
            if back && !edit.silent {
                desk.emit(object, "restore", id, Source::User, json!({}));
            }
            back.then_some(id).ok_or_else(none)
        }
        Crm::Zoho => {
            let desk = world.org(at).ok_or("no such organisation")?;
            let (id, now) = (number().ok_or_else(none)?, desk.now);
            let table = desk.org.modules.get_mut(&module(object));
            table.is_some_and(|table| table.restore(id, now)).then_some(id).ok_or_else(none)
        }
        Crm::Salesforce => {
            let object = crate::salesforce::ids::object(object).ok_or_else(none)?;
            let mut desk = world.salesforce(at).ok_or("no such org")?;
            let (id, now) = (crate::salesforce::ids::parse(object, text).ok_or_else(none)?, desk.now);
            let back = desk.org.objects.get_mut(object).is_some_and(|table| table.restore(id, now));
            if back && !edit.silent {
                desk.relay_moved(object, id, "UNDELETE");
            }
            back.then_some(id).ok_or_else(none)
        }
        Crm::Pipedrive => {
            let desk = world.company(at).ok_or("no such company")?;
            let (id, now) = (number().ok_or_else(none)?, desk.now);
            let table = desk.company.tables.get_mut(object);
            table.is_some_and(|table| table.restore(id, now)).then_some(id).ok_or_else(none)
        }
    }
}

/// Live records, oldest first; with the archived ones if wanted.
pub fn list(world: &mut World, crm: Crm, object: &str, account: Option<&str>, archived: bool) -> Result<Value, String> {
    let at = account_at(world, crm, account)?;
    let table = table(world, crm, at, object).ok_or_else(|| format!("no object {object}"))?;
    Ok(table
        .records
        .values()
        .filter(|r| archived || r.archived.is_none())
        .map(|r| show(world, crm, at, object, r))
        .collect())
}

fn table<'w>(world: &'w World, crm: Crm, at: usize, object: &str) -> Option<&'w Table> {
    match crm {
        Crm::Hubspot => world.portals.get(at)?.tables.get(object),
        Crm::Zoho => world.orgs.get(at)?.modules.get(&module(object)),
        Crm::Salesforce => world.salesforce_orgs.get(at)?.objects.get(crate::salesforce::ids::object(object)?),
        Crm::Pipedrive => world.companies.get(at)?.tables.get(object),
    }
}

/// A record's id as its CRM spells it.
fn id_text(crm: Crm, object: &str, id: u64) -> String {
    match crm {
        Crm::Salesforce => crate::salesforce::ids::text(crate::salesforce::ids::object(object).unwrap_or_default(), id),
        Crm::Pipedrive if object == "leads" => crate::pipedrive::kinds::lead_uuid(id),
        _ => id.to_string(),
    }
}

fn show(world: &World, crm: Crm, at: usize, object: &str, record: &Record) -> Value {
    let key = if crm == Crm::Hubspot { "properties" } else { "fields" };
    let mut shown = json!({
        "id": id_text(crm, object, record.id), (key): record.fields, "created": iso_ms(record.created), "modified": iso_ms(record.modified),
        "archived": record.archived.is_some(),
    });
    if let Some(portal) = world.portals.get(at).filter(|_| crm == Crm::Hubspot) {
        for (with, end) in portal.associated(object, record.id) {
            shown[key][format!("{}{with}", ASSOCIATION)] = json!(end.to_string());
        }
    }
    shown
}

fn find(world: &World, crm: Crm, at: usize, object: &str, id: u64) -> Value {
    let gone = || json!({"id": id_text(crm, object, id), "archived": true});
    table(world, crm, at, object)
        .and_then(|t| t.records.get(&id))
        .map_or_else(gone, |r| show(world, crm, at, object, r))
}

fn hubspot(world: &mut World, at: usize, object: &str, edit: Edit) -> Result<u64, String> {
    let mut lost = crate::webhooks::Outbox::default();
    let mut desk = world.portal(at).ok_or("no such portal")?;
    if edit.silent {
        desk.outbox = &mut lost;
    }
    let live = |desk: &crate::hubspot::Desk<'_>, id: &str| {
        desk.locate(object, None, id, true, false).ok_or_else(|| format!("no live record {id} in {object}"))
    };
    if !desk.portal.tables.contains_key(object) {
        return Err(format!("no object {object}"));
    }
    if let Some((winner, loser)) = &edit.merge {
        let (winner, loser) = (live(&desk, winner)?, live(&desk, loser)?);
        return desk
            .merge(object, winner, loser, Source::User)
            .ok_or_else(|| "a record cannot merge with itself".to_owned());
    }
    let id = edit.id.as_deref().map(|id| live(&desk, id)).transpose()?;
    match id {
        Some(id) if edit.delete => desk.archive(object, id, Source::User),
        Some(id) if edit.privacy_delete => desk.privacy_delete(object, id, Source::User),
        _ => {
            // `associations.companies` is no property, but stands on the same page.
            let is_association = |name: &String| name.starts_with(ASSOCIATION);
            let (ends, fields): (Map<_, _>, Map<_, _>) = edit.fields.into_iter().partition(|(n, _)| is_association(n));
            let fields = desk.check(object, id, &Value::Object(fields), &mut Claims::new()).map_err(|r| r.message)?;
            let id = desk.store(object, id, fields, Source::User);
            for (name, end) in ends {
                let with = name.trim_start_matches(ASSOCIATION);
                desk.pick(object, id, with, end.as_str().and_then(|end| end.parse().ok()));
            }
            return Ok(id);
        }
    }
    Ok(id.unwrap_or_default())
}

fn zoho(world: &mut World, at: usize, object: &str, edits: Vec<Edit>) -> Result<Vec<u64>, String> {
    let module = module(object);
    let mut desk = world.org(at).ok_or("no such organisation")?;
    if !desk.org.modules.contains_key(&module) {
        return Err(format!("no module {module}"));
    }
    let (mut told, mut silent) = (Changes::default(), Changes::default());
    let mut ids = Vec::with_capacity(edits.len());
    let mut refused = None;
    for edit in edits {
        let changes = if edit.silent { &mut silent } else { &mut told };
        match zoho_edit(&mut desk, &module, edit, changes) {
            Ok(id) => ids.push(id),
            Err(message) => {
                refused = Some(message);
                break;
            }
        }
    }
    desk.notify(&module, told);
    refused.map_or(Ok(ids), Err)
}

fn zoho_edit(desk: &mut crate::zoho::Desk<'_>, module: &str, edit: Edit, changes: &mut Changes) -> Result<u64, String> {
    let live = |desk: &crate::zoho::Desk<'_>, id: &str| {
        let record = id.parse().ok().and_then(|id| desk.org.modules.get(module)?.live(id));
        record.map(|r| (r.id, r.fields.clone())).ok_or_else(|| format!("no live record {id} in {module}"))
    };
    if let Some((winner, loser)) = &edit.merge {
        // The master keeps its values, takes what it lacks, and the other record is deleted (Zoho docs: find and merge).
        let ((winner, kept), (loser, lost)) = (live(desk, winner)?, live(desk, loser)?);
        desk.recycle(module, loser, Source::User, changes);
        let moved = lost.into_iter().filter(|(k, _)| !kept.contains_key(k)).collect();
        desk.update(module, winner, moved, Source::User, changes);
        return Ok(winner);
    }
    let id = edit.id.as_deref().map(|id| live(desk, id)).transpose()?.map(|(id, _)| id);
    if let Some(id) = id.filter(|_| edit.delete || edit.privacy_delete) {
        desk.recycle(module, id, Source::User, changes);
        return Ok(id);
    }
    let fields = desk.check(module, id, 0, &Value::Object(edit.fields)).map_err(|e| e.to_string())?;
    let result = match id {
        Some(id) => desk.update(module, id, fields, Source::User, changes),
        None => desk.insert(module, fields, Source::User, changes),
    };
    result["details"]["id"].as_str().and_then(|id| id.parse().ok()).ok_or_else(|| "nothing was stored".to_owned())
}

/// `leads` is the module `Leads`.
fn module(object: &str) -> String {
    let mut letters = object.chars();
    letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn account_at(world: &World, crm: Crm, account: Option<&str>) -> Result<usize, String> {
    let found = match (crm, account) {
        (_, None) => Some(0),
        (Crm::Hubspot, Some(id)) => world.portals.iter().position(|p| p.id.to_string() == id),
        (Crm::Zoho, Some(id)) => world.orgs.iter().position(|o| o.id == id),
        (Crm::Salesforce, Some(id)) => world.salesforce_orgs.iter().position(|o| o.id == id),
        (Crm::Pipedrive, Some(id)) => world.companies.iter().position(|c| c.id.to_string() == id),
    };
    found.ok_or_else(|| "no such account".to_owned())
}

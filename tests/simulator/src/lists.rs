//! What users of a CRM make to see some of their records: HubSpot's lists, Salesforce's list views, Zoho's custom views, Pipedrive's filters.

use crate::calls::Crm;
use crate::records::Record;
use crate::salesforce;
use crate::world::World;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The records of an object in which a field shows a value; or those that somebody put on it.
#[derive(Debug, Clone)]
pub struct List {
    pub id: String,
    pub object: String,
    pub field: String,
    pub value: String,
    /// Where it is kept by hand.
    pub members: Option<BTreeSet<u64>>,
}

/// The body of `POST /_sim/lists`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    crm: Crm,
    /// As the CRM's API names it.
    object: String,
    #[serde(default)]
    field: String,
    #[serde(default)]
    value: String,
    /// HubSpot's alone: its members are put on it one by one.
    #[serde(default)]
    manual: bool,
}

impl List {
    pub fn holds(&self, record: &Record) -> bool {
        if let Some(members) = &self.members {
            return record.archived.is_none() && members.contains(&record.id);
        }
        let own = record.fields.get("custom_fields").and_then(|own| own[&self.field].as_str());
        record.archived.is_none() && record.text(&self.field).or(own) == Some(&self.value)
    }
}

/// A user makes one, in the CRM's first account: its id.
pub fn make(world: &mut World, wish: Wish) -> Option<Value> {
    let lists = match wish.crm {
        Crm::Hubspot => &mut world.portals.first_mut()?.lists,
        Crm::Zoho => &mut world.orgs.first_mut()?.views,
        Crm::Salesforce => &mut world.salesforce_orgs.first_mut()?.views,
        Crm::Pipedrive => &mut world.companies.first_mut()?.filters,
    };
    let nth = lists.len() as u64 + 1;
    let id = match wish.crm {
        Crm::Hubspot | Crm::Pipedrive => nth.to_string(),
        Crm::Zoho => (5_725_767_000_000_087_500 + nth).to_string(),
        Crm::Salesforce => salesforce::ids::seal("00B", salesforce::ids::FIRST + nth),
    };
    let members = wish.manual.then(BTreeSet::new);
    lists.push(List { id: id.clone(), object: wish.object, field: wish.field, value: wish.value, members });
    Some(json!({"id": id}))
}

/// The body of `POST /_sim/lists/members`: ids of records that a user puts on a list of HubSpot's, or takes off it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moves {
    list: String,
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
}

/// Who is on it then.
pub fn members(world: &mut World, moves: &Moves) -> Option<Vec<String>> {
    let lists = &mut world.portals.first_mut()?.lists;
    let members = lists.iter_mut().find(|list| list.id == moves.list)?.members.as_mut()?;
    members.extend(moves.add.iter().filter_map(|id| id.parse::<u64>().ok()));
    members.retain(|id| !moves.remove.contains(&id.to_string()));
    Some(members.iter().map(u64::to_string).collect())
}

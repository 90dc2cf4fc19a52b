//! Companies, deals, tasks and notes as they stand in each CRM's own screens, told in the hub's words. People are in `face`.

use crate::world::World;
use serde_json::{Map, Value as Json, json};
use shared::{provider::Crm, record::Object};
use std::collections::BTreeMap;

type Names = &'static [(&'static str, &'static str)];

/// Where the simulator shows an object of a CRM, and what its fields are called there.
fn page(crm: Crm, object: &Object) -> (&'static str, Names) {
    match (crm, object) {
        (Crm::HubSpot, Object::Custom(_)) => ("hubspot/2-35000001", &[("name", "name"), ("plate", "plate")]),
        (Crm::Zoho, Object::Custom(_)) => ("zoho/vehicles", &[("name", "Name"), ("plate", "Plate")]),
        (Crm::Salesforce, Object::Custom(_)) => ("salesforce/vehicle__c", &[("name", "Name"), ("plate", "Plate__c")]),
        (Crm::HubSpot, Object::Company) => ("hubspot/companies", &[("name", "name"), ("domain", "domain")]),
        (Crm::Zoho, Object::Company) => ("zoho/accounts", &[("name", "Account_Name"), ("domain", "Website")]),
        (Crm::Salesforce, Object::Company) => ("salesforce/account", &[("name", "Name"), ("domain", "Website")]),
        (Crm::Pipedrive, Object::Company) => ("pipedrive/organizations", &[("name", "name")]),
        (Crm::HubSpot, Object::Task) => (
            "hubspot/tasks",
            &[
                ("subject", "hs_task_subject"),
                ("body", "hs_task_body"),
                ("due_date", "hs_timestamp"),
                ("status", "hs_task_status"),
                ("priority", "hs_task_priority"),
                ("contact_id", "associations.contacts"),
                ("company_id", "associations.companies"),
            ],
        ),
        (Crm::Zoho, Object::Task) => (
            "zoho/tasks",
            &[
                ("subject", "Subject"),
                ("body", "Description"),
                ("due_date", "Due_Date"),
                ("status", "Status"),
                ("priority", "Priority"),
                ("contact_id", "What_Id"),
            ],
        ),
        (Crm::Salesforce, Object::Task) => (
            "salesforce/task",
            &[
                ("subject", "Subject"),
                ("body", "Description"),
                ("due_date", "ActivityDate"),
                ("status", "Status"),
                ("priority", "Priority"),
                ("contact_id", "WhoId"),
            ],
        ),
        (Crm::HubSpot, Object::Note) => (
            "hubspot/notes",
            &[("body", "hs_note_body"), ("happened_at", "hs_timestamp"), ("contact_id", "associations.contacts")],
        ),
        (Crm::Zoho, Object::Note) => {
            ("zoho/notes", &[("title", "Note_Title"), ("body", "Note_Content"), ("contact_id", "Parent_Id")])
        }
        (Crm::Salesforce, Object::Note) => {
            ("salesforce/note", &[("title", "Title"), ("body", "Body"), ("contact_id", "ParentId")])
        }
        (Crm::Pipedrive, Object::Note) => ("pipedrive/notes", &[("body", "content"), ("contact_id", "person_id")]),
        (Crm::Pipedrive, Object::Task) => (
            "pipedrive/activities",
            &[
                ("subject", "subject"),
                ("body", "note"),
                ("due_date", "due_date"),
                ("status", "done"),
                ("contact_id", "person_id"),
            ],
        ),
        (Crm::HubSpot, _) => (
            "hubspot/deals",
            &[
                ("name", "dealname"),
                ("amount", "amount"),
                ("close_date", "closedate"),
                ("stage", "dealstage"),
                ("company_id", "associations.companies"),
            ],
        ),
        (Crm::Zoho, _) => (
            "zoho/deals",
            &[
                ("name", "Deal_Name"),
                ("amount", "Amount"),
                ("close_date", "Closing_Date"),
                ("stage", "Stage"),
                ("company_id", "Account_Name"),
            ],
        ),
        (Crm::Salesforce, _) => (
            "salesforce/opportunity",
            &[
                ("name", "Name"),
                ("amount", "Amount"),
                ("close_date", "CloseDate"),
                ("stage", "StageName"),
                ("company_id", "AccountId"),
            ],
        ),
        (Crm::Pipedrive, _) => (
            "pipedrive/deals",
            &[
                ("name", "title"),
                ("amount", "value"),
                ("close_date", "expected_close_date"),
                ("stage", "status"),
                ("company_id", "org_id"),
            ],
        ),
    }
}

/// What the API calls the vehicles that some users have made an object for; `None` where users make no objects.
pub(crate) fn vehicles(crm: Crm) -> Option<(&'static str, &'static str)> {
    match crm {
        Crm::HubSpot => Some(("2-35000001", "crm_sync_id")),
        Crm::Zoho => Some(("Vehicles", "CRM_Sync_Id")),
        Crm::Salesforce => Some(("Vehicle__c", "CRM_Sync_Id__c")),
        Crm::Pipedrive => None,
    }
}

/// A field of vehicles, as the API names it.
pub(crate) fn of_vehicles(crm: Crm, hub: &str) -> &'static str {
    let (_, names) = page(crm, &Object::Custom("vehicle".to_owned()));
    names.iter().find(|(name, _)| *name == hub).unwrap().1
}

/// What a CRM calls a deal that is won, and one that is lost.
pub(crate) fn won_and_lost(crm: Crm) -> (&'static str, &'static str) {
    match crm {
        Crm::HubSpot => ("closedwon", "closedlost"),
        Crm::Zoho | Crm::Salesforce => ("Closed Won", "Closed Lost"),
        Crm::Pipedrive => ("won", "lost"),
    }
}

/// What a CRM calls a task that is done.
pub(crate) fn done(crm: Crm) -> &'static str {
    match crm {
        Crm::HubSpot => "COMPLETED",
        Crm::Zoho | Crm::Salesforce => "Completed",
        Crm::Pipedrive => "true",
    }
}

/// A record of any object, as a CRM shows it.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) id: String,
    fields: BTreeMap<&'static str, String>,
}

impl Card {
    pub(crate) fn get(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }
}

impl World {
    /// All of them, oldest first.
    pub(crate) async fn cards(&self, crm: Crm, object: &Object) -> Vec<Card> {
        let (route, names) = page(crm, object);
        let shown = self.shown(route).await;
        let card = |one: &Json| {
            let fields = if one["properties"].is_object() { &one["properties"] } else { &one["fields"] };
            let text = |name: &str| {
                let value = &fields[name];
                let value = if value["id"].is_null() { value } else { &value["id"] };
                value
                    .as_str()
                    .map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
            };
            Card {
                id: one["id"].as_str().unwrap().to_owned(),
                fields: names.iter().map(|(hub, name)| (*hub, text(name))).collect(),
            }
        };
        shown.as_array().unwrap().iter().map(card).collect()
    }

    /// The only one that a CRM shows.
    pub(crate) async fn card(&self, crm: Crm, object: &Object) -> Card {
        let mut cards = self.cards(crm, object).await;
        assert_eq!(cards.len(), 1, "{crm}: {cards:?}");
        cards.remove(0)
    }

    /// A user of the CRM deletes one, and no webhook tells.
    pub(crate) async fn remove(&self, crm: Crm, object: &Object, id: &str) {
        let (route, _) = page(crm, object);
        self.sim(route, &json!({"id": id, "delete": true, "silent": true})).await;
    }

    /// A user of the CRM deletes one.
    pub(crate) async fn delete_card(&self, crm: Crm, object: &Object, id: &str) {
        let (route, _) = page(crm, object);
        self.sim(route, &json!({"id": id, "delete": true})).await;
    }

    /// A user of the CRM makes one, or changes one; its webhook may be lost.
    pub(crate) async fn fill_in(
        &self,
        crm: Crm,
        object: &Object,
        id: Option<&str>,
        fields: &[(&str, &str)],
        lost: bool,
    ) {
        let (route, names) = page(crm, object);
        let known = |(hub, value): &(&str, &str)| {
            let (_, name) = names.iter().find(|(name, _)| name == hub)?;
            let number = value.parse::<u64>().ok().filter(|_| crm == Crm::Pipedrive);
            if *name == "Parent_Id" {
                return Some(((*name).to_owned(), json!({"id": value, "module": {"api_name": "Leads"}})));
            }
            Some(((*name).to_owned(), number.map_or_else(|| json!(value), |number| json!(number))))
        };
        let fields: Map<String, Json> = fields.iter().filter_map(known).collect();
        self.sim(route, &json!({"id": id, "fields": fields, "silent": lost})).await;
    }
}

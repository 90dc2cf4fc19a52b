//! People as they stand in each CRM's own screens, told in the hub's words.

use crate::world::World;
use serde_json::{Map, Value as Json, json};
use shared::provider::Crm;
use std::collections::BTreeMap;

/// How the simulator shows people of one CRM.
struct Face {
    route: &'static str,
    /// Where a record has its fields, and what they are called.
    shown_in: &'static str,
    fields: &'static [(&'static str, &'static str)],
    /// What a person must have besides a last name, where they are typed in by hand.
    needs: &'static [(&'static str, &'static str)],
}

fn face(crm: Crm) -> Face {
    match crm {
        Crm::HubSpot => Face {
            route: "hubspot/contacts",
            shown_in: "properties",
            fields: &[
                ("first_name", "firstname"),
                ("last_name", "lastname"),
                ("email", "email"),
                ("phone", "phone"),
                ("last_call", "last_call"),
            ],
            needs: &[],
        },
        Crm::Zoho => Face {
            route: "zoho/leads",
            shown_in: "fields",
            fields: &[
                ("first_name", "First_Name"),
                ("last_name", "Last_Name"),
                ("email", "Email"),
                ("phone", "Phone"),
                ("last_call", "Last_Call"),
            ],
            needs: &[("Company", "Typed Ltd")],
        },
        Crm::Salesforce => Face {
            route: "salesforce/lead",
            shown_in: "fields",
            fields: &[
                ("first_name", "FirstName"),
                ("last_name", "LastName"),
                ("email", "Email"),
                ("phone", "Phone"),
                ("last_call", "Last_Call__c"),
            ],
            needs: &[("Company", "Typed Ltd")],
        },
        Crm::Pipedrive => Face {
            route: "pipedrive/persons",
            shown_in: "fields",
            fields: &[("name", "name"), ("email", "email"), ("phone", "phone"), ("last_call", LAST_CALL)],
            needs: &[],
        },
    }
}

/// How many people the CRM shows in one call at most.
pub(crate) fn page(crm: Crm) -> usize {
    match crm {
        Crm::HubSpot => 100,
        Crm::Zoho => 200,
        Crm::Salesforce => 2000,
        Crm::Pipedrive => 500,
    }
}

/// The code that Pipedrive gave the field "Last call".
const LAST_CALL: &str = "b2c3d4e5f60718293a4b5c6d7e8f900112233445";

/// What a field is called in a CRM's own error and fault settings.
pub(crate) fn field(crm: Crm, hub: &str) -> &'static str {
    face(crm).fields.iter().find(|(name, _)| *name == hub).unwrap().1
}

/// Somebody, as a CRM shows them.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    fields: BTreeMap<&'static str, String>,
}

impl Person {
    pub(crate) fn get(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }

    /// The whole name.
    pub(crate) fn name(&self) -> String {
        let parts = ["first_name", "last_name", "name"].map(|part| self.get(part));
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

impl World {
    /// Everybody whom a CRM shows, in the order of their mailboxes.
    pub(crate) async fn people(&self, crm: Crm) -> Vec<Person> {
        let face = face(crm);
        let shown = self.shown(face.route).await;
        let mut people: Vec<Person> = shown.as_array().unwrap().iter().map(|one| person(&face, one)).collect();
        people.sort_by(|a, b| a.get("email").cmp(b.get("email")));
        people
    }

    /// The only person whom a CRM shows.
    pub(crate) async fn only(&self, crm: Crm) -> Person {
        let mut people = self.people(crm).await;
        assert_eq!(people.len(), 1, "{crm}: {people:?}");
        people.remove(0)
    }

    /// A user of the CRM changes somebody.
    pub(crate) async fn edit(&self, crm: Crm, id: &str, fields: &[(&str, &str)]) {
        self.sim(face(crm).route, &json!({"id": id, "fields": spelt(crm, fields)})).await;
    }

    /// As [`World::edit`], but the webhook is lost.
    pub(crate) async fn edit_silently(&self, crm: Crm, id: &str, fields: &[(&str, &str)]) {
        self.sim(face(crm).route, &json!({"id": id, "fields": spelt(crm, fields), "silent": true})).await;
    }

    /// Users of the CRM type people in; no webhook tells of them.
    pub(crate) async fn type_in(&self, crm: Crm, people: &[Vec<(&str, &str)>]) {
        let face = face(crm);
        let edits = people.iter().map(|fields| {
            let mut fields = spelt(crm, fields);
            let needs = face.needs.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
            fields.extend(needs);
            json!({"fields": fields, "silent": true})
        });
        self.sim(face.route, &edits.collect()).await;
    }

    pub(crate) async fn delete(&self, crm: Crm, id: &str) {
        self.sim(face(crm).route, &json!({"id": id, "delete": true})).await;
    }

    pub(crate) async fn delete_silently(&self, crm: Crm, id: &str) {
        self.sim(face(crm).route, &json!({"id": id, "delete": true, "silent": true})).await;
    }

    /// A user of the CRM takes somebody out of the recycle bin.
    pub(crate) async fn restore(&self, crm: Crm, id: &str) {
        self.sim(face(crm).route, &json!({"id": id, "restore": true})).await;
    }

    /// Calls to a CRM since they were last asked for, those for tokens apart.
    pub(crate) async fn calls(&self, crm: Crm) -> BTreeMap<String, u64> {
        let calls = self.shown("calls?reset=1").await[crm.name()].clone();
        let calls: BTreeMap<String, u64> = serde_json::from_value(calls).unwrap();
        calls.into_iter().filter(|(route, _)| !route.contains("oauth")).collect()
    }
}

fn person(face: &Face, one: &Json) -> Person {
    let shown = &one[face.shown_in];
    let text = |name: &str| {
        let list = shown[format!("{name}s")].as_array();
        let primary = list.and_then(|list| list.iter().find(|entry| entry["primary"] == true));
        let value = primary.map_or(&shown[name], |entry| &entry["value"]);
        let value = if value.is_null() { &shown["custom_fields"][name] } else { value };
        value.as_str().unwrap_or_default().to_owned()
    };
    let fields = face.fields.iter().map(|(hub, name)| (*hub, text(name))).collect();
    Person { id: one["id"].as_str().unwrap().to_owned(), fields }
}

/// Fields as the CRM's screens take them. Pipedrive's take one name.
fn spelt(crm: Crm, fields: &[(&str, &str)]) -> Map<String, Json> {
    let is_part = |hub: &str| crm == Crm::Pipedrive && ["first_name", "last_name"].contains(&hub);
    let (parts, others): (Vec<&(&str, &str)>, Vec<_>) = fields.iter().partition(|(hub, _)| is_part(hub));
    let mut spelt: Map<String, Json> =
        others.into_iter().map(|(hub, value)| (field(crm, hub).to_owned(), json!(value))).collect();
    if crm == Crm::Pipedrive {
        if !parts.is_empty() {
            let name: Vec<&str> = parts.into_iter().map(|(_, value)| *value).collect();
            spelt.insert("name".to_owned(), json!(name.join(" ")));
        }
        if let Some(call) = spelt.remove(LAST_CALL) {
            spelt.insert("custom_fields".to_owned(), json!({LAST_CALL: call}));
        }
    }
    spelt
}

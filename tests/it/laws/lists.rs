//! Who is on a CRM's own list is a field.

use crate::{
    engine::{ada, codes, hub},
    mappings::{activate, remap, rules_of, tried},
    story::request,
    world::{World, connection, tenant},
};
use serde_json::{Value as Json, json};
use shared::{
    mapping::{Direction, Rule},
    provider::Crm,
    record::{Object, Value},
    remap::Rules,
};

crate::laws::laws_of! {
    who_joins_a_list_is_known_to_and_who_leaves_it
    a_list_that_cannot_be_read_or_written_says_so
    what_is_put_on_a_list_is_on_it_where_that_can_be
    who_becomes_a_hot_lead_joins_the_list_once
}

const MAILBOX: &str = "ada@example.com";

/// A list of the CRM's, as a user makes it: of whom it says so, or one that is kept by hand.
async fn list(world: &World, crm: Crm, with: Json) -> String {
    let object = crm.default_mapping(&Object::Person).unwrap().object;
    let mut wish = json!({"crm": crm.name(), "object": object});
    wish.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    world.sim("lists", &wish).await["id"].as_str().unwrap().to_owned()
}

/// The connection's own rules, and one about a list.
async fn rules(world: &World, crm: Crm, list: &str, direction: Direction) -> Rules {
    let mut rules = rules_of(world.stored(crm).await.mapping(&Object::Person).unwrap());
    rules.rules.push(Rule { direction, ..Rule::both("is_vip", &format!("list:{list}")) });
    rules
}

async fn vip(world: &World) -> Option<Value> {
    hub(world, MAILBOX).await.fields.get("is_vip").cloned()
}

async fn after_an_hour(world: &World) {
    world.wait(jiff::SignedDuration::from_mins(61)).await;
    world.tick().await;
    world.settle().await;
}

/// Nobody tells it, so it is known within the hour; and it costs nothing where nobody moved.
async fn who_joins_a_list_is_known_to_and_who_leaves_it(crm: Crm) {
    let world = World::of(&[crm]).await;
    world.settle().await;
    let list = list(&world, crm, json!({"field": crate::face::field(crm, "last_call"), "value": "vip"})).await;
    remap(&world, crm, &Object::Person, rules(&world, crm, &list, Direction::FromCrm).await).await;
    activate(&world, crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert_eq!(vip(&world).await, None);
    let id = world.only(crm).await.id;
    for (said, is_on) in [("vip", true), ("no", false), ("vip", true)] {
        world.edit(crm, &id, &[("last_call", said)]).await;
        after_an_hour(&world).await;
        assert_eq!(vip(&world).await, Some(Value::Flag(is_on)));
        let before = hub(&world, MAILBOX).await.version;
        after_an_hour(&world).await;
        assert_eq!(hub(&world, MAILBOX).await.version, before);
    }
    assert!(codes(&world).await.is_empty());
}

async fn a_list_that_cannot_be_read_or_written_says_so(crm: Crm) {
    let world = World::of(&[crm]).await;
    world.settle().await;
    let dynamic = list(&world, crm, json!({"field": crate::face::field(crm, "last_call"), "value": "vip"})).await;
    let wrong = tried(&world, crm, &Object::Person, rules(&world, crm, &dynamic, Direction::Both).await).await;
    assert!(wrong.len() == 1 && wrong[0].contains("make its direction from_crm"), "{wrong:?}");
    let nobodys = rules(&world, crm, "99999", Direction::FromCrm).await;
    let wrong = tried(&world, crm, &Object::Person, nobodys).await;
    if wrong.is_empty() {
        activate(&world, crm).await;
        after_an_hour(&world).await;
        assert_eq!(codes(&world).await, ["list_unread"]);
    } else {
        assert!(wrong[0].contains("has no field list:99999"), "{wrong:?}");
    }
}

/// The hub's word puts people on a list and takes them off it, and so does a user of the CRM.
async fn what_is_put_on_a_list_is_on_it_where_that_can_be(crm: Crm) {
    let world = World::of(&[crm]).await;
    world.settle().await;
    let Some(list) = kept_by_hand(&world, crm).await else { return };
    remap(&world, crm, &Object::Person, rules(&world, crm, &list, Direction::Both).await).await;
    activate(&world, crm).await;
    let told = |id: &str, is_vip: bool| {
        request(id, json!({"id": "lead-7", "email": MAILBOX, "last_name": "Byron", "is_vip": is_vip}))
    };
    for (request, is_on) in [("r1", true), ("r2", false), ("r3", true)] {
        world.send(&[told(request, is_on)]).await;
        world.settle().await;
        assert_eq!(members(&world, crm, &list).await.len(), usize::from(is_on), "{request}");
        after_an_hour(&world).await;
        assert_eq!(vip(&world).await, Some(Value::Flag(is_on)), "{request}");
    }
    let id = world.only(crm).await.id;
    for is_on in [false, true] {
        move_(&world, crm, &list, &id, is_on).await;
        after_an_hour(&world).await;
        assert_eq!(vip(&world).await, Some(Value::Flag(is_on)), "a user's");
    }
    assert!(codes(&world).await.is_empty());
    let link = hub(&world, MAILBOX).await.links[&connection(crm)].clone();
    assert!(link.awaiting.is_empty() && link.agreed.contains_key(&format!("list:{list}")), "{}", tenant());
}

/// As in `add_to_segment`: the score crosses a line, and the list has one more. What is told twice is done once.
async fn who_becomes_a_hot_lead_joins_the_list_once(crm: Crm) {
    let mut world = World::of(&[crm]).await;
    world.settle().await;
    let Some(list) = kept_by_hand(&world, crm).await else { return };
    remap(&world, crm, &Object::Person, rules(&world, crm, &list, Direction::ToCrm).await).await;
    activate(&world, crm).await;
    let hot = json!([{"name": "hot", "when": "lead_score >= 75", "set": {"is_vip": "true"}}]);
    world.app.store.set_triggers(&tenant(), &serde_json::from_value(hot).unwrap()).await.unwrap();
    world.chaos.twice = true;
    for (n, on_it) in [(1, 0), (2, 0), (3, 1), (4, 1)] {
        let mut asked = ada(&format!("r{n}"));
        asked["events"] = json!([{"id": format!("e{n}"), "type": "cta_clicked", "at": "2026-11-21T08:59:00Z"}]);
        world.send(&[asked]).await;
        world.settle().await;
        assert_eq!(members(&world, crm, &list).await.len(), on_it, "{n} clicks of 30 points");
    }
    assert!(codes(&world).await.is_empty());
}

/// A list whose members people choose, where the CRM has such.
async fn kept_by_hand(world: &World, crm: Crm) -> Option<String> {
    match crm {
        Crm::HubSpot => Some(list(world, crm, json!({"manual": true})).await),
        Crm::Salesforce => {
            let made = world.sim("salesforce/Campaign", &json!({"fields": {"Name": "Very important"}})).await;
            Some(made["id"].as_str().unwrap().to_owned())
        }
        Crm::Zoho | Crm::Pipedrive => None,
    }
}

/// Those who are on a list.
async fn members(world: &World, crm: Crm, list: &str) -> Vec<Json> {
    match crm {
        Crm::Salesforce => world.shown("salesforce/CampaignMember").await.as_array().unwrap().clone(),
        _ => world.sim("lists/members", &json!({"list": list})).await.as_array().unwrap().clone(),
    }
}

/// A user of the CRM puts somebody on a list, or takes them off.
async fn move_(world: &World, crm: Crm, list: &str, id: &str, is_on: bool) {
    let verb = if is_on { "add" } else { "remove" };
    match crm {
        Crm::Salesforce if is_on => {
            let member = json!({"fields": {"CampaignId": list, "LeadId": id}});
            world.sim("salesforce/CampaignMember", &member).await;
        }
        Crm::Salesforce => {
            for member in members(world, crm, list).await {
                world.sim("salesforce/CampaignMember", &json!({"id": member["id"], "delete": true})).await;
            }
        }
        _ => drop(world.sim("lists/members", &json!({"list": list, verb: [id]})).await),
    }
}

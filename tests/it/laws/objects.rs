//! Companies and deals, and which belongs to which.

use super::peer;
use crate::{
    card::{of_vehicles, vehicles, won_and_lost},
    engine::codes,
    story::request,
    world::{World, connection, tenant},
};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use shared::{
    connection::State,
    planner::{Deletes, Policy, Strategy},
    provider::{Crm, Restores},
    record::{Key, Object, Record},
};

crate::laws::laws_of! {
    a_company_is_made_once_and_its_edit_comes_back
    a_company_that_is_there_is_found
    a_deal_stands_with_its_company
    a_deal_waits_for_its_company
    where_a_deal_leads_to_is_told_in_the_hubs_own_names
    another_company_chosen_in_the_crm_is_chosen_elsewhere
    a_stage_is_told_in_each_crms_own_words
    what_happens_to_a_company_unheard_is_pulled
    an_object_of_the_customers_own_is_kept_in_step_once_it_is_mapped
    rules_that_change_are_met_anew
    what_is_computed_is_sent_and_never_read
    a_company_that_is_no_more_stops_nobody_else
    a_company_that_is_made_again_has_its_deals
    a_deal_of_a_company_is_deleted_elsewhere_too_where_that_is_the_policy
}

const COMPANY: Object = Object::Company;
const DEAL: Object = Object::Deal;

async fn tenant_of(crm: Crm) -> World {
    let world = World::of_objects(&[crm, peer(crm)], &[COMPANY, Object::Person, DEAL]).await;
    world.settle().await;
    world
}

fn asked(id: &str, object: &Object, record: Json) -> Json {
    let mut asked = request(id, record);
    asked["object"] = json!(object.as_str());
    asked
}

fn analytical() -> Json {
    asked("c1", &COMPANY, json!({"id": "acc-1", "name": "Analytical Ltd", "domain": "analytical.example"}))
}

fn engine() -> Json {
    let deal = json!({"id": "deal-1", "name": "An engine", "amount": 1200, "close_date": "2026-12-01", "stage": "open", "company_id": "acc-1"});
    asked("d1", &DEAL, deal)
}

async fn hub(world: &World, object: &Object, id: &str) -> Record {
    let key = Key::Own(id.to_owned());
    let holders = world.app.store.holders(&tenant(), object, std::slice::from_ref(&key)).await.unwrap();
    world.app.store.record(&tenant(), &holders[&key][0]).await.unwrap().unwrap()
}

async fn a_company_is_made_once_and_its_edit_comes_back(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[analytical(), analytical()]).await;
    world.settle().await;
    assert!(codes(&world).await.is_empty());
    let (here, there) = (world.card(crm, &COMPANY).await, world.card(peer(crm), &COMPANY).await);
    assert_eq!((here.get("name"), there.get("name")), ("Analytical Ltd", "Analytical Ltd"));
    world.fill_in(crm, &COMPANY, Some(&here.id), &[("name", "Analytical Engines Ltd")], false).await;
    world.settle().await;
    assert_eq!(world.card(peer(crm), &COMPANY).await.get("name"), "Analytical Engines Ltd");
    assert!(world.people(crm).await.is_empty(), "a company is nobody");
}

async fn a_company_that_is_there_is_found(crm: Crm) {
    let world = tenant_of(crm).await;
    let typed = [("name", "Analytical Ltd"), ("domain", "https://www.analytical.example/about")];
    world.fill_in(crm, &COMPANY, None, &typed, true).await;
    world.send(&[analytical()]).await;
    world.settle().await;
    let found = world.card(crm, &COMPANY).await;
    let link = hub(&world, &COMPANY, "acc-1").await.links[&connection(crm)].clone();
    assert_eq!(link.remote.unwrap().as_str(), found.id);
}

async fn a_deal_stands_with_its_company(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[engine(), analytical()]).await;
    world.settle().await;
    for crm in [crm, peer(crm)] {
        let (deal, company) = (world.card(crm, &DEAL).await, world.card(crm, &COMPANY).await);
        assert_eq!((deal.get("name"), deal.get("company_id")), ("An engine", company.id.as_str()), "{crm}");
        assert_eq!(deal.get("amount").trim_end_matches(".0"), "1200", "{crm}");
        assert!(deal.get("close_date").starts_with("2026-12-01"), "{crm}: {deal:?}");
    }
    assert!(codes(&world).await.is_empty());
}

async fn a_deal_waits_for_its_company(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[engine()]).await;
    world.settle().await;
    assert_eq!(world.card(crm, &DEAL).await.get("company_id"), "");
    world.send(&[analytical()]).await;
    world.settle().await;
    let company = world.card(crm, &COMPANY).await;
    assert_eq!(world.card(crm, &DEAL).await.get("company_id"), company.id);
}

/// A request's own value for the CRM's field would wait for a company of that name for ever.
async fn where_a_deal_leads_to_is_told_in_the_hubs_own_names(crm: Crm) {
    let world = tenant_of(crm).await;
    let connected = world.stored(crm).await;
    let field = connected.mappings[&DEAL].remote_of("company_id").unwrap();
    let mut asked = engine();
    (asked["connection_id"], asked["sync_fields"]) = (json!(connected.id), json!({field: "4711"}));
    world.send(&[analytical(), asked]).await;
    world.settle().await;
    assert_eq!(codes(&world).await, ["unknown_field"]);
    assert_eq!(world.card(crm, &DEAL).await.get("company_id"), world.card(crm, &COMPANY).await.id);
}

async fn another_company_chosen_in_the_crm_is_chosen_elsewhere(crm: Crm) {
    let world = tenant_of(crm).await;
    let other = asked("c2", &COMPANY, json!({"id": "acc-2", "name": "Difference Ltd", "domain": "difference.example"}));
    world.send(&[analytical(), other, engine()]).await;
    world.settle().await;
    let deal = world.card(crm, &DEAL).await;
    let named = |crm: Crm| {
        let world = &world;
        async move {
            let companies = world.cards(crm, &COMPANY).await;
            companies.into_iter().find(|company| company.get("name") == "Difference Ltd").unwrap().id
        }
    };
    world.fill_in(crm, &DEAL, Some(&deal.id), &[("company_id", &named(crm).await)], false).await;
    world.settle().await;
    assert_eq!(world.card(peer(crm), &DEAL).await.get("company_id"), named(peer(crm)).await);
    assert_eq!(hub(&world, &DEAL, "deal-1").await.fields.get("company_id").unwrap().to_string(), "acc-2");
}

async fn a_stage_is_told_in_each_crms_own_words(crm: Crm) {
    let world = tenant_of(crm).await;
    let mut won = engine();
    won["lead"]["stage"] = json!("won");
    world.send(&[won]).await;
    world.settle().await;
    let (here, there) = (won_and_lost(crm), won_and_lost(peer(crm)));
    let deal = world.card(crm, &DEAL).await;
    assert_eq!((deal.get("stage"), world.card(peer(crm), &DEAL).await.get("stage")), (here.0, there.0));
    world.fill_in(crm, &DEAL, Some(&deal.id), &[("stage", here.1)], false).await;
    world.settle().await;
    assert_eq!(world.card(peer(crm), &DEAL).await.get("stage"), there.1);
    let mut between = engine();
    (between["id"], between["lead"]["stage"]) = (json!("d9"), json!("negotiation"));
    between["occurred_at"] = json!(world.now());
    world.send(&[between]).await;
    world.settle().await;
    let kept = (world.card(crm, &DEAL).await, world.card(peer(crm), &DEAL).await);
    assert_eq!((kept.0.get("stage"), kept.1.get("stage")), (here.1, there.1), "for which neither has a word");
}

async fn what_happens_to_a_company_unheard_is_pulled(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[analytical()]).await;
    world.settle().await;
    world.wait(SignedDuration::from_secs(5)).await;
    let id = world.card(crm, &COMPANY).await.id;
    world.fill_in(crm, &COMPANY, Some(&id), &[("name", "Quiet Ltd")], true).await;
    world.wait(SignedDuration::from_mins(6)).await;
    world.tick().await;
    world.settle().await;
    assert_eq!(world.card(peer(crm), &COMPANY).await.get("name"), "Quiet Ltd");
}

/// Gives vehicles other rules; nothing is written before they are approved.
async fn remap_vehicles(world: &World, crm: Crm, rules: Json) {
    let (object, id_field) = vehicles(crm).unwrap();
    let rules = serde_json::from_value(json!({"object": object, "id_field": id_field, "rules": rules})).unwrap();
    let (stored, vehicle) = (world.stored(crm).await, Object::Custom("vehicle".to_owned()));
    let origin = world.app.settings.public_url.as_deref().unwrap();
    let opened = world.app.remap(&world.cx("remap"), &stored, &vehicle, rules, origin).await.unwrap().unwrap();
    assert_eq!(opened.connection.state, State::Joining, "{crm}");
}

/// It is mapped by its names, joins, and is written once that is approved.
async fn an_object_of_the_customers_own_is_kept_in_step_once_it_is_mapped(crm: Crm) {
    let Some(_) = vehicles(crm) else { return };
    let vehicle = Object::Custom("vehicle".to_owned());
    let world = World::of(&[crm, peer(crm)]).await;
    world.settle().await;
    world.fill_in(crm, &vehicle, None, &[("name", "Typed"), ("plate", "TY 1")], true).await;
    for crm in [crm, peer(crm)] {
        let rule = |hub: &str| json!({"hub": hub, "remote": of_vehicles(crm, hub)});
        remap_vehicles(&world, crm, json!([rule("name"), rule("plate")])).await;
    }
    world.send(&[asked("v1", &vehicle, json!({"id": "v-1", "name": "Analytical", "plate": "AE 1"}))]).await;
    world.settle().await;
    assert_eq!(world.cards(crm, &vehicle).await.len(), 1, "nothing is written before it is approved");
    for crm in [crm, peer(crm)] {
        world.app.activate(&world.cx("approve"), &tenant(), &connection(crm)).await.unwrap();
    }
    world.settle().await;
    let plates = async |crm: Crm| {
        let cards = world.cards(crm, &vehicle).await;
        let mut plates: Vec<String> = cards.iter().map(|card| card.get("plate").to_owned()).collect();
        plates.sort();
        plates
    };
    assert_eq!(plates(crm).await, ["AE 1", "TY 1"]);
    assert_eq!(plates(peer(crm)).await, ["AE 1", "TY 1"]);
    let typed = world.cards(crm, &vehicle).await.into_iter().find(|card| card.get("plate") == "TY 1").unwrap();
    world.fill_in(crm, &vehicle, Some(&typed.id), &[("plate", "TY 2")], false).await;
    world.settle().await;
    assert_eq!(plates(peer(crm)).await, ["AE 1", "TY 2"]);
    assert!(codes(&world).await.is_empty());
}

/// A value without a word in the table of values is read once there is one, though nobody has edited it since.
async fn rules_that_change_are_met_anew(crm: Crm) {
    let Some(_) = vehicles(crm) else { return };
    let vehicle = Object::Custom("vehicle".to_owned());
    let world = World::of(&[crm, peer(crm)]).await;
    world.settle().await;
    world.fill_in(crm, &vehicle, None, &[("name", "Typed"), ("plate", "TY 1")], true).await;
    let plates = async |world: &World| {
        let cards = world.cards(peer(crm), &vehicle).await;
        cards.iter().map(|card| card.get("plate").to_owned()).collect::<Vec<String>>()
    };
    let rule =
        |crm: Crm, hub: &str, values: Json| json!({"hub": hub, "remote": of_vehicles(crm, hub), "values": values});
    let (name, none) = (|crm: Crm| rule(crm, "name", json!({})), json!({}));
    remap_vehicles(&world, peer(crm), json!([name(peer(crm)), rule(peer(crm), "plate", none)])).await;
    for (values, expected) in [(json!({"first": "AE 1"}), ""), (json!({"first": "AE 1", "second": "TY 1"}), "second")] {
        remap_vehicles(&world, crm, json!([name(crm), rule(crm, "plate", values)])).await;
        world.settle().await;
        for crm in [crm, peer(crm)] {
            world.app.activate(&world.cx("approve"), &tenant(), &connection(crm)).await.unwrap();
        }
        world.settle().await;
        assert_eq!(plates(&world).await, [expected]);
        world.wait(SignedDuration::from_mins(6)).await;
    }
    assert_eq!(world.cards(crm, &vehicle).await[0].get("plate"), "TY 1");
    // What is made by the new rules has never met the old ones.
    let policy = Policy { conflicts: Strategy::LocalWins, ..Policy::default() };
    world.app.set_policy(&tenant(), &connection(crm), policy).await.unwrap();
    world.send(&[asked("v2", &vehicle, json!({"id": "v-2", "name": "Later", "plate": "first"}))]).await;
    world.settle().await;
    let later = world.cards(crm, &vehicle).await.into_iter().find(|card| card.get("name") == "Later").unwrap();
    assert_eq!(later.get("plate"), "AE 1");
    world.fill_in(crm, &vehicle, Some(&later.id), &[("plate", "TY 1")], false).await;
    world.settle().await;
    assert_eq!(plates(&world).await, ["second", "second"], "an edit that nobody contests");
    assert!(codes(&world).await.is_empty());
}

async fn what_is_computed_is_sent_and_never_read(crm: Crm) {
    let Some(_) = vehicles(crm) else { return };
    let vehicle = Object::Custom("vehicle".to_owned());
    let world = World::of(&[crm]).await;
    world.settle().await;
    let (name, plate) = (of_vehicles(crm, "name"), of_vehicles(crm, "plate"));
    let formula = r#""car" if wheels >= 4 else "cycle""#;
    let kind = json!({"hub": "kind", "remote": plate, "direction": "to_crm", "formula": formula});
    let rules =
        json!([{"hub": "label", "remote": name, "direction": "to_crm", "formula": "{{maker}} {{model}}"}, kind]);
    remap_vehicles(&world, crm, rules).await;
    world.app.activate(&world.cx("approve"), &tenant(), &connection(crm)).await.unwrap();
    let told = |id: &str, wheels: u8| {
        asked(id, &vehicle, json!({"id": "v-1", "maker": "Babbage", "model": "No. 2", "wheels": wheels}))
    };
    for (id, wheels, kind) in [("v1", 4, "car"), ("v2", 2, "cycle")] {
        world.send(&[told(id, wheels)]).await;
        world.settle().await;
        let card = world.cards(crm, &vehicle).await.remove(0);
        assert_eq!((card.get("name"), card.get("plate")), ("Babbage No. 2", kind));
        world.fill_in(crm, &vehicle, Some(&card.id), &[("plate", "typed")], false).await;
        world.settle().await;
        assert_eq!(world.cards(crm, &vehicle).await[0].get("plate"), "typed", "until it is computed anew");
        assert_eq!(hub(&world, &vehicle, "v-1").await.fields.get("kind"), None);
    }
    assert!(codes(&world).await.is_empty());
}

/// Nobody heard that it was deleted. What leads to it is refused, and the rest goes on.
async fn a_company_that_is_no_more_stops_nobody_else(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[analytical()]).await;
    world.settle().await;
    world.remove(crm, &COMPANY, &world.card(crm, &COMPANY).await.id).await;
    let mut alone = engine();
    (alone["id"], alone["lead"]["id"]) = (json!("d2"), json!("deal-2"));
    (alone["lead"]["name"], alone["lead"]["company_id"]) = (json!("Another"), Json::Null);
    world.send(&[engine(), alone]).await;
    world.settle().await;
    assert_eq!(world.stored(crm).await.state, State::Active);
    assert!(world.cards(crm, &DEAL).await.iter().any(|deal| deal.get("name") == "Another"));
    assert_eq!(world.cards(peer(crm), &DEAL).await.len(), 2);
    assert_eq!(codes(&world).await, ["refused_by_crm"]);
}

/// The CRM forgot which deals the deleted one had.
async fn a_company_that_is_made_again_has_its_deals(crm: Crm) {
    let Restores::Anew = crm.capabilities().restores else { return };
    let world = tenant_of(crm).await;
    world.send(&[analytical(), engine()]).await;
    world.settle().await;
    let policy = Policy { deletes: Deletes::Restore, ..Policy::default() };
    world.app.set_policy(&tenant(), &connection(crm), policy).await.unwrap();
    let before = world.card(crm, &COMPANY).await;
    world.delete_card(crm, &COMPANY, &before.id).await;
    world.settle().await;
    world.wait(SignedDuration::from_mins(90)).await;
    world.tick().await;
    world.settle().await;
    let after = world.card(crm, &COMPANY).await;
    assert_ne!(after.id, before.id);
    assert_eq!(world.card(crm, &DEAL).await.get("company_id"), after.id);
    assert_eq!(world.card(peer(crm), &DEAL).await.get("company_id"), world.card(peer(crm), &COMPANY).await.id);
    assert!(codes(&world).await.is_empty());
}

/// What the other CRM shows of the company it belongs to is no edit.
async fn a_deal_of_a_company_is_deleted_elsewhere_too_where_that_is_the_policy(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[analytical(), engine()]).await;
    world.settle().await;
    let policy = Policy { deletes: Deletes::Propagate, ..Policy::default() };
    world.app.set_policy(&tenant(), &connection(crm), policy).await.unwrap();
    let deal = world.card(crm, &DEAL).await;
    world.delete_card(crm, &DEAL, &deal.id).await;
    world.settle().await;
    world.wait(SignedDuration::from_mins(90)).await;
    world.tick().await;
    world.settle().await;
    assert!(world.cards(peer(crm), &DEAL).await.is_empty());
    assert_eq!(world.cards(peer(crm), &COMPANY).await.len(), 1);
    assert!(codes(&world).await.is_empty());
}

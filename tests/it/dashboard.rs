//! The dashboard: who gets in, what is shown, and that what is pressed is done.

use crate::{
    browser::Browser,
    engine::{ada, codes, hub},
    stage::screens,
    story::request,
    visitor::Visitor,
    world::{World, connection, tenant},
};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use shared::{
    connection::{Connection, Hold, Mode, State},
    planner::{Mass, Policy},
    provider::Crm,
};

/// A tenant with two CRMs, and Ada in both.
pub(crate) async fn a_world() -> World {
    a_world_of(&[Crm::HubSpot, Crm::Zoho]).await
}

async fn a_world_of(crms: &[Crm]) -> World {
    let world = World::of(crms).await;
    world.settle().await;
    let mut asked = ada("r1");
    (asked["lead"]["phone"], asked["lead"]["last_call"]) = (json!("+14155550100"), json!("before"));
    world.send(&[asked]).await;
    world.settle().await;
    world
}

/// Both the hub and HubSpot change a field, and a person is asked.
pub(crate) async fn a_conflict(world: &World) {
    let manual: Policy = serde_json::from_value(json!({"conflicts": "manual"})).unwrap();
    world.app.set_policy(&tenant(), &connection(Crm::HubSpot), manual).await.unwrap();
    let people = world.people(Crm::HubSpot).await;
    let id = people.into_iter().find(|person| person.name() == "Ada Byron").unwrap().id;
    world.edit_silently(Crm::HubSpot, &id, &[("last_call", "theirs <b>loud</b>")]).await;
    let mut asked = ada("r2");
    (asked["occurred_at"], asked["lead"]["last_call"]) = (json!("2026-11-21T10:00:00Z"), json!("ours"));
    world.send(&[asked]).await;
    world.settle().await;
}

/// A request names a connection that there is not.
pub(crate) async fn a_failure(world: &World, id: &str, connection: &str) {
    let mut asked = ada(id);
    asked["connection_id"] = json!(connection);
    world.send(&[asked]).await;
    world.settle().await;
}

#[tokio::test]
async fn a_person_logs_in_sees_their_tenant_and_logs_out() {
    let world = a_world().await;
    let mut vera = Visitor::new(&world);
    let sent = vera.get("/tenants/demo/exceptions").await;
    assert_eq!((sent.status, sent.to.as_deref()), (302, Some("/login?to=%2Ftenants%2Fdemo%2Fexceptions")));
    let issuer = vera.get(&sent.to.unwrap()).await.to.unwrap();
    assert!(issuer.contains("code_challenge_method=S256") && issuer.contains("nonce="), "{issuer}");
    let back = vera.says_who("vera").await;
    let in_at_last = vera.get(&back).await;
    assert_eq!(in_at_last.status, 303);
    let session = in_at_last.set.iter().find(|cookie| cookie.starts_with("crm_sync_session=")).unwrap();
    assert!(["; HttpOnly", "; SameSite=Lax", "; Path=/"].iter().all(|flag| session.contains(flag)), "{session}");
    let page = vera.open(&in_at_last.to.unwrap()).await;
    page.shows(&["Overview", "HubSpot", "Zoho CRM", "active", "Nothing waits for a person.", "viewer"]);
    assert!(page.policy.contains("default-src 'none'") && !page.policy.contains("unsafe"), "{}", page.policy);
    assert!(!page.text.contains("style=") && !page.text.contains("<script>"), "{}", page.text);
    assert!(page.text.len() < 50_000, "{}", page.text.len());
    let kept = vera.cookies.clone();
    vera.press("Log out", &[]).await.shows(&["Your session has ended"]);
    vera.cookies = kept;
    assert_eq!(vera.get("/tenants/demo").await.status, 302, "the session is gone, not only its cookie");
}

#[tokio::test]
async fn a_login_is_the_browsers_that_began_it() {
    let world = World::of(&[]).await;
    let mut attacker = Visitor::new(&world);
    let back = attacker.says_who("ada").await;
    let mut victim = Visitor::new(&world);
    assert_eq!(victim.get(&back).await.status, 400, "a browser that never asked");
    victim.get("/login").await;
    assert_eq!(victim.get(&back).await.status, 400, "one that asked something else");
    let wrong = back.replace("state=", "state=0");
    let refused = attacker.get(&wrong).await;
    assert_eq!(refused.status, 400);
    refused.shows(&["Not logged in", "Log in once more"]);
    assert!(!attacker.cookies.contains_key("crm_sync_session"));
    let back = attacker.says_who("ada").await;
    let denied = back.replace("code=", "error=access_denied&code=");
    assert_eq!(attacker.get(&denied).await.status, 403);
    let back = attacker.says_who("ada").await;
    let kept = attacker.cookies.clone();
    assert_eq!(attacker.get(&back).await.status, 303);
    attacker.cookies = kept;
    assert_eq!(attacker.get(&back).await.status, 403, "a code is good once");
}

/// Tokens end, and with them what was begun by them.
#[tokio::test]
async fn a_session_ends_with_its_token() {
    let world = a_world().await;
    let mut oscar = Visitor::at_home(&world, "oscar").await;
    let pause = oscar.form("Pause HubSpot");
    world.wait(SignedDuration::from_mins(61)).await;
    assert_eq!(oscar.get("/tenants/demo").await.status, 302);
    let origin = oscar.origin().to_owned();
    let late = oscar.submit(&pause, Some(&origin)).await;
    assert_eq!(late.status, 401);
    late.shows(&["nothing was done"]);
    assert_eq!(world.stored(Crm::HubSpot).await.state, State::Active);
}

#[tokio::test]
async fn what_somebody_may_not_is_neither_shown_nor_done() {
    let world = a_world().await;
    let mut oscar = Visitor::at_home(&world, "oscar").await;
    let pause = oscar.form("Pause HubSpot");
    let origin = oscar.origin().to_owned();
    let mut eve = Visitor::at_home(&world, "eve").await;
    for path in ["", "/exceptions", "/conflicts", "/records"] {
        let page = eve.open(&format!("/tenants/demo{path}")).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(!page.text.contains("HubSpot"), "{path}: {}", page.text);
    }
    let mut vera = Visitor::at_home(&world, "vera").await;
    assert_eq!(vera.page.forms().len(), 1, "she may log out: {:?}", vera.page.forms());
    for (visitor, status) in [(&mut eve, 404), (&mut vera, 403)] {
        let mut theirs = pause.clone();
        let home = visitor.open("/").await;
        theirs.fields.insert("form_token".to_owned(), home.forms()[0].fields["form_token"].clone());
        assert_eq!(visitor.submit(&theirs, Some(&origin)).await.status, status);
    }
    let mut without = pause.clone();
    without.fields.remove("form_token");
    let mut anothers = pause.clone();
    anothers.fields.insert("form_token".to_owned(), vera.form("Log out").fields["form_token"].clone());
    for (form, from) in [
        (&without, Some(origin.as_str())),
        (&anothers, Some(&origin)),
        (&pause, None),
        (&pause, Some("null")),
        (&pause, Some("https://evil.example")),
    ] {
        let refused = oscar.submit(form, from).await;
        assert_eq!(refused.status, 403, "{form:?} {from:?}");
        refused.shows(&["nothing was done"]);
    }
    assert_eq!(world.stored(Crm::HubSpot).await.state, State::Active);
    assert_eq!(oscar.submit(&pause, Some(&origin)).await.status, 303, "and so it is done");
    let mut root = Visitor::at_home(&world, "root").await;
    root.page.shows(&["Tenants", "/tenants/demo"]);
    root.open("/tenants/demo").await.shows(&["HubSpot", "paused"]);
}

#[tokio::test]
async fn a_connection_is_synced_paused_and_goes_on_and_everything_stops() {
    let world = a_world().await;
    let mut oscar = Visitor::at_home(&world, "oscar").await;
    let id = world.only(Crm::HubSpot).await.id;
    world.wait(SignedDuration::from_secs(5)).await;
    world.edit_silently(Crm::HubSpot, &id, &[("last_call", "edited")]).await;
    world.wait(SignedDuration::from_secs(30)).await;
    oscar.press("Sync now", &[]).await.shows(&["It is read and written now"]);
    world.settle().await;
    let said = hub(&world, "ada@example.com").await.fields.said("last_call").unwrap().value.unwrap();
    assert_eq!(said.to_string(), "edited");
    world.wait(SignedDuration::from_secs(5)).await;
    world.edit_silently(Crm::HubSpot, &id, &[("last_call", "once more")]).await;
    world.wait(SignedDuration::from_secs(30)).await;
    oscar.open(&format!("/tenants/demo/records/{}", hub(&world, "ada@example.com").await.id)).await;
    oscar.press("Sync this record now", &[]).await.shows(&["It is read and written now", "<h1>Ada Byron</h1>"]);
    world.settle().await;
    oscar.open(&oscar.form("Log out").fields["back"].clone()).await.shows(&["once more"]);
    oscar.open("/").await;
    oscar.press("Pause HubSpot", &[("reason", "an <audit>")]).await.shows(&["It is paused", "an &lt;audit&gt;"]);
    assert!(!oscar.page.text.contains("Go on"), "that takes an admin");
    let mut admin = Visitor::at_home(&world, "ada").await;
    admin.press("Go on", &[]).await.shows(&["It goes on"]);
    assert_eq!(world.stored(Crm::HubSpot).await.state, State::Active);
    let hold = Hold { since: world.now(), mass: Mass::Writes };
    let held = |stored: &Connection| Ok(Some(Connection { held: Some(hold.clone()), ..stored.clone() }));
    world.app.store.revise(&tenant(), &connection(Crm::HubSpot), held).await.unwrap();
    oscar.open("/").await.shows(&["holds back", "it may be a mistake"]);
    assert!(!oscar.page.text.contains("Let it be written"), "that takes an admin");
    admin.open("/").await;
    admin.press("Let it be written", &[]).await.shows(&["What it held back is written"]);
    assert_eq!(world.stored(Crm::HubSpot).await.held, None);
    oscar.press("Stop everything", &[("reason", "an incident")]).await.shows(&["Everything is stopped", "an incident"]);
    assert!(world.stored(Crm::HubSpot).await.settings.stopped.is_some());
    admin.open("/").await;
    admin.press("Let it go on", &[]).await.shows(&["It goes on with 2 connections"]);
    assert!(world.stored(Crm::HubSpot).await.settings.stopped.is_none());
    let told = "/tenants/demo?did=stop&done=1&left=0&mark=0123456789abcdef";
    assert!(!admin.open(told).await.text.contains("Everything is stopped"), "a link of somebody's says nothing");
    world.app.stop(&world.cx("stop"), None, "for all").await.unwrap();
    admin.open("/").await.shows(&["for all"]);
}

#[tokio::test]
async fn what_waits_is_explained_tried_again_and_dismissed() {
    let world = a_world().await;
    for id in ["r2", "r3", "r4"] {
        a_failure(&world, id, "salesforce").await;
    }
    let mut oscar = Visitor::at_home(&world, "oscar").await;
    oscar.page.shows(&["waiting for a person"]);
    let page = oscar.open("/tenants/demo/exceptions").await;
    page.shows(&["Unknown connection", "Name a connection of this tenant", "Try all 3 again"]);
    oscar.open("/tenants/demo/exceptions?connection=zoho").await.shows(&["Nothing of that waits"]);
    oscar.open("/tenants/demo/exceptions?code=unknown_connection").await;
    oscar.press("Dismiss", &[]).await.shows(&["somebody has seen to it", "Try all 2 again"]);
    oscar.press("Try again", &[]).await.shows(&["It is tried once more"]);
    world.settle().await;
    world.account(Crm::Salesforce).await;
    world.connect(Crm::Salesforce).await;
    oscar.open("/tenants/demo/exceptions").await;
    oscar.press("Try all 2 again", &[]).await.shows(&["2 are tried once more", "Nothing waits for a person"]);
    world.settle().await;
    assert_eq!(world.only(Crm::Salesforce).await.name(), "Ada Byron");
    oscar.open("/tenants/demo/exceptions?state=resolved").await.shows(&["Seen to", "Unknown connection"]);
}

#[tokio::test]
async fn a_conflict_shows_both_sides_and_ends_by_a_choice() {
    let world = a_world().await;
    let mut oscar = Visitor::at_home(&world, "oscar").await;
    oscar.open("/tenants/demo/conflicts").await.shows(&["Nobody disagrees"]);
    a_conflict(&world).await;
    oscar.open("/").await.shows(&["conflict"]);
    let page = oscar.open("/tenants/demo/conflicts").await;
    page.shows(&["Agreed before", "before", "Ours, in the hub", "ours", "theirs &lt;b&gt;loud&lt;/b&gt;"]);
    let mut vera = Visitor::at_home(&world, "vera").await;
    vera.open("/tenants/demo/conflicts").await.shows(&["takes the role operator"]);
    oscar.press("Keep ours", &[]).await.shows(&["It is decided", "Nobody disagrees"]);
    world.settle().await;
    let record = hub(&world, "ada@example.com").await.id;
    oscar
        .open(&format!("/tenants/demo/records/{record}"))
        .await
        .shows(&["A person, about HubSpot", " · asked for by person-oscar"]);
    assert_eq!(world.only(Crm::HubSpot).await.get("last_call"), "ours");
    oscar.open("/tenants/demo/exceptions?state=resolved").await;
    oscar.press("Take the other side", &[]).await.shows(&["The other side was taken"]);
    world.settle().await;
    assert_eq!(world.only(Crm::HubSpot).await.get("last_call"), "theirs <b>loud</b>");
}

#[tokio::test]
async fn a_record_is_found_by_anything_and_tells_all() {
    let world = a_world().await;
    let shouts = json!({"id": "lead-9", "email": "eve@example.com", "last_name": "<script>alert(1)</script>"});
    world.send(&[request("r9", shouts)]).await;
    world.settle().await;
    let mut vera = Visitor::at_home(&world, "vera").await;
    vera.open("/tenants/demo/records").await.shows(&["All there are", "Ada Byron", "&lt;script&gt;alert(1)"]);
    assert!(!vera.page.text.contains("<script>"));
    let record = hub(&world, "ada@example.com").await;
    let remote = record.links[&connection(Crm::Zoho)].remote.clone().unwrap();
    for q in ["ada@example.com", "+1 415 555 0100", "lead-7", remote.as_str(), record.id.as_str()] {
        vera.open("/tenants/demo/records").await;
        let page = vera.press("Find", &[("q", q), ("object", "person")]).await;
        page.shows(&[
            "<h1>Ada Byron</h1>",
            "+14155550100",
            "workflow, by a sync request",
            "succeeded",
            remote.as_str(),
        ]);
        assert!(page.text.len() < 50_000, "{}", page.text.len());
    }
    let at = format!("/tenants/demo/records/{}", record.id);
    vera.open(&format!("{at}?field=phone")).await.shows(&[
        "says that",
        "agreed",
        "It is written by crm, sms_platform, workflow alone",
    ]);
    for q in ["nobody@example.com", "<b>", "%"] {
        vera.open("/tenants/demo/records").await;
        vera.press("Find", &[("q", q), ("object", "person")]).await.shows(&["Nobody is known by that"]);
    }
    assert_eq!(vera.open("/tenants/demo/records/nobody").await.status, 404);
    vera.page.shows(&["Look at the address"]);
    let stored = world.stored(Crm::HubSpot).await;
    let paused = State::Paused { reason: "an audit".to_owned() };
    assert!(world.app.store.set_state(&stored, &paused).await.unwrap());
    let mut asked = ada("r3");
    (asked["occurred_at"], asked["lead"]["last_call"]) = (json!("2026-11-21T10:00:00Z"), json!("later"));
    world.send(&[asked]).await;
    world.settle().await;
    vera.open(&at).await.shows(&["It would be changed there", "later"]);
    assert!(codes(&world).await.is_empty());
}

/// One of a crowd.
fn somebody(n: usize) -> Json {
    let (first, last) = [("Grace", "Hopper"), ("Alan", "Turing"), ("Edsger", "Dijkstra"), ("Barbara", "Liskov")][n % 4];
    json!({"id": format!("lead-c{n}"), "email": format!("{first}.{n}@example.com").to_lowercase(), "first_name": first, "last_name": last, "company": "Analytical Ltd", "phone": format!("+1415555{:04}", 200 + n)})
}

/// In a real browser, with pictures of every page below `<target>/dev/screens`, for people to look at.
#[tokio::test]
async fn an_operator_settles_what_waits_in_a_browser() {
    let world = a_world_of(&Crm::ALL).await;
    let crowd: Vec<Json> = (1..9).map(|n| request(&format!("c{n}"), somebody(n))).collect();
    world.send(&crowd).await;
    world.settle().await;
    world.wait(SignedDuration::from_mins(6)).await;
    world.tick().await;
    world.settle().await;
    a_conflict(&world).await;
    for id in ["r3", "r4"] {
        a_failure(&world, id, "copper").await;
    }
    world.app.set_mode(&world.cx("mode"), &tenant(), &connection(Crm::Zoho), Mode::Hourly).await.unwrap();
    let dead = State::NeedsReauth { since: world.now() };
    let audited = State::Paused { reason: "an audit".to_owned() };
    for (crm, state) in [(Crm::Pipedrive, dead), (Crm::Salesforce, audited)] {
        assert!(world.app.store.set_state(&world.stored(crm).await, &state).await.unwrap());
    }
    let screens = screens();
    let (origin, browser) = (world.app.settings.public_url.clone().unwrap(), Browser::open("dashboard").await);
    let at = |path: &str| format!("{origin}/tenants/demo{path}");
    browser.goto(&at("/exceptions")).await;
    browser.pictures(&screens, "issuer", 900).await;
    browser.click("#oscar").await;
    // A heading is on the page before, too.
    browser.find(".filters").await;
    assert_eq!(browser.text("h1").await, "Waiting for a person", "they come back to where they were");
    browser.pictures(&screens, "exceptions", 900).await;
    browser.goto(&at("")).await;
    browser.pictures(&screens, "overview", 900).await;
    browser.goto(&at("/conflicts")).await;
    assert!(browser.text(".theirs .said").await.contains("theirs <b>loud</b>"));
    browser.pictures(&screens, "conflicts", 900).await;
    browser.click(".theirs button").await;
    assert!(browser.text(".notice").await.contains("It is decided"));
    browser.pictures(&screens, "decided", 900).await;
    world.settle().await;
    let ada = hub(&world, "ada@example.com").await;
    assert_eq!(ada.fields.said("last_call").unwrap().value.unwrap().to_string(), "theirs <b>loud</b>");
    let record = ada.id;
    browser.goto(&at(&format!("/records/{record}?field=last_call"))).await;
    browser.pictures(&screens, "record", 1600).await;
    browser.goto(&at("/records")).await;
    browser.pictures(&screens, "records", 900).await;
    browser.goto(&at("/records/nobody")).await;
    browser.pictures(&screens, "trouble", 900).await;
    browser.goto(&at("/exceptions")).await;
    browser.click(".kind .row button.quiet").await;
    assert!(browser.text(".notice").await.contains("somebody has seen to it"));
    let loaded = browser.loaded_by(&origin).await;
    assert!(loaded.iter().all(|url| url.contains(&origin)), "{loaded:?}");
    browser.click("header .who button").await;
    browser.find("main a[href$='/login']").await;
    assert_eq!(browser.text("h1").await, "Logged out");
    browser.end().await;
}

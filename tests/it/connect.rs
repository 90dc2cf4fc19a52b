//! Connecting as a browser does it, with every vendor's own consent page in the simulator.

use crate::{
    engine::ada,
    laws::laws_of,
    world::{World, connection, tenant},
};
use reqwest::{Client, Response, Url, header, redirect::Policy};
use serde_json::json;
use shared::{
    connecting::Invitation,
    connection::State,
    provider::{Crm, Secret},
    record::Region,
};

laws_of! {
    a_person_connects_and_what_is_written_arrives
    a_link_works_once_and_for_its_own_crm
    an_answer_to_another_browser_is_turned_away
    a_link_that_says_to_go_on_shows_its_page_first
    whoever_denies_is_told_so
    to_connect_again_goes_on_and_doubles_no_webhook
    to_connect_again_approves_nothing
    to_disconnect_gives_everything_back
}

/// A browser: it follows where it is sent and keeps what it is given.
pub(crate) struct Browser {
    http: Client,
    cookie: Option<String>,
}

impl Browser {
    pub(crate) fn new() -> Browser {
        Browser { http: Client::builder().redirect(Policy::none()).build().unwrap(), cookie: None }
    }

    async fn get(&mut self, url: &str) -> Response {
        let mut call = self.http.get(url);
        if let Some(cookie) = &self.cookie {
            call = call.header(header::COOKIE, cookie);
        }
        let answer = call.send().await.unwrap();
        if let Some(set) = answer.headers().get(header::SET_COOKIE) {
            self.cookie = Some(set.to_str().unwrap().split(';').next().unwrap().to_owned());
        }
        answer
    }

    /// Opens a link, and answers the CRM's consent page; where that sends the browser.
    async fn consents(&mut self, link: &str, decision: &str) -> String {
        let page = to(&self.goes_on(link).await);
        let form = [("decision", decision)];
        let answer = self.http.post(&page).form(&form).send().await.unwrap();
        to(&answer)
    }

    /// Opens a link and goes on from the page that says what it connects.
    async fn goes_on(&mut self, link: &str) -> Response {
        let page = self.get(link).await;
        assert_eq!(page.status(), 200);
        let page = page.text().await.unwrap();
        assert!(page.contains(crate::world::TENANT), "it says whose connection it is: {page}");
        let href = page.split("id=\"go\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
        self.get(&format!("{}{href}", link.split('?').next().unwrap())).await
    }

    /// From the link to our last page.
    pub(crate) async fn connects(&mut self, link: &str) -> (u16, String) {
        let back = self.consents(link, "approve").await;
        let answer = self.get(&back).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

fn to(answer: &Response) -> String {
    let location = answer.headers().get(header::LOCATION);
    location.unwrap_or_else(|| panic!("not sent on: {}", answer.status())).to_str().unwrap().to_owned()
}

pub(crate) async fn a_world(crm: Crm) -> World {
    let world = World::of(&[]).await;
    world.account(crm).await;
    world
}

pub(crate) async fn link(world: &World, crm: Crm) -> String {
    let invitation = Invitation {
        tenant: tenant(),
        connection: connection(crm),
        crm,
        region: Region::default(),
        objects: vec![shared::record::Object::Person],
        pull_every: 300,
        login_host: None,
    };
    let link = world.app.invite(&world.cx("invite"), &invitation).await.unwrap().unwrap();
    format!("{}/connect/{crm}?link={}", world.app.settings.public_url.as_ref().unwrap(), link.reveal())
}

async fn state(world: &World, crm: Crm) -> Option<State> {
    let stored = world.app.store.connection(&tenant(), &connection(crm)).await.unwrap();
    stored.map(|stored| stored.state)
}

async fn a_person_connects_and_what_is_written_arrives(crm: Crm) {
    let world = a_world(crm).await;
    world.type_in(crm, &[vec![("last_name", "Here"), ("email", "here@example.com")]]).await;
    let (status, page) = Browser::new().connects(&link(&world, crm).await).await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains(crm.title()) && page.contains(crm.name()), "{page}");
    assert_eq!(state(&world, crm).await, Some(State::Joining));
    world.settle().await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert_eq!(world.people(crm).await.len(), 1, "nothing is written before it is approved");
    world.app.activate(&world.cx("approve"), &tenant(), &connection(crm)).await.unwrap();
    world.settle().await;
    let people = world.people(crm).await;
    assert_eq!(people.len(), 2);
    assert_eq!(people[0].name(), "Ada Byron");
}

async fn a_link_works_once_and_for_its_own_crm(crm: Crm) {
    let world = a_world(crm).await;
    let link = link(&world, crm).await;
    let other = if crm == Crm::Zoho { "hubspot" } else { "zoho" };
    let elsewhere = link.replace(&format!("/connect/{crm}"), &format!("/connect/{other}"));
    assert_eq!(Browser::new().get(&elsewhere).await.status(), 410);
    assert_eq!(Browser::new().get(&link.replace("link=", "link=0")).await.status(), 410);
    let mut browser = Browser::new();
    let back = browser.consents(&link, "approve").await;
    assert_eq!(browser.get(&back).await.status(), 200);
    assert_eq!(browser.get(&back).await.status(), 400, "an answer comes once");
    assert_eq!(Browser::new().get(&link).await.status(), 410, "and so does a link");
    let late = self::link(&world, crm).await;
    world.wait(jiff::SignedDuration::from_mins(16)).await;
    assert_eq!(Browser::new().get(&late).await.status(), 410);
}

async fn an_answer_to_another_browser_is_turned_away(crm: Crm) {
    let world = a_world(crm).await;
    let link = link(&world, crm).await;
    let mut attacker = Browser::new();
    let back = attacker.consents(&link, "approve").await;
    assert_eq!(Browser::new().get(&back).await.status(), 400, "a browser that never asked");
    let mut victim = Browser::new();
    victim.goes_on(&link).await;
    assert_eq!(victim.get(&back).await.status(), 400, "one that asked something else");
    assert_eq!(state(&world, crm).await, None);
}

/// Somebody sends their own link to an admin who is logged in to a CRM: it must take more than a click on it.
async fn a_link_that_says_to_go_on_shows_its_page_first(crm: Crm) {
    let world = a_world(crm).await;
    let link = link(&world, crm).await;
    let mut attacker = Browser::new();
    let page = attacker.get(&link).await.text().await.unwrap();
    let href = page.split("id=\"go\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let sent = format!("{}{href}", link.split('?').next().unwrap());
    for mut victim in [Browser::new(), {
        let mut seen = Browser::new();
        seen.get(&link).await;
        seen
    }] {
        let answer = victim.get(&sent).await;
        assert_eq!(answer.status(), 200);
        assert!(!answer.headers().contains_key(header::LOCATION), "the page comes first");
    }
}

async fn whoever_denies_is_told_so(crm: Crm) {
    let world = a_world(crm).await;
    let mut browser = Browser::new();
    let back = browser.consents(&link(&world, crm).await, "deny").await;
    let answer = browser.get(&back).await;
    assert_eq!(answer.status(), 403);
    assert!(answer.text().await.unwrap().contains("did not let us in"));
    assert_eq!(state(&world, crm).await, None);
}

async fn to_connect_again_goes_on_and_doubles_no_webhook(crm: Crm) {
    let world = a_world(crm).await;
    Browser::new().connects(&link(&world, crm).await).await;
    world.settle().await;
    world.app.activate(&world.cx("approve"), &tenant(), &connection(crm)).await.unwrap();
    world.settle().await;
    world.sim("faults", &json!({crm.name(): {"revoke_grant": true, "expire_tokens": true}})).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert!(matches!(state(&world, crm).await, Some(State::NeedsReauth { .. })));
    world.sim("faults", &json!({})).await;
    let (status, page) = Browser::new().connects(&link(&world, crm).await).await;
    assert_eq!(status, 200, "{page}");
    world.settle().await;
    assert_eq!(state(&world, crm).await, Some(State::Active));
    assert_eq!(world.only(crm).await.name(), "Ada Byron");
    let counters = world.shown("counters").await[crm.name()][0].clone();
    for subscriptions in ["channels", "webhooks"] {
        assert!(counters[subscriptions].as_u64().unwrap_or(1) <= 1, "{counters}");
    }
}

/// What was never approved is not approved by connecting again.
async fn to_connect_again_approves_nothing(crm: Crm) {
    let world = a_world(crm).await;
    Browser::new().connects(&link(&world, crm).await).await;
    world.settle().await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let stored = world.stored(crm).await;
    world.app.store.set_state(&stored, &State::NeedsReauth { since: world.now() }).await.unwrap();
    let (status, page) = Browser::new().connects(&link(&world, crm).await).await;
    assert_eq!((status, state(&world, crm).await), (200, Some(State::Joining)), "{page}");
    world.settle().await;
    assert!(world.people(crm).await.is_empty());
}

async fn to_disconnect_gives_everything_back(crm: Crm) {
    let world = a_world(crm).await;
    Browser::new().connects(&link(&world, crm).await).await;
    world.settle().await;
    let stored = world.stored(crm).await;
    let held = world.app.secrets.current_grant(&tenant(), &connection(crm)).await.unwrap();
    world.app.disconnect(&world.cx("disconnect"), &stored).await.unwrap();
    assert_eq!(state(&world, crm).await, Some(State::Closed));
    assert!(world.app.secrets.current_grant(&tenant(), &connection(crm)).await.is_err());
    let ours = world.app.secrets.app(crm).await.unwrap();
    let again =
        crm.refresh(world.app.http().unwrap(), &world.app.settings.hosts, &ours, &held.grant, world.now()).await;
    assert!(again.is_err(), "the grant is given back");
    let counters = world.shown("counters").await[crm.name()][0].clone();
    for subscriptions in ["channels", "webhooks"] {
        assert_eq!(counters[subscriptions].as_u64().unwrap_or(0), 0, "{counters}");
    }
    let (status, page) = Browser::new().connects(&link(&world, crm).await).await;
    assert_eq!(status, 200, "and it can be connected again: {page}");
    assert_eq!(state(&world, crm).await, Some(State::Joining), "it was never approved");
}

#[tokio::test]
async fn another_account_does_not_slip_under_a_connections_name() {
    let crm = Crm::HubSpot;
    let world = a_world(crm).await;
    Browser::new().connects(&link(&world, crm).await).await;
    let again = json!({"crm": "hubspot", "account_id": "777", "client_id": "client-hubspot", "client_secret": "secret-of-the-hubspot-app"});
    world.sim("accounts", &again).await;
    let mut browser = Browser::new();
    let page = to(&browser.goes_on(&link(&world, crm).await).await);
    let form = [("decision", "approve"), ("account", "777")];
    let back = to(&browser.http.post(&page).form(&form).send().await.unwrap());
    assert_eq!(browser.get(&back).await.status(), 409);
}

#[tokio::test]
async fn pipedrives_word_of_an_uninstallation_is_proved_and_heard() {
    let crm = Crm::Pipedrive;
    let world = a_world(crm).await;
    Browser::new().connects(&link(&world, crm).await).await;
    world.settle().await;
    let url = Url::parse(world.app.settings.public_url.as_ref().unwrap()).unwrap().join("/connect/callback").unwrap();
    let notice = json!({"client_id": "client-pipedrive", "company_id": 6083095, "user_id": 1, "timestamp": "2026-11-21T09:00:00Z"});
    let forged = Client::new().delete(url).basic_auth("client-pipedrive", Some("wrong")).json(&notice).send().await;
    assert_eq!(forged.unwrap().status(), 401);
    assert_eq!(state(&world, crm).await, Some(State::Joining));
    world.sim("faults", &json!({"pipedrive": {"uninstall": true}})).await;
    world.settle().await;
    assert!(matches!(state(&world, crm).await, Some(State::NeedsReauth { .. })));
    let _ = Secret::new("");
}

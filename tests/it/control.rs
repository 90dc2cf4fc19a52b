//! The control API from outside: by HTTP, with tokens of the issuer, through the gateway's authorizer.

use crate::world::{TENANT, World};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::{Client, Method, header};
use serde_json::{Value as Json, json};
use shared::{
    connection::{Connection, State},
    provider::Crm,
    store::Exception,
};
use simulator::issuer::{PEOPLE, claims, signed};

/// Somebody who has logged in, and the stack.
pub(crate) struct Desk<'w> {
    world: &'w World,
    pub(crate) token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) kind: String,
    pub(crate) body: Json,
}

impl<'w> Desk<'w> {
    /// One of the people whom the issuer knows.
    pub(crate) fn of(world: &'w World, name: &str) -> Desk<'w> {
        Desk::claiming(world, name, &json!({}))
    }

    /// The same, whose token says some things otherwise.
    pub(crate) fn claiming(world: &'w World, name: &str, otherwise: &Json) -> Desk<'w> {
        let person = PEOPLE.iter().find(|person| person.name == name).unwrap();
        let mut claims = claims(&issuer(world), person);
        for (name, value) in otherwise.as_object().unwrap() {
            claims[name] = value.clone();
        }
        Desk { world, token: signed(&claims, false) }
    }

    pub(crate) fn nobody(world: &'w World) -> Desk<'w> {
        Desk { world, token: None }
    }

    pub(crate) async fn get(&self, path: &str) -> Json {
        let answered = self.call(Method::GET, path, None, None).await;
        assert_eq!(answered.status, 200, "{path}: {}", answered.body);
        answered.body
    }

    pub(crate) async fn post(&self, path: &str, body: Json) -> Json {
        let answered = self.call(Method::POST, path, Some(&body), None).await;
        assert_eq!(answered.status, 200, "{path}: {}", answered.body);
        answered.body
    }

    /// A path begins behind the tenant, unless it begins with `/v1`.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Json>,
        if_match: Option<&str>,
    ) -> Answered {
        let origin = self.world.app.settings.public_url.as_ref().unwrap();
        let url = match path.starts_with("/v1") {
            true => format!("{origin}{path}"),
            false => format!("{origin}/v1/tenants/{TENANT}{path}"),
        };
        let mut call = Client::new().request(method, url);
        if let Some(token) = &self.token {
            call = call.bearer_auth(token);
        }
        if let Some(tag) = if_match {
            call = call.header(header::IF_MATCH, tag);
        }
        if let Some(body) = body {
            call = call.json(body);
        }
        let answer = call.send().await.unwrap();
        let text = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (status, etag, kind) =
            (answer.status().as_u16(), text(header::ETAG), text(header::CONTENT_TYPE).unwrap_or_default());
        Answered { status, etag, kind, body: answer.json().await.unwrap_or_default() }
    }
}

/// A stack with a tenant, who has no CRM yet.
async fn a_tenant() -> World {
    let world = World::of(&[]).await;
    Desk::of(&world, "root").post("/v1/tenants", json!({"id": TENANT})).await;
    world
}

fn issuer(world: &World) -> String {
    format!("{}/issuer", world.sim.url)
}

#[tokio::test]
async fn only_a_token_that_holds_gets_in() {
    let world = a_tenant().await;
    let now = world.now().as_second();
    assert_eq!(Desk::of(&world, "vera").call(Method::GET, "/connections", None, None).await.status, 200);
    for otherwise in [
        json!({"iss": "https://issuer.example"}),
        json!({"aud": "another"}),
        json!({"exp": now - 1}),
        json!({"nbf": now + 60}),
        json!({"iat": now + 60}),
        json!({"sub": ""}),
        json!({"tenant": null}),
        json!({"tenant": [TENANT, "elsewhere"]}),
        json!({"role": "owner"}),
    ] {
        let answered = Desk::claiming(&world, "ada", &otherwise).call(Method::GET, "/connections", None, None).await;
        assert_eq!(answered.status, 401, "{otherwise}");
    }
    let ada = PEOPLE.iter().find(|person| person.name == "ada").unwrap();
    let forged = Desk { world: &world, token: signed(&claims(&issuer(&world), ada), true) };
    for desk in [Desk::nobody(&world), forged] {
        assert_eq!(desk.call(Method::GET, "/connections", None, None).await.status, 401);
    }
}

/// The one table of routes, as the document tells it: nothing is left out of it, and nothing in it is open to others.
#[tokio::test]
async fn every_route_refuses_who_may_not() {
    let world = a_tenant().await;
    let document = Desk::of(&world, "vera").get("/v1/openapi.json").await;
    let (mut routes, place) = (0, regex::Regex::new(r"\{\w+\}").unwrap());
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path.replace("{tenant}", TENANT);
            let path = place.replace_all(&path, "person").into_owned();
            let refused = async |desk: Desk<'_>| {
                let answered = desk.call(method.clone(), &path, Some(&json!({})), Some("\"1\"")).await;
                (answered.status, answered.body["code"].as_str().unwrap_or_default().to_owned(), answered.kind)
            };
            assert_eq!(refused(Desk::nobody(&world)).await.0, 401, "{method} {path}");
            let needs = operation["x-needs"].as_str().unwrap();
            let problem = |status: u16, code: &str| (status, code.to_owned(), "application/problem+json".to_owned());
            if path.contains(TENANT) {
                assert_eq!(refused(Desk::of(&world, "eve")).await, problem(404, "not_found"), "{method} {path}");
            }
            let too_low: &[&str] = match needs {
                "proof" | "viewer" => &[],
                "operator" => &["vera"],
                "admin" => &["vera", "oscar"],
                _ => &["vera", "oscar", "ada"],
            };
            let code = if needs == "platform" { "platform_only" } else { "role_too_low" };
            for name in too_low {
                assert_eq!(refused(Desk::of(&world, name)).await, problem(403, code), "{name}: {method} {path}");
            }
            routes += 1;
        }
    }
    assert!(routes > 10, "{routes}");
}

#[tokio::test]
async fn what_is_not_there_is_told_as_a_problem() {
    let world = a_tenant().await;
    let desk = Desk::of(&world, "ada");
    for (method, path, status, code) in [
        (Method::GET, "/v1/nothing", 404, "no_route"),
        (Method::GET, "/v1/tenants/demo/connections/", 404, "no_route"),
        (Method::PATCH, "/connections", 405, "method_not_allowed"),
        (Method::GET, "/connections/none", 404, "not_found"),
        (Method::GET, "/connections/a%23b", 404, "not_found"),
        (Method::GET, "/connections?limmit=1", 400, "unreadable"),
        (Method::POST, "/links", 422, "unfit"),
    ] {
        let answered = desk.call(method.clone(), path, None, None).await;
        assert_eq!(
            (answered.status, answered.body["code"].as_str()),
            (status, Some(code)),
            "{method} {path}: {}",
            answered.body
        );
        assert_eq!(answered.kind, "application/problem+json");
        let told = |name: &str| answered.body[name].as_str().is_some_and(|text| !text.is_empty());
        assert!(["type", "title", "detail", "remedy", "trace"].iter().all(|name| told(name)), "{}", answered.body);
    }
}

/// Of two who have read the same, one is told that the other was faster; and what cannot be had is told at once.
#[tokio::test]
async fn settings_are_changed_by_whoever_has_read_them() {
    let world = a_tenant().await;
    let desk = Desk::of(&world, "ada");
    let rules = json!([{"name": "cta", "on": "cta_clicked", "points": 7}]);
    for (name, wrong) in [
        ("scoring", json!([{"name": "cta", "on": "cta_clicked", "points": 0}])),
        ("triggers", json!([{"name": "hot", "when": "lead_score >="}])),
        ("effects", json!([{"name": "call", "on": "cta_clicked", "make": "person", "fields": {}}])),
        ("ownership", json!({"full_name": ["crm"]})),
    ] {
        let path = format!("/settings/{name}");
        let read = desk.call(Method::GET, &path, None, None).await;
        assert_eq!(read.status, 200, "{name}");
        let put = async |body: &Json, tag: Option<&str>| desk.call(Method::PUT, &path, Some(body), tag).await;
        assert_eq!(put(&read.body, None).await.status, 428, "{name}");
        let nothing = desk.call(Method::PUT, &path, None, read.etag.as_deref()).await;
        assert_eq!(nothing.status, 400, "{name}: what is left out is not taken for nothing");
        let refused = put(&wrong, read.etag.as_deref()).await;
        assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("unfit")), "{name}: {}", refused.body);
        let set = put(&read.body, read.etag.as_deref()).await;
        assert_eq!((set.status, &set.body), (200, &read.body), "{name}");
        assert_eq!(put(&read.body, read.etag.as_deref()).await.status, 412, "{name}");
        assert_eq!(desk.call(Method::GET, &path, None, None).await.etag, set.etag, "{name}");
    }
    let read = desk.call(Method::GET, "/settings/scoring", None, None).await;
    assert_eq!(desk.call(Method::PUT, "/settings/scoring", Some(&rules), read.etag.as_deref()).await.status, 200);
    assert_eq!(desk.get("/settings/scoring").await[0]["points"], 7);
    assert_eq!(desk.post("/settings/scoring/rescore", json!({})).await, json!({"changed": 0, "next": null}));
}

/// A request that named no connection of ours: it is there now.
#[tokio::test]
async fn a_message_that_failed_is_sent_once_more_as_it_came() {
    let world = World::new().await;
    world.settle().await;
    let mut asked = crate::engine::ada("r1");
    asked["connection_id"] = json!("pipedrive");
    world.send(&[asked]).await;
    world.settle().await;
    let desk = Desk::of(&world, "oscar");
    let listed = desk.get("/exceptions").await;
    assert_eq!(listed["items"][0]["code"], "unknown_connection", "{listed}");
    assert!(!listed.to_string().contains("ada@example.com"), "a list of exceptions says nothing of the message");
    world.account(Crm::Pipedrive).await;
    world.connect(Crm::Pipedrive).await;
    let id = listed["items"][0]["id"].as_str().unwrap();
    desk.post(&format!("/exceptions/{id}/retry"), json!({})).await;
    world.settle().await;
    assert_eq!(world.only(Crm::Pipedrive).await.name(), "Ada Byron");
    assert_eq!(desk.get("/exceptions").await["items"], json!([]));
    let again = desk.call(Method::POST, &format!("/exceptions/{id}/retry"), None, None).await;
    assert_eq!(again.status, 409, "it was done");
}

/// Whatever a cursor is made of, the table is not asked for what it cannot have.
#[tokio::test]
async fn a_cursor_of_ones_own_making_is_refused() {
    let world = World::of(&[Crm::HubSpot]).await;
    world.send(&[crate::engine::ada("r1")]).await;
    world.settle().await;
    let desk = Desk::of(&world, "ada");
    let record = desk.get("/records").await["items"][0]["id"].as_str().unwrap().to_owned();
    let (long, elsewhere) = (json!("x".repeat(2_000)), json!([16, record]));
    for (path, made) in [
        ("/records", &elsewhere),
        ("/connections/hubspot/preview", &elsewhere),
        ("/records", &json!("a text")),
        ("/exceptions", &long),
        (&format!("/records/{record}/history"), &json!("E#1")),
        (&format!("/records/{record}/timeline"), &json!("V#1")),
    ] {
        let cursor = BASE64_URL_SAFE_NO_PAD.encode(made.to_string());
        let answered = desk.call(Method::GET, &format!("{path}?cursor={cursor}"), None, None).await;
        assert_eq!((answered.status, answered.body["code"].as_str()), (400, Some("bad_cursor")), "{path} {made}");
    }
    let long = desk.call(Method::GET, &format!("/records?id={}", "x".repeat(3_000)), None, None).await;
    assert_eq!(long.status, 422);
}

/// What would be written was never approved, and that is an admin's decision.
#[tokio::test]
async fn to_try_once_more_approves_nothing() {
    let world = World::of(&[Crm::HubSpot]).await;
    let stored = world.stored(Crm::HubSpot).await;
    let paused = State::Paused { reason: "a scope was missing".to_owned() };
    let unapproved = Connection { state: paused, approved: false, ..stored.clone() };
    assert!(world.app.store.update_connection(&stored, &unapproved).await.unwrap());
    let stopped =
        Exception::new(&stored.tenant, "connection_stopped", "a scope", "a scope is missing", &world.cx("test"));
    world.app.store.raise(&stopped.on(&stored)).await.unwrap();
    let tried = Desk::of(&world, "oscar").post("/exceptions/retry", json!({"code": "connection_stopped"})).await;
    assert_eq!(tried, json!({"retried": 0, "left": 1, "next": null}));
    assert!(!world.stored(Crm::HubSpot).await.approved);
}

/// Every record of every shard, once, whatever the size of a page; and no cursor leads elsewhere.
#[tokio::test]
async fn a_list_is_walked_to_its_end() {
    let world = World::of(&[Crm::HubSpot]).await;
    let desk = Desk::of(&world, "vera");
    let asked: Vec<Json> = (0..23)
        .map(|n| {
            let mut asked = crate::engine::ada(&format!("r{n}"));
            asked["lead"] = json!({"id": format!("lead-{n}"), "email": format!("{n}@example.com")});
            asked
        })
        .collect();
    world.send(&asked).await;
    world.settle().await;
    let mut ids = std::collections::BTreeSet::new();
    let mut path = "/records?limit=4".to_owned();
    loop {
        let page = desk.get(&path).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 4);
        ids.extend(items.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/records?limit=4&cursor={next}");
    }
    assert_eq!(ids.len(), 23);
    let eve = Desk::of(&world, "eve");
    let unknown = eve.call(Method::GET, "/v1/tenants/elsewhere/records", None, None).await;
    assert_eq!(unknown.status, 404, "nobody has taken them on");
    Desk::of(&world, "root").post("/v1/tenants", json!({"id": "elsewhere"})).await;
    let elsewhere = eve.call(Method::GET, &path.replace("/records", "/v1/tenants/elsewhere/records"), None, None).await;
    assert_eq!((elsewhere.status, &elsewhere.body["items"]), (200, &json!([])), "a cursor is a place, not a key");
}

/// First it is told what would go back, then it does.
#[tokio::test]
async fn what_a_request_did_is_told_and_taken_back() {
    let world = World::new().await;
    world.settle().await;
    world.send(&[crate::engine::ada("r1")]).await;
    world.settle().await;
    let desk = Desk::of(&world, "ada");
    let mut moved = crate::engine::ada("r2");
    moved["lead"]["company"] = json!("Wrong");
    moved["occurred_at"] = json!(world.now());
    world.send(&[moved]).await;
    world.settle().await;
    let asked = |meant: bool| json!({"scope": {"since": "2020-01-01T00:00:00Z", "run": "r2"}, "meant": meant});
    let before = crate::engine::hub(&world, "ada@example.com").await;
    let was = |fields: &Json| fields.as_array().unwrap().iter().find(|one| one["field"] == "company").cloned();
    let told = desk.post("/undo", asked(false)).await;
    let company = was(&told["records"][0]["fields"]).unwrap();
    assert_eq!(
        (&company["before"], told["records"][0]["record"].as_str()),
        (&json!("Wrong"), Some(before.id.as_str()))
    );
    assert_eq!(crate::engine::hub(&world, "ada@example.com").await.version, before.version);
    desk.post("/undo", asked(true)).await;
    world.settle().await;
    let now_is = crate::engine::hub(&world, "ada@example.com").await;
    assert_eq!(json!(now_is.fields.get("company")), company["after"]);
    let of_one =
        json!({"scope": {"since": "2020-01-01T00:00:00Z", "source": "undo"}, "record": before.id, "meant": true});
    assert_eq!(desk.post("/undo", of_one).await["records"][0]["fields"][0]["after"], "Wrong");
}

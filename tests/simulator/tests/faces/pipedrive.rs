//! What Pipedrive documents, of the simulator's Pipedrive.

use crate::client::{Answer, Client, Result, answer};
use serde_json::{Value, json};

pub const PERSONS: &str = "/api/v2/persons";
pub const SYNC_ID: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334";
pub const LAST_CALL: &str = "b2c3d4e5f60718293a4b5c6d7e8f900112233445";
pub const CLIENT: (&str, &str) = ("sim-pipedrive-client", "sim-pipedrive-secret-not-real");

/// A client with a fresh access token.
pub struct Company {
    pub sim: Client,
    pub token: String,
}

impl Company {
    pub async fn start() -> Result<Self> {
        let mut company = Self { sim: Client::start().await?, token: String::new() };
        company.token = company.refresh(CLIENT).await?.1["access_token"].as_str().ok_or("no token")?.to_owned();
        Ok(company)
    }

    pub async fn refresh(&self, (id, secret): (&str, &str)) -> Result<Answer> {
        let form = "grant_type=refresh_token&refresh_token=6083095%3A1%3Asim-refresh-not-real";
        let request = self.sim.request("POST", "/pipedrive/oauth/token", Value::Null)?.basic_auth(id, Some(secret));
        answer(request.header("content-type", "application/x-www-form-urlencoded").body(form)).await
    }

    pub fn request(&self, method: &str, path: &str, body: Value) -> Result<reqwest::RequestBuilder> {
        Ok(self.sim.request(method, &format!("/pipedrive{path}"), body)?.bearer_auth(&self.token))
    }

    pub async fn call(&self, method: &str, path: &str, body: Value) -> Result<Answer> {
        answer(self.request(method, path, body)?).await
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        let (status, body) = self.call("GET", path, Value::Null).await?;
        assert_eq!(status, 200, "{path}: {body}");
        Ok(body)
    }

    /// Makes a person through the API and answers it.
    pub async fn person(&self, body: Value) -> Result<Value> {
        let (status, mut body) = self.call("POST", PERSONS, body).await?;
        assert_eq!(status, 200, "{body}");
        Ok(body["data"].take())
    }

    pub async fn faults(&self, faults: Value) -> Result {
        let (status, body) = self.sim.sim("POST", "faults", json!({"pipedrive": faults})).await?;
        assert_eq!(status, 200, "{body}");
        Ok(())
    }

    pub async fn advance(&self, ms: i64) -> Result {
        self.sim.sim("POST", "clock", json!({"advance_ms": ms})).await?;
        Ok(())
    }

    pub async fn counter(&self, name: &str) -> Result<Value> {
        Ok(self.sim.sim("GET", "counters", Value::Null).await?.1["pipedrive"][0][name].clone())
    }

    pub async fn subscribe(&self, url: &str, object: &str) -> Result<Value> {
        let hook = json!({
            "subscription_url": url, "event_action": "*", "event_object": object, "name": "sync",
            "http_auth_user": "sync", "http_auth_password": "pass", "version": "2.0",
        });
        let (status, mut body) = self.call("POST", "/api/v1/webhooks", hook).await?;
        assert_eq!(status, 201, "{body}");
        Ok(body["data"].take())
    }
}

pub fn email(value: &str) -> Value {
    json!([{"value": value, "primary": true, "label": "work"}])
}

fn ids(page: &Value) -> Vec<u64> {
    page["data"].as_array().into_iter().flatten().filter_map(|r| r["id"].as_u64()).collect()
}

#[tokio::test]
async fn a_refresh_needs_basic_and_keeps_its_token() -> Result {
    let c = Company::start().await?;
    let (status, token) = c.refresh(CLIENT).await?;
    assert_eq!((status, &token["expires_in"]), (200, &json!(3599)));
    assert_eq!(token["refresh_token"], "6083095:1:sim-refresh-not-real");
    assert_eq!(token["api_domain"], json!(format!("{}/pipedrive", c.sim.sim.url)));
    assert!(token["access_token"].as_str().is_some_and(|t| t.starts_with("v1u:") && t.len() > 300));
    let (status, body) = c.refresh((CLIENT.0, "wrong")).await?;
    assert_eq!((status, &body["error"]), (401, &json!("invalid_client")));
    assert_eq!(c.get("/v1/users/me").await?["data"]["company_id"], 6_083_095);
    c.advance(3_600_000).await?;
    let (status, body) = c.call("GET", "/v1/users/me", Value::Null).await?;
    assert_eq!((status, body), (401, json!({"success": false, "error": "unauthorized access", "errorCode": 401})));
    c.advance(61 * 24 * 3_600_000).await?;
    let (status, body) = c.refresh(CLIENT).await?;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "sixty days without a use");
    Ok(())
}

#[tokio::test]
async fn a_users_api_token_works_without_a_grant() -> Result {
    let c = Company::start().await?;
    c.sim.sim("POST", "accounts", json!({"crm": "pipedrive", "private_app_token": "0123abcd"})).await?;
    c.faults(json!({"revoke_grant": true})).await?;
    let me = |token: &str| {
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
            c.sim.request("GET", "/pipedrive/v1/users/me", Value::Null)?.header("x-api-token", token),
        )
    };
    assert_eq!(answer(me("0123abcd")?).await?.0, 200);
    assert_eq!(answer(me("other")?).await?.0, 401);
    assert_eq!(c.refresh(CLIENT).await?.1["error"], "invalid_grant");
    Ok(())
}

#[tokio::test]
async fn a_patch_replaces_lists_and_leaves_other_custom_fields() -> Result {
    let c = Company::start().await?;
    let two = json!([{"value": "Ada@example.com", "primary": false, "label": "home"}, {"value": "b@example.com", "primary": true}]);
    let made = c
        .person(
            json!({"name": "Ada King Lovelace", "emails": two, "custom_fields": {(SYNC_ID): "h1", (LAST_CALL): "won"}}),
        )
        .await?;
    assert_eq!((&made["first_name"], &made["last_name"]), (&json!("Ada"), &json!("King Lovelace")));
    assert_eq!((&made["phones"], &made["org_id"], &made["is_deleted"]), (&json!([]), &Value::Null, &json!(false)));
    assert!(made["update_time"].as_str().is_some_and(|t| t.len() == 20 && t.ends_with('Z')), "{made}");
    let path = format!("{PERSONS}/{}", made["id"]);
    let change = json!({"emails": email("c@example.com"), "custom_fields": {(LAST_CALL): null}});
    let (_, changed) = c.call("PATCH", &path, change).await?;
    assert_eq!(changed["data"]["emails"], email("c@example.com"), "the list is replaced");
    assert_eq!(changed["data"]["custom_fields"], json!({(SYNC_ID): "h1", (LAST_CALL): null}));
    assert_eq!(changed["data"]["name"], "Ada King Lovelace");
    for wrong in [
        json!({"custom_fields": {"0000000000000000000000000000000000000000": "x"}}),
        json!({"name": ""}),
        json!({"last_name": "King"}),
        json!({"emails": ["c@example.com"]}),
        json!({"org_id": 999}),
    ] {
        assert_eq!(c.call("PATCH", &path, wrong.clone()).await?.0, 400, "{wrong}");
    }
    assert_eq!(c.call("POST", PERSONS, json!({"emails": email("d@example.com")})).await?.0, 400, "no name");
    let twin = c.person(json!({"name": "Ada", "emails": email("c@example.com")})).await?;
    assert_ne!(twin["id"], made["id"], "nothing is unique");
    Ok(())
}

#[tokio::test]
async fn a_deleted_record_is_shown_by_its_id_alone() -> Result {
    let c = Company::start().await?;
    let id = c.person(json!({"name": "Ada"})).await?["id"].clone();
    let path = format!("{PERSONS}/{id}");
    assert_eq!(c.call("DELETE", &path, Value::Null).await?, (200, json!({"success": true, "data": {"id": id}})));
    assert_eq!(c.get(&path).await?["data"]["is_deleted"], true);
    assert_eq!(c.get(PERSONS).await?["data"], json!([]));
    assert_eq!(c.call("PATCH", &path, json!({"name": "B"})).await?.0, 404);
    c.advance(31 * 24 * 3_600_000).await?;
    let token = c.refresh(CLIENT).await?.1["access_token"].as_str().unwrap_or_default().to_owned();
    let later = Company { token, ..c };
    let (status, body) = later.call("GET", &path, Value::Null).await?;
    assert_eq!((status, &body["error"]), (404, &json!("Entity was not found")));
    Ok(())
}

#[tokio::test]
async fn a_walk_by_cursor_sees_each_record_of_the_window_once() -> Result {
    let c = Company::start().await?;
    let edits: Vec<Value> = (0..25).map(|n| json!({"fields": {"name": format!("P {n}")}})).collect();
    c.sim.sim("POST", "pipedrive/persons", json!(edits)).await?;
    c.advance(5_000).await?;
    let edge = c.person(json!({"name": "Later"})).await?;
    let at = edge["update_time"].as_str().ok_or("no time")?.to_owned();
    assert_eq!(ids(&c.get(&format!("{PERSONS}?updated_since={at}")).await?).len(), 1, "since is inclusive");
    let before = format!("{PERSONS}?updated_until={at}&sort_by=update_time&sort_direction=desc&limit=10");
    let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = c.get(&format!("{before}{cursor}")).await?;
        seen.extend(ids(&page));
        pages += 1;
        let Some(next) = page["additional_data"]["next_cursor"].as_str() else { break };
        assert!(!next.contains('='), "{next}: base64url without padding");
        assert_eq!(c.call("GET", &format!("{PERSONS}?cursor={next}"), Value::Null).await?.0, 400, "of another order");
        cursor = format!("&cursor={next}");
    }
    assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
    assert_eq!((pages, seen.len()), (3, 25), "until is exclusive");
    assert_eq!(ids(&c.get(&format!("{PERSONS}?limit=9999")).await?).len(), 26, "above 500 is 500");
    let two = format!("{PERSONS}?ids={},{},77777", seen[0], seen[1]);
    assert_eq!(ids(&c.get(&two).await?).len(), 2, "unknown ids are left out");
    let many = vec!["1"; 101].join(",");
    assert_eq!(c.call("GET", &format!("{PERSONS}?ids={many}"), Value::Null).await?.0, 400);
    Ok(())
}

#[tokio::test]
async fn search_finds_whole_values_in_any_case_and_lags() -> Result {
    let c = Company::start().await?;
    let found = async |query: &str| -> Result<Vec<Value>> {
        let body = c.get(&format!("{PERSONS}/search?{query}")).await?;
        Ok(body["data"]["items"].as_array().cloned().unwrap_or_default())
    };
    let org = c.call("POST", "/api/v2/organizations", json!({"name": "Analytical"})).await?.1["data"]["id"].clone();
    let phones = json!([{"value": "+1 415 555 0100"}]);
    let person = json!({"name": "Ada King", "emails": email("Ada@Example.com"), "phones": phones, "org_id": org, "custom_fields": {(SYNC_ID): "h1"}});
    let made = c.person(person).await?;
    let items = found("term=ada%40example.COM&fields=email&exact_match=true").await?;
    let item = &items[0]["item"];
    assert_eq!((&item["id"], &item["emails"]), (&made["id"], &json!(["Ada@Example.com"])), "plain texts");
    assert_eq!((&item["organization"]["name"], &item["custom_fields"]), (&json!("Analytical"), &json!(["h1"])));
    assert_eq!(found("term=da%40example&fields=email&exact_match=true").await?.len(), 0);
    assert_eq!(found("term=da%40example&fields=email").await?.len(), 1);
    assert_eq!(found("term=H1&fields=custom_fields&exact_match=true").await?.len(), 1);
    assert_eq!(found("term=%2B1%20415%20555%200100&fields=phone&exact_match=true").await?.len(), 1);
    assert_eq!(found("term=14155550100&fields=phone&exact_match=true").await?.len(), 0, "another spelling");
    assert_eq!(c.call("GET", &format!("{PERSONS}/search?term=a"), Value::Null).await?.0, 400);
    c.faults(json!({"search_lag_ms": 10_000})).await?;
    c.person(json!({"name": "Grace", "emails": email("grace@example.com")})).await?;
    assert_eq!(found("term=grace%40example.com&fields=email&exact_match=true").await?.len(), 0, "not indexed yet");
    c.advance(10_001).await?;
    assert_eq!(found("term=grace%40example.com&fields=email&exact_match=true").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn custom_fields_have_hashes_and_types() -> Result {
    let c = Company::start().await?;
    let all = c.get("/api/v2/personFields").await?;
    let ours = all["data"].as_array().into_iter().flatten().find(|f| f["field_code"] == SYNC_ID).cloned();
    assert_eq!(
        ours.map(|f| (f["field_name"].clone(), f["is_custom_field"].clone())),
        Some((json!("CRM Sync Id"), json!(true)))
    );
    let make = json!({"field_name": "Source", "field_type": "enum", "options": [{"label": "In"}, {"label": "Out"}]});
    let (status, body) = c.call("POST", "/api/v2/dealFields", make).await?;
    let code = body["data"]["field_code"].as_str().ok_or("no code")?.to_owned();
    assert_eq!((status, code.len(), &body["data"]["options"][1]), (200, 40, &json!({"id": 2, "label": "Out"})));
    assert_eq!(c.call("POST", "/api/v2/dealFields", json!({"field_name": "X", "field_type": "int"})).await?.0, 400);
    let deal = async |value: Value| {
        c.call("POST", "/api/v2/deals", json!({"title": "D", "custom_fields": {(&code): value}})).await
    };
    let (status, body) = deal(json!(2)).await?;
    assert_eq!(
        (status, &body["data"]["custom_fields"][&code], &body["data"]["status"]),
        (200, &json!(2), &json!("open"))
    );
    assert_eq!(deal(json!(3)).await?.0, 400, "no such option");
    assert_eq!(deal(json!("Out")).await?.0, 400, "an option is its id");
    Ok(())
}

#[tokio::test]
async fn leads_have_uuids_and_live_with_notes_in_v1() -> Result {
    let c = Company::start().await?;
    assert_eq!(c.call("POST", "/v1/leads", json!({"title": "L"})).await?.0, 400, "linked to nobody");
    let person = c.person(json!({"name": "Ada"})).await?["id"].clone();
    assert_eq!(c.call("POST", "/v1/leads", json!({"person_id": person})).await?.0, 400, "no title");
    assert_eq!(c.call("POST", "/v1/leads", json!({"title": "L", "person_id": 999})).await?.0, 404, "nobody");
    let (status, lead) = c.call("POST", "/v1/leads", json!({"title": "L", "person_id": person})).await?;
    let id = lead["data"]["id"].as_str().ok_or("no id")?.to_owned();
    assert_eq!((status, id.len()), (201, 36));
    let (status, lead) =
        c.call("PATCH", &format!("/v1/leads/{id}"), json!({"value": {"amount": 9, "currency": "USD"}})).await?;
    assert_eq!((status, &lead["data"]["value"]["amount"], &lead["data"]["title"]), (200, &json!(9), &json!("L")));
    let list = c.get(&format!("/v1/leads?person_id={person}&sort=update_time%20ASC")).await?;
    assert_eq!(
        (&list["data"][0]["id"], &list["additional_data"]["pagination"]["more_items_in_collection"]),
        (&json!(id), &json!(false))
    );
    assert_eq!(c.get("/v1/leads?person_id=999").await?["data"], json!([]), "of nobody");
    assert_eq!(c.call("PATCH", &format!("/v1/leads/{id}"), json!({"is_archived": true})).await?.0, 200);
    assert_eq!(c.get("/v1/leads").await?["data"], json!([]), "archived leads are listed elsewhere");
    assert_eq!(c.call("PATCH", &format!("/v1/leads/{}0", &id[..35]), json!({"title": "M"})).await?.0, 404);
    let (status, note) = c.call("POST", "/v1/notes", json!({"content": "<b>x</b>", "lead_id": id})).await?;
    assert_eq!((status, note["data"]["add_time"].as_str().map(str::len)), (200, Some(19)));
    let path = format!("/v1/notes/{}", note["data"]["id"]);
    assert_eq!(c.call("PUT", &path, json!({"content": "y"})).await?.1["data"]["lead_id"], json!(id));
    assert_eq!(c.call("POST", "/v1/notes", json!({"content": "y"})).await?.0, 400, "linked to nothing");
    assert_eq!(c.call("DELETE", &format!("/v1/leads/{id}"), Value::Null).await?.0, 200);
    let (status, body) = c.call("GET", &format!("/v1/leads/{id}"), Value::Null).await?;
    assert_eq!((status, &body["error"]), (404, &json!("requested lead not found")));
    let calls = c.sim.sim("GET", "calls", Value::Null).await?.1["pipedrive"].clone();
    assert_eq!((&calls["PATCH /v1/leads/{id}"], &calls["PUT /v1/notes/{id}"]), (&json!(3), &json!(1)), "{calls}");
    Ok(())
}

#[tokio::test]
async fn the_budget_ends_at_midnight_and_hammering_ends_in_html() -> Result {
    let c = Company::start().await?;
    c.sim.sim("POST", "accounts", json!({"crm": "pipedrive", "credits": 37, "private_app_token": "0123abcd"})).await?;
    let me = async || {
        answer(c.sim.request("GET", "/pipedrive/v1/users/me", Value::Null)?.header("x-api-token", "0123abcd")).await
    };
    c.person(json!({"name": "Ada"})).await?;
    c.get(PERSONS).await?;
    c.get(&format!("{PERSONS}/search?term=ada")).await?;
    assert_eq!((c.counter("budget_used").await?, me().await?.0), (json!(35), 200), "5 + 10 + 20, and 2");
    let response = c.request("GET", "/v1/users/me", Value::Null)?.send().await?;
    let left = response.headers().get("x-ratelimit-remaining").is_some_and(|v| v != "0");
    assert_eq!((response.status().as_u16(), left), (429, true), "the burst window has room: it is the day that ended");
    for _ in 0..19 {
        assert_eq!(me().await?.0, 429);
    }
    let (status, body) = me().await?;
    assert_eq!((status, body["text"].as_str().is_some_and(|t| t.contains("Cloudflare"))), (403, true));
    c.advance(24 * 3_600_000).await?;
    assert_eq!(me().await?.0, 200);
    c.faults(json!({"search_burst": {"calls": 1, "per_ms": 2000}})).await?;
    c.sim.sim("POST", "accounts", json!({"crm": "pipedrive", "credits": 1000})).await?;
    let token = c.refresh(CLIENT).await?.1["access_token"].as_str().unwrap_or_default().to_owned();
    let later = Company { token, ..c };
    let search = format!("{PERSONS}/search?term=ada");
    assert_eq!(later.call("GET", &search, Value::Null).await?.0, 200);
    assert_eq!(later.call("GET", &search, Value::Null).await?.0, 429);
    assert_eq!(later.call("GET", PERSONS, Value::Null).await?.0, 200, "only searches are limited so");
    Ok(())
}

#[tokio::test]
async fn faults_respell_cut_and_refuse() -> Result {
    let c = Company::start().await?;
    let refuse = json!([{"field": "email", "contains": "bad"}, {"field": "Last call", "contains": "no"}]);
    c.faults(json!({"rewrite_phones": "digits", "truncate": {"name": 5}, "refuse_values": refuse})).await?;
    let made = c.person(json!({"name": "Ada Lovelace", "phones": [{"value": "+1 (415) 555-0100"}]})).await?;
    assert_eq!((&made["name"], &made["last_name"]), (&json!("Ada L"), &json!("L")));
    assert_eq!(made["phones"], json!([{"value": "14155550100", "primary": true, "label": "work"}]));
    let (status, body) = c.call("POST", PERSONS, json!({"name": "A", "emails": email("bad@example.com")})).await?;
    assert!(status == 400 && body["error"].as_str().is_some_and(|e| e.contains("email")), "{body}");
    assert_eq!(c.call("POST", PERSONS, json!({"name": "A", "custom_fields": {(LAST_CALL): "no"}})).await?.0, 400);
    Ok(())
}

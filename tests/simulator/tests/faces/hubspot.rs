//! What HubSpot documents, of the simulator's HubSpot.

use crate::client::{Client, OBJECTS, Result, Subscriber, extend, id};
use serde_json::{Value, json};

fn at(path: &str) -> String {
    format!("{OBJECTS}{path}")
}

#[tokio::test]
async fn a_contact_is_made_shown_changed_and_archived() -> Result {
    let c = Client::start().await?;
    let id = c.contact(json!({"email": "Ada@Example.com", "firstname": "Ada", "phone": "+1 415 555 0100"})).await?;
    let (_, shown) = c
        .hubspot(
            "GET",
            &at(&format!("/{id}?properties=email,phone,company,nonsense&propertiesWithHistory=phone")),
            Value::Null,
        )
        .await?;
    assert_eq!(shown["properties"]["email"], "ada@example.com", "e-mail is kept in lower case");
    assert_eq!(shown["properties"]["phone"], "+1 415 555 0100", "phones are kept as sent");
    assert_eq!(shown["properties"]["company"], Value::Null, "a blank is shown as null");
    assert!(shown["properties"].get("nonsense").is_none(), "an unknown property is not shown");
    assert_eq!(shown["propertiesWithHistory"]["phone"][0]["sourceType"], "INTEGRATION");
    let (status, _) = c.hubspot("PATCH", &at(&format!("/{id}")), json!({"properties": {"phone": "1"}})).await?;
    assert_eq!(status, 200);
    let (status, by_email) =
        c.hubspot("GET", &at("/ada@example.com?idProperty=email&properties=phone"), Value::Null).await?;
    assert_eq!((status, &by_email["properties"]["phone"]), (200, &json!("1")));
    assert_eq!(c.hubspot("DELETE", &at(&format!("/{id}")), Value::Null).await?.0, 204);
    assert_eq!(c.hubspot("GET", &at(&format!("/{id}")), Value::Null).await?.0, 404);
    let (_, archived) = c.hubspot("GET", &at("?archived=true&limit=100"), Value::Null).await?;
    assert_eq!(archived["results"][0]["id"], json!(id));
    assert!(archived["results"][0]["archivedAt"].is_string());
    Ok(())
}

#[tokio::test]
async fn errors_have_the_vendors_bodies() -> Result {
    let c = Client::start().await?;
    let first = c.contact(json!({"email": "a@example.com"})).await?;
    let (status, body) = c.hubspot("POST", OBJECTS, json!({"properties": {"email": "A@example.com"}})).await?;
    assert_eq!((status, &body["category"]), (409, &json!("CONFLICT")));
    assert_eq!(body["message"], json!(format!("Contact already exists. Existing ID: {first}")));
    let (status, body) = c.hubspot("POST", OBJECTS, json!({"properties": {"foo": "1"}})).await?;
    assert_eq!((status, &body["category"]), (400, &json!("VALIDATION_ERROR")));
    assert!(body["message"].as_str().unwrap_or_default().contains("PROPERTY_DOESNT_EXIST"));
    let (status, body) = c.hubspot("POST", OBJECTS, json!({"properties": {"hs_lead_status": "No such"}})).await?;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().unwrap_or_default().contains("INVALID_OPTION"));
    let (status, body) = c.hubspot("POST", OBJECTS, json!({"properties": {"hs_object_id": "1"}})).await?;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().unwrap_or_default().contains("READ_ONLY_VALUE"));
    Ok(())
}

#[tokio::test]
async fn tokens_live_half_an_hour_and_a_dead_grant_says_so() -> Result {
    let c = Client::start().await?;
    let (status, token) = c.hubspot_token().await?;
    assert_eq!((status, &token["expires_in"], &token["hub_id"]), (200, &json!(1800), &json!(62515)));
    assert_eq!(c.hubspot("GET", OBJECTS, Value::Null).await?.0, 200);
    c.sim("POST", "clock", json!({"advance_ms": 1_801_000})).await?;
    let (status, body) = c.hubspot("GET", OBJECTS, Value::Null).await?;
    assert_eq!((status, &body["category"]), (401, &json!("EXPIRED_AUTHENTICATION")));
    c.sim("POST", "faults", json!({"hubspot": {"revoke_grant": true}})).await?;
    let (status, body) = c.hubspot_token().await?;
    assert_eq!((status, &body["status"], &body["error"]), (400, &json!("BAD_REFRESH_TOKEN"), &json!("invalid_grant")));
    c.sim("POST", "faults", json!({"hubspot": {"uninstall": true}})).await?;
    assert_eq!(c.hubspot_token().await?.1["status"], "BAD_HUB");
    c.sim("POST", "accounts", json!({"crm": "hubspot", "refresh_token": "na1-sim-again"})).await?;
    assert_eq!(c.hubspot_token().await?.0, 200, "registering again is reconnecting");
    Ok(())
}

#[tokio::test]
async fn batch_read_answers_207_for_what_is_not_there() -> Result {
    let c = Client::start().await?;
    let (a, b) =
        (c.contact(json!({"email": "a@example.com"})).await?, c.contact(json!({"email": "b@example.com"})).await?);
    let read = json!({"properties": ["email"], "inputs": [{"id": a}, {"id": "999"}]});
    let (status, body) = c.hubspot("POST", &at("/batch/read"), read).await?;
    assert_eq!((status, &body["numErrors"]), (207, &json!(1)));
    assert_eq!(body["errors"][0]["context"]["ids"], json!(["999"]));
    let (_, merged) = c.hubspot("POST", &at("/merge"), json!({"primaryObjectId": a, "objectIdToMerge": b})).await?;
    let new = id(&merged)?;
    assert!(new != a && new != b, "a merge makes a third record");
    let (status, shown) =
        c.hubspot("GET", &at(&format!("/{b}?properties=email,hs_merged_object_ids")), Value::Null).await?;
    assert_eq!((status, id(&shown)?), (200, new.clone()), "a GET of a merged id answers the survivor");
    assert_eq!(shown["properties"]["hs_merged_object_ids"], json!(format!("{a};{b}")));
    let (status, body) =
        c.hubspot("POST", &at("/batch/read"), json!({"properties": [], "inputs": [{"id": b}]})).await?;
    assert_eq!((status, body["results"].as_array().map(Vec::len)), (207, Some(0)), "a batch does not take merged ids");
    let by_email = json!({"idProperty": "email", "properties": ["email"], "inputs": [{"id": "A@example.com"}, {"id": "b@example.com"}]});
    let (status, body) = c.hubspot("POST", &at("/batch/read"), by_email).await?;
    assert_eq!((status, body["results"].as_array().map(Vec::len)), (200, Some(1)), "both addresses are the survivor's");
    Ok(())
}

#[tokio::test]
async fn one_bad_row_fails_a_batch_unless_each_row_has_a_trace_id() -> Result {
    let c = Client::start().await?;
    let rows = |traced: bool| -> Value {
        let row = |n: usize, email: &str| match traced {
            true => json!({"objectWriteTraceId": format!("t{n}"), "properties": {"email": email}}),
            false => json!({"properties": {"email": email}}),
        };
        json!({"inputs": [row(0, "x@example.com"), row(1, "not an address"), row(2, "x@example.com"), row(3, "y@example.com")]})
    };
    assert_eq!(c.hubspot("POST", &at("/batch/create"), rows(false)).await?.0, 400);
    assert_eq!(c.sim("GET", "hubspot/contacts", Value::Null).await?.1, json!([]), "nothing of it was done");
    let (status, body) = c.hubspot("POST", &at("/batch/create"), rows(true)).await?;
    assert_eq!((status, &body["numErrors"]), (207, &json!(2)));
    assert_eq!(body["errors"][0]["context"]["objectWriteTraceId"], json!(["t1"]));
    assert_eq!(body["errors"][1]["category"], "CONFLICT");
    let traces: Vec<_> =
        body["results"].as_array().into_iter().flatten().map(|r| r["objectWriteTraceId"].clone()).collect();
    assert_eq!(traces, [json!("t3"), json!("t0")], "results come in no order to rely on");
    Ok(())
}

#[tokio::test]
async fn upsert_is_by_a_unique_property() -> Result {
    let c = Client::start().await?;
    let upsert = |id: &str, by: &str, properties: Value| json!({"inputs": [{"id": id, "idProperty": by, "properties": properties}]});
    let ours = |phone: &str| upsert("hub-1", "crm_sync_id", json!({"email": "u@example.com", "phone": phone}));
    let (status, body) = c.hubspot("POST", &at("/batch/upsert"), ours("1")).await?;
    assert_eq!((status, &body["results"][0]["new"]), (200, &json!(true)));
    assert_eq!(body["results"][0]["properties"]["crm_sync_id"], "hub-1");
    let (_, again) = c.hubspot("POST", &at("/batch/upsert"), ours("2")).await?;
    assert_eq!(
        (&again["results"][0]["new"], &again["results"][0]["properties"]["phone"]),
        (&json!(false), &json!("2"))
    );
    assert_eq!(again["results"][0]["id"], body["results"][0]["id"]);
    let other = upsert("hub-2", "crm_sync_id", json!({"email": "u@example.com"}));
    assert_eq!(c.hubspot("POST", &at("/batch/upsert"), other).await?.0, 409, "the address is another contact's");
    assert_eq!(
        c.hubspot("POST", &at("/batch/upsert"), upsert("1", "phone", json!({}))).await?.0,
        400,
        "phone is not unique"
    );
    Ok(())
}

#[tokio::test]
async fn search_filters_sorts_and_has_its_limits() -> Result {
    let c = Client::start().await?;
    for n in 0..3 {
        c.contact(json!({"email": format!("s{n}@example.com"), "phone": format!("+4420 7946 00{n}0")})).await?;
    }
    let search = async |body: Value| c.hubspot("POST", &at("/search"), body).await;
    let filter = |name: &str, op: &str, more: Value| {
        let mut f = json!({"propertyName": name, "operator": op});
        extend(&mut f, &more);
        json!({"filterGroups": [{"filters": [f]}], "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}], "limit": 2})
    };
    let (status, body) = search(filter("lastmodifieddate", "GTE", json!({"value": "1790000000000"}))).await?;
    assert_eq!((status, &body["total"], &body["paging"]["next"]["after"]), (200, &json!(3), &json!("2")));
    let (_, body) =
        search(filter("hs_searchable_calculated_phone_number", "IN", json!({"values": ["2079460010"]}))).await?;
    assert_eq!((&body["total"], &body["results"][0]["properties"]["email"]), (&json!(1), &json!("s1@example.com")));
    let mut deep = filter("email", "HAS_PROPERTY", json!({}));
    deep["after"] = json!("9999");
    assert_eq!(search(deep).await?.0, 400, "10,000 results at most");
    let long = json!({"query": "x".repeat(3000)});
    assert_eq!(search(long).await?.0, 400, "3,000 characters at most");
    c.sim("POST", "clock", json!({"advance_ms": 1100})).await?;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(search(json!({})).await?);
    }
    assert_eq!(statuses.iter().filter(|(s, _)| *s == 200).count(), 5, "five a second");
    assert_eq!(statuses.last().map(|(_, b)| b["policyName"].clone()), Some(json!("SECONDLY")));
    Ok(())
}

#[tokio::test]
async fn a_lagging_search_shows_the_past_while_a_read_shows_the_present() -> Result {
    let c = Client::start().await?;
    let old = c.contact(json!({"email": "old@example.com"})).await?;
    c.sim("POST", "faults", json!({"hubspot": {"search_lag_ms": 30_000}})).await?;
    c.sim("POST", "clock", json!({"advance_ms": 31_000})).await?;
    c.hubspot("PATCH", &at(&format!("/{old}")), json!({"properties": {"firstname": "New"}})).await?;
    c.contact(json!({"email": "new@example.com"})).await?;
    let body = json!({"properties": ["firstname", "email"]});
    let (_, found) = c.hubspot("POST", &at("/search"), body.clone()).await?;
    assert_eq!((&found["total"], &found["results"][0]["properties"]["firstname"]), (&json!(1), &Value::Null));
    c.sim("POST", "clock", json!({"advance_ms": 31_000})).await?;
    let (_, found) = c.hubspot("POST", &at("/search"), body).await?;
    assert_eq!((&found["total"], &found["results"][0]["properties"]["firstname"]), (&json!(2), &json!("New")));
    Ok(())
}

#[tokio::test]
async fn ten_thousand_contacts_take_a_hundred_pages() -> Result {
    let c = Client::start().await?;
    for hundred in 0..100 {
        let inputs: Vec<_> =
            (0..100).map(|n| json!({"properties": {"email": format!("p{hundred}-{n}@example.com")}})).collect();
        assert_eq!(c.hubspot("POST", &at("/batch/create"), json!({"inputs": inputs})).await?.0, 201);
    }
    let (mut after, mut pages, mut seen) = (None::<String>, 0, 0);
    c.sim("POST", "clock", json!({"advance_ms": 10_000})).await?;
    loop {
        let cursor = after.map(|a| format!("&after={a}")).unwrap_or_default();
        let (status, body) = c.hubspot("GET", &at(&format!("?limit=100{cursor}")), Value::Null).await?;
        assert_eq!(status, 200);
        (pages, seen) = (pages + 1, seen + body["results"].as_array().map_or(0, Vec::len));
        after = body["paging"]["next"]["after"].as_str().map(str::to_owned);
        if after.is_none() {
            break;
        }
    }
    assert_eq!((pages, seen), (100, 10_000));
    Ok(())
}

#[tokio::test]
async fn locked_and_migrating_are_statuses_of_their_own() -> Result {
    let c = Client::start().await?;
    c.sim("POST", "faults", json!({"hubspot": {"lock_next": 1, "migrate_next": 1}})).await?;
    assert_eq!(c.hubspot("GET", OBJECTS, Value::Null).await?.0, 477);
    assert_eq!(c.hubspot("POST", &at("/batch/read"), json!({"inputs": []})).await?.0, 200, "reads are not locked");
    assert_eq!(c.hubspot("POST", &at("/batch/create"), json!({"inputs": []})).await?.0, 423);
    assert_eq!(c.hubspot("POST", &at("/batch/create"), json!({"inputs": []})).await?.0, 201);
    Ok(())
}

#[tokio::test]
async fn a_privacy_delete_leaves_nothing_and_fires_two_events() -> Result {
    let c = Client::start().await?;
    let s = Subscriber::start(Vec::new()).await?;
    let id = c.contact(json!({"email": "gone@example.com"})).await?;
    c.sim("POST", "accounts", json!({"crm": "hubspot", "webhook_url": s.url})).await?;
    let by_email = json!({"objectId": "gone@example.com", "idProperty": "email"});
    assert_eq!(c.hubspot("POST", &at("/gdpr-delete"), by_email).await?.0, 204);
    assert_eq!(c.hubspot("GET", &at(&format!("/{id}?archived=true")), Value::Null).await?.0, 404);
    let events = s.wait(1).await[0].json()?;
    let kinds: Vec<_> = events.as_array().into_iter().flatten().map(|e| e["subscriptionType"].clone()).collect();
    assert_eq!(kinds, ["contact.deletion", "contact.privacyDeletion"]);
    Ok(())
}

#[tokio::test]
async fn a_custom_property_is_made_once_and_then_holds_values() -> Result {
    let c = Client::start().await?;
    let path = "/crm/properties/2026-09/contacts";
    let body = json!({"name": "score", "label": "Score", "type": "string", "fieldType": "text", "groupName": "contactinformation", "hasUniqueValue": true});
    assert_eq!(c.hubspot("POST", path, body.clone()).await?.0, 201);
    assert_eq!(c.hubspot("POST", path, body).await?.0, 409);
    assert_eq!(c.hubspot("GET", &format!("{path}/score"), Value::Null).await?.1["hasUniqueValue"], true);
    c.contact(json!({"score": "7"})).await?;
    let (status, body) = c.hubspot("POST", OBJECTS, json!({"properties": {"score": "7"}})).await?;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().unwrap_or_default().contains("CONFLICTING_UNIQUE_VALUE"));
    Ok(())
}

#[tokio::test]
async fn ten_seconds_hold_110_calls() -> Result {
    let c = Client::start().await?;
    for _ in 0..110 {
        assert_eq!(c.hubspot("GET", OBJECTS, Value::Null).await?.0, 200);
    }
    let (status, body) = c.hubspot("GET", OBJECTS, Value::Null).await?;
    assert_eq!((status, &body["policyName"]), (429, &json!("TEN_SECONDLY_ROLLING")));
    assert_eq!(c.hubspot("POST", &at("/search"), json!({})).await?.0, 200, "search is counted apart");
    c.sim("POST", "clock", json!({"advance_ms": 10_000})).await?;
    assert_eq!(c.hubspot("GET", OBJECTS, Value::Null).await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn a_private_app_is_told_what_is_left_of_its_day() -> Result {
    let c = Client::start().await?;
    c.sim("POST", "accounts", json!({"crm": "hubspot", "private_app_token": "pat-na1-1", "credits": 2})).await?;
    let left = async |token: &str| -> Result<(u16, Option<String>)> {
        let request = c.request("GET", "/hubspot/account-info/2026-09/details", Value::Null)?;
        let response = request.header("authorization", format!("Bearer {token}")).send().await?;
        let left = response.headers().get("X-HubSpot-RateLimit-Daily-Remaining").and_then(|v| v.to_str().ok());
        Ok((response.status().as_u16(), left.map(str::to_owned)))
    };
    assert_eq!(left(&c.hubspot).await?, (200, None), "an OAuth app has no limit of a day");
    assert_eq!(left("pat-na1-1").await?, (200, Some("1".to_owned())));
    assert_eq!(left("pat-na1-1").await?, (200, Some("0".to_owned())));
    assert_eq!(left("pat-na1-1").await?.0, 429);
    assert_eq!(left(&c.hubspot).await?.0, 200);
    c.sim("POST", "clock", json!({"advance_ms": 24 * 3_600_000})).await?;
    assert_eq!(left("pat-na1-1").await?.0, 200);
    Ok(())
}

//! What Zoho documents, of the simulator's Zoho CRM.

use crate::client::{Client, Result, answer, extend, id};
use serde_json::{Value, json};

const LEADS: &str = "/crm/v8/Leads";

#[tokio::test]
async fn the_scheme_is_not_bearer_and_dead_tokens_are_401() -> Result {
    let c = Client::start().await?;
    assert_eq!(c.zoho("GET", "/crm/v8/org", Value::Null).await?.1["org"][0]["zgid"], "900000001");
    let bearer =
        c.request("GET", "/zoho/crm/v8/org", Value::Null)?.header("authorization", format!("Bearer {}", c.zoho));
    let (status, body) = answer(bearer).await?;
    assert_eq!((status, &body["code"]), (401, &json!("INVALID_TOKEN")));
    c.sim("POST", "faults", json!({"zoho": {"expire_tokens": true}})).await?;
    assert_eq!(c.zoho("GET", "/crm/v8/org", Value::Null).await?.0, 401);
    Ok(())
}

#[tokio::test]
async fn a_dead_grant_is_http_200_and_an_eleventh_refresh_http_400() -> Result {
    let c = Client::start().await?;
    for _ in 0..9 {
        let (_, token) = c.zoho_token().await?;
        assert!(token["refresh_token"].is_null(), "it is not rotated");
        assert_eq!(token["api_domain"], json!(format!("{}/zoho", c.sim.url)));
    }
    let (status, body) = c.zoho_token().await?;
    assert_eq!((status, &body["error"]), (400, &json!("Access Denied")));
    c.sim("POST", "clock", json!({"advance_ms": 601_000})).await?;
    assert_eq!(c.zoho_token().await?.0, 200);
    c.sim("POST", "faults", json!({"zoho": {"revoke_grant": true}})).await?;
    assert_eq!(c.zoho_token().await?, (200, json!({"error": "invalid_code"})));
    Ok(())
}

#[tokio::test]
async fn upsert_answers_row_by_row_and_never_repeats_fields() -> Result {
    let c = Client::start().await?;
    let row = |id: &str, last: &str| json!({"CRM_Sync_Id": id, "Last_Name": last, "Company": "Co", "Email": "Same@example.com"});
    let upsert = async |rows: Value, keys: Value| {
        c.zoho("POST", &format!("{LEADS}/upsert"), json!({"data": rows, "duplicate_check_fields": keys, "trigger": []}))
            .await
    };
    let (status, body) =
        upsert(json!([row("h1", "A"), row("h2", "B"), {"Company": "Co", "CRM_Sync_Id": "h3"}]), json!(["CRM_Sync_Id"]))
            .await?;
    assert_eq!(status, 207);
    assert_eq!((&body["data"][0]["action"], &body["data"][0]["duplicate_field"]), (&json!("insert"), &Value::Null));
    assert_eq!(body["data"][1]["action"], "insert", "only unique fields given: the e-mail is no key");
    assert_eq!(
        (&body["data"][2]["code"], &body["data"][2]["details"]["json_path"]),
        (&json!("MANDATORY_NOT_FOUND"), &json!("$.data[2].Last_Name"))
    );
    let first = id(&body["data"][0]["details"])?;
    assert!(first.parse::<u64>()? > 1 << 53, "{first} does not fit floating point");
    assert!(body["data"][0]["details"].get("Email").is_none());
    let (status, body) = upsert(json!([row("h1", "A2")]), json!(["CRM_Sync_Id"])).await?;
    assert_eq!(
        (status, &body["data"][0]["action"], &body["data"][0]["duplicate_field"]),
        (200, &json!("update"), &json!("CRM_Sync_Id"))
    );
    let (_, body) =
        upsert(json!([{"Last_Name": "C", "Company": "Co", "Email": "same@EXAMPLE.com"}]), json!(["Email"])).await?;
    assert_eq!(
        (&body["data"][0]["duplicate_field"], id(&body["data"][0]["details"])?),
        (&json!("Email"), first.clone())
    );
    let (_, body) = c.zoho("PUT", LEADS, json!({"data": [{"id": first, "CRM_Sync_Id": "h2"}]})).await?;
    assert_eq!(
        (&body["data"][0]["code"], &body["data"][0]["details"]["api_name"]),
        (&json!("DUPLICATE_DATA"), &json!("CRM_Sync_Id"))
    );
    assert_eq!(
        upsert(json!([row("h1", &"x".repeat(81))]), Value::Null).await?.1["data"][0]["details"]["maximum_length"],
        80
    );
    assert_eq!(upsert(json!(vec![row("h1", "x"); 101]), Value::Null).await?.0, 400, "100 rows at most");
    assert_eq!(upsert(json!([row("h1", "x")]), json!(["Phone"])).await?.0, 400, "Phone is no duplicate check field");
    Ok(())
}

#[tokio::test]
async fn an_omitted_trigger_runs_workflows() -> Result {
    let c = Client::start().await?;
    let rows = json!([{"Last_Name": "A", "Company": "Co"}]);
    let workflows = async || {
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
            c.sim("GET", "counters", Value::Null).await?.1["zoho"][0]["workflows"].clone(),
        )
    };
    c.zoho("POST", LEADS, json!({"data": rows, "trigger": []})).await?;
    assert_eq!(workflows().await?, 0);
    assert_eq!(c.zoho("POST", LEADS, json!({"data": rows})).await?.0, 201);
    assert_eq!(workflows().await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_listing_has_pages_to_2000_and_then_tokens_bound_to_their_parameters() -> Result {
    let c = Client::start().await?;
    let ids = c.leads(2_100).await?;
    assert_eq!(c.zoho("GET", LEADS, Value::Null).await?.1["code"], "REQUIRED_PARAM_MISSING");
    let (_, first) = c.zoho("GET", &format!("{LEADS}?fields=Email"), Value::Null).await?;
    assert_eq!(first["data"][0]["id"].as_str(), ids.last().map(String::as_str), "newest id first");
    assert_eq!((&first["info"]["count"], &first["info"]["more_records"]), (&json!(200), &json!(true)));
    let (status, body) = c.zoho("GET", &format!("{LEADS}?fields=Email&page=11"), Value::Null).await?;
    assert_eq!((status, &body["code"]), (400, &json!("DISCRETE_PAGINATION_LIMIT_EXCEEDED")));
    let sorted = "fields=Email&sort_by=Modified_Time&sort_order=asc&per_page=200";
    let (_, mut page) = c.zoho("GET", &format!("{LEADS}?{sorted}"), Value::Null).await?;
    let (mut seen, mut pages) = (Vec::new(), 1);
    loop {
        seen.extend(page["data"].as_array().into_iter().flatten().map(|r| r["id"].clone()));
        let Some(token) = page["info"]["next_page_token"].as_str().map(str::to_owned) else { break };
        let (_, mismatch) = c.zoho("GET", &format!("{LEADS}?fields=Phone&page_token={token}"), Value::Null).await?;
        assert_eq!(mismatch["code"], "TOKEN_BOUND_DATA_MISMATCH");
        let (_, both) = c.zoho("GET", &format!("{LEADS}?{sorted}&page=2&page_token={token}"), Value::Null).await?;
        assert_eq!(both["code"], "AMBIGUITY_DURING_PROCESSING");
        page = c.zoho("GET", &format!("{LEADS}?{sorted}&page_token={token}"), Value::Null).await?.1;
        pages += 1;
    }
    seen.sort_by_key(ToString::to_string);
    seen.dedup();
    assert_eq!((pages, seen.len()), (11, 2_100));
    Ok(())
}

#[tokio::test]
async fn if_modified_since_answers_304_and_an_empty_module_204() -> Result {
    let c = Client::start().await?;
    assert_eq!(c.zoho("GET", &format!("{LEADS}?fields=Email"), Value::Null).await?.0, 204);
    let ids = c.leads(2).await?;
    let since = async |when: &str| {
        answer(
            c.zoho_request(
                "GET",
                &format!("{LEADS}?fields=Modified_Time&sort_by=Modified_Time&sort_order=asc"),
                Value::Null,
            )?
            .header("If-Modified-Since", when),
        )
        .await
    };
    assert_eq!(since("2126-11-21T00:00:00+00:00").await?, (304, Value::Null));
    let (status, body) = since("2026-01-01T05:30:00+05:30").await?;
    assert_eq!((status, &body["info"]["count"]), (200, &json!(2)));
    let modified = body["data"][0]["Modified_Time"].as_str().ok_or("no time")?.to_owned();
    assert!(
        modified.ends_with("+05:30") && modified.len() == 25,
        "{modified}: whole seconds, the organisation's offset"
    );
    assert_eq!(c.zoho("DELETE", &format!("{LEADS}?ids={},1", ids[0]), Value::Null).await?.0, 207);
    let (_, gone) = c.zoho("GET", &format!("{LEADS}/deleted?type=all"), Value::Null).await?;
    assert_eq!((gone["data"][0]["id"].as_str(), &gone["data"][0]["type"]), (Some(ids[0].as_str()), &json!("recycle")));
    Ok(())
}

#[tokio::test]
async fn coql_wants_pairs_in_brackets() -> Result {
    let c = Client::start().await?;
    c.leads(60).await?;
    let query = async |text: &str| c.zoho("POST", "/crm/v8/coql", json!({"select_query": text})).await;
    let (status, body) = query("select id, Email, Modified_Time from Leads where ((Email = 'LEAD7@example.com') and (Modified_Time >= '2026-01-01T00:00:00+00:00')) order by Modified_Time asc, id asc limit 0, 2000").await?;
    assert_eq!(
        (status, &body["data"][0]["Email"], &body["info"]["more_records"]),
        (200, &json!("lead7@example.com"), &json!(false))
    );
    let (_, body) =
        query("select id from Leads where Last_Name like 'Lead 1%' and Company in ('Analytical', 'x') limit 5").await?;
    assert_eq!((&body["info"]["count"], &body["info"]["more_records"]), (&json!(5), &json!(true)));
    assert_eq!(
        query("select id from Leads where Email = 'a' or Email = 'b' or Email = 'c'").await?.1["code"],
        "SYNTAX_ERROR"
    );
    assert_eq!(query("select id from Leads").await?.1["code"], "SYNTAX_ERROR");
    assert_eq!(query("select id, Nonsense from Leads where id > 0").await?.1["code"], "INVALID_QUERY");
    let values = vec!["'a'"; 51].join(",");
    assert_eq!(query(&format!("select id from Leads where Email in ({values})")).await?.1["code"], "LIMIT_EXCEEDED");
    assert_eq!(query("select id from Leads where Email = 'nobody'").await?.0, 204);
    Ok(())
}

#[tokio::test]
async fn a_channel_that_asks_for_too_much_gets_an_hour() -> Result {
    let c = Client::start().await?;
    let watch = async |method: &str, more: Value| {
        let mut w = json!({"channel_id": "1000000068001", "events": ["Leads.all"], "notify_url": "http://127.0.0.1:9/x", "token": "t"});
        extend(&mut w, &more);
        c.zoho(method, "/crm/v8/actions/watch", json!({"watch": [w]})).await
    };
    let expiry = |body: &Value| -> Result<i64> {
        let text =
            body["watch"][0]["details"]["events"][0]["channel_expiry"].as_str().ok_or_else(|| body.to_string())?;
        Ok(simulator::clock::parse_time(text).ok_or("no time")? - simulator::clock::real_now())
    };
    let hours = |ms: i64| simulator::clock::iso_offset(simulator::clock::real_now() + ms * 3_600_000, 0);
    let (status, body) = watch("POST", json!({"channel_expiry": hours(200)})).await?;
    assert_eq!(status, 201);
    assert!(expiry(&body)? <= 3_600_000, "more than a week is silently an hour");
    let (_, body) = watch("PATCH", json!({"channel_expiry": hours(150)})).await?;
    assert!(expiry(&body)? > 149 * 3_600_000);
    assert_eq!(watch("POST", json!({"token": "x".repeat(51)})).await?.1["watch"][0]["code"], "INVALID_DATA");
    c.sim("POST", "clock", json!({"advance_ms": 151 * 3_600_000})).await?;
    let token = c.zoho_token().await?.1["access_token"].as_str().unwrap_or_default().to_owned();
    let list = c
        .request("GET", "/zoho/crm/v8/actions/watch", Value::Null)?
        .header("authorization", format!("Zoho-oauthtoken {token}"));
    assert_eq!(answer(list).await?.0, 204, "it died without a word");
    Ok(())
}

#[tokio::test]
async fn credits_are_told_from_half_on_and_end() -> Result {
    let c = Client::start().await?;
    c.sim("POST", "accounts", json!({"crm": "zoho", "credits": 4})).await?;
    let mut seen = Vec::new();
    for _ in 0..5 {
        let response = c.zoho_request("GET", "/crm/v8/org", Value::Null)?.send().await?;
        let left = response.headers().get("X-API-CREDITS-REMAINING").and_then(|v| v.to_str().ok()).map(str::to_owned);
        seen.push((response.status().as_u16(), left));
    }
    let told = |status: u16, left: &str| (status, Some(left.to_owned()));
    assert_eq!(seen, [(200, None), told(200, "2"), told(200, "1"), told(200, "0"), (429, None)]);
    Ok(())
}

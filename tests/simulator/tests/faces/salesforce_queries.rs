//! What Salesforce documents about asking, of the simulator's Salesforce orgs: SOQL, batches, times.

use crate::client::{Client, Result, SALESFORCE, answer, id};
use crate::salesforce::{encoded, person, row, soql, upsert};
use serde_json::{Value, json};

/// The addresses of the leads that a query finds.
async fn found(c: &Client, query: &str) -> Result<Vec<String>> {
    let (status, body) = soql(c, query).await?;
    assert_eq!(status, 200, "{query}: {body}");
    Ok(body["records"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|r| r["Email"].as_str().unwrap_or("-").to_owned())
        .collect())
}

#[tokio::test]
async fn soql_selects_and_says_what_is_wrong() -> Result {
    let c = Client::start().await?;
    for (email, title, opted) in [
        ("Ann@x.example", json!("It's \\"), true),
        ("bob@x.example", Value::Null, false),
        ("cid@x.example", json!("Boss"), false),
    ] {
        person(&c, "lead", json!({"fields": {"LastName": "L", "Company": "Co", "Email": email, "Title": title, "HasOptedOutOfEmail": opted, "NumberOfEmployees": 5}})).await?;
    }
    let (ann, bob, cid) = ("Ann@x.example", "bob@x.example", "cid@x.example");
    let stamp = soql(&c, "SELECT SystemModstamp FROM Lead LIMIT 1").await?.1["records"][0]["SystemModstamp"].clone();
    let stamp = stamp.as_str().unwrap_or_default().replace("+0000", "Z");
    for (condition, expected) in [
        ("Email = 'ANN@x.example'".to_owned(), vec![ann]),
        (r"Title = 'it\'s \\'".to_owned(), vec![ann]),
        ("Email IN ('bob@x.example', 'CID@x.example')".to_owned(), vec![bob, cid]),
        ("Email LIKE 'b%' OR (Title != null AND HasOptedOutOfEmail = false)".to_owned(), vec![bob, cid]),
        ("NOT (Title = null OR Title LIKE '%boss%')".to_owned(), vec![ann]),
        ("Title != 'boss'".to_owned(), vec![ann, bob]),
        ("NumberOfEmployees > 5.5".to_owned(), vec![]),
        (format!("SystemModstamp >= {stamp} AND Email > 'b'"), vec![bob, cid]),
        ("SystemModstamp < 2026-01-01T00:00:00+00:00".to_owned(), vec![]),
    ] {
        let query = format!("select Email from Lead where {condition} order by Email, Id limit 9");
        assert_eq!(found(&c, &query).await?, expected, "{condition}");
    }
    assert_eq!(found(&c, "SELECT Email FROM Lead ORDER BY Title DESC, Id").await?, [bob, ann, cid], "nulls come first");
    assert_eq!(soql(&c, "SELECT COUNT() FROM Lead").await?.1, json!({"totalSize": 3, "done": true, "records": []}));
    for (query, code) in [
        ("SELECT Nonsense__c FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE SystemModstamp > '2026-01-01T00:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Email = 'a' AND Email = 'b' OR Email = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Email = 'open", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Email", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
    ] {
        let (status, body) = soql(&c, query).await?;
        assert_eq!((status, &body[0]["errorCode"]), (400, &json!(code)), "{query}");
    }
    let long = format!("SELECT Id FROM Lead WHERE Email = '{}'", "x".repeat(16_384));
    assert_eq!(soql(&c, &long).await?.0, 414);
    Ok(())
}

#[tokio::test]
async fn a_long_answer_comes_in_batches_which_may_be_small() -> Result {
    let c = Client::start().await?;
    let edits: Vec<_> = (0..450).map(|n| json!({"fields": {"LastName": format!("L{n}"), "Company": "Co"}})).collect();
    person(&c, "lead", json!(edits)).await?;
    let walk = async |asked: &str| -> Result<Vec<usize>> {
        let path = format!("{SALESFORCE}/query?q={}", encoded("SELECT Id FROM Lead ORDER BY SystemModstamp, Id"));
        let first = c.salesforce_request("GET", &path, Value::Null)?.header("Sforce-Query-Options", asked);
        let (mut page, mut sizes, mut ids) = (answer(first).await?.1, Vec::new(), Vec::<String>::new());
        loop {
            assert_eq!(page["totalSize"], 450);
            let records = page["records"].as_array().map_or(&[][..], Vec::as_slice);
            sizes.push(records.len());
            ids.extend(records.iter().filter_map(|r| r["Id"].as_str().map(str::to_owned)));
            let Some(next) = page["nextRecordsUrl"].as_str().map(str::to_owned) else { break };
            page = answer(c.salesforce_request("GET", &next, Value::Null)?).await?.1;
        }
        assert_eq!(page["done"], true);
        assert!(ids.is_sorted() && ids.len() == 450, "ids sort by age");
        Ok(sizes)
    };
    assert_eq!(walk("batchSize=2000").await?, [450]);
    assert_eq!(walk("batchSize=200").await?, [200, 200, 50]);
    c.sim("POST", "accounts", json!({"crm": "salesforce", "batch_size": 150})).await?;
    assert_eq!(walk("batchSize=200").await?, [150, 150, 150]);
    let calls = c.sim("GET", "calls", Value::Null).await?.1;
    assert_eq!(calls["salesforce"]["GET /services/data/v66.0/query/{id}"], 4);
    let (status, body) = c.salesforce("GET", "/query/01g000000000000AAA-200", Value::Null).await?;
    assert_eq!((status, &body[0]["errorCode"]), (400, &json!("INVALID_QUERY_LOCATOR")));
    Ok(())
}

#[tokio::test]
async fn a_batch_of_calls_counts_once_and_the_day_ends_with_403() -> Result {
    let c = Client::start().await?;
    c.sim("POST", "accounts", json!({"crm": "salesforce", "credits": 2})).await?;
    person(&c, "contact", json!({"fields": {"LastName": "L"}})).await?;
    let get = |query: &str| json!({"method": "GET", "url": format!("v66.0/query?q={}", encoded(query))});
    let parts = json!({"batchRequests": [get("SELECT Id FROM Contact"), get("SELECT Nonsense FROM Contact")]});
    let request = c.salesforce_request("POST", &format!("{SALESFORCE}/composite/batch"), parts)?;
    let response = request.send().await?;
    let used = response.headers().get("Sforce-Limit-Info").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let body: Value = response.json().await?;
    assert_eq!((&body["hasErrors"], used.as_deref()), (&json!(true), Some("api-usage=1/2")));
    assert_eq!(
        (&body["results"][0]["statusCode"], &body["results"][0]["result"]["totalSize"]),
        (&json!(200), &json!(1))
    );
    assert_eq!(
        (&body["results"][1]["statusCode"], &body["results"][1]["result"][0]["errorCode"]),
        (&json!(400), &json!("INVALID_FIELD"))
    );
    let limits = c.salesforce("GET", "/limits", Value::Null).await?.1;
    assert_eq!(limits["DailyApiRequests"], json!({"Max": 2, "Remaining": 0}));
    let (status, body) = c.salesforce("GET", "/limits", Value::Null).await?;
    assert_eq!((status, &body[0]["errorCode"]), (403, &json!("REQUEST_LIMIT_EXCEEDED")));
    c.sim("POST", "clock", json!({"advance_ms": 25 * 3_600_000})).await?;
    assert_eq!(c.salesforce_token().await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn what_was_written_and_deleted_is_told_in_whole_minutes() -> Result {
    let c = Client::start().await?;
    let made = upsert(&c, json!([row("h1", Some("A")), row("h2", Some("B")), row("h3", Some("C"))]), false).await?.1;
    let (kept, binned, merged) = (id(&made[0])?, id(&made[1])?, id(&made[2])?);
    person(&c, "lead", json!({"id": binned, "delete": true})).await?;
    person(&c, "lead", json!({"merge": [kept, merged]})).await?;
    c.sim("POST", "clock", json!({"advance_ms": 61_000})).await?;
    let now = c.sim("GET", "clock", Value::Null).await?.1["now_ms"].as_i64().ok_or("no time")?;
    let span = |ms: i64, to: i64| {
        let text = |ms| encoded(&simulator::clock::iso_offset(ms, 0));
        format!("?start={}&end={}", text(ms), text(to))
    };
    let (status, body) =
        c.salesforce("GET", &format!("/sobjects/Lead/updated/{}", span(now - 600_000, now)), Value::Null).await?;
    assert_eq!((status, &body["ids"]), (200, &json!([kept])));
    let covered = body["latestDateCovered"].as_str().unwrap_or_default();
    assert!(covered.ends_with(":00.000+0000"), "{covered}");
    let (_, body) =
        c.salesforce("GET", &format!("/sobjects/Lead/deleted?{}", &span(now - 600_000, now)[1..]), Value::Null).await?;
    let mut gone: Vec<_> = body["deletedRecords"].as_array().into_iter().flatten().map(|r| r["id"].clone()).collect();
    gone.sort_by_key(Value::to_string);
    assert_eq!(gone, [json!(binned), json!(merged)]);
    for (from, to) in [(now - 59_000, now - 58_000), (now - 32 * 24 * 3_600_000, now)] {
        let (status, body) =
            c.salesforce("GET", &format!("/sobjects/Lead/updated{}", span(from, to)), Value::Null).await?;
        assert_eq!((status, &body[0]["errorCode"]), (400, &json!("INVALID_REPLICATION_DATE")));
    }
    let all = encoded("SELECT Id, MasterRecordId FROM Lead WHERE IsDeleted = true ORDER BY Id");
    let (_, body) = c.salesforce("GET", &format!("/queryAll?q={all}"), Value::Null).await?;
    let masters: Vec<_> =
        body["records"].as_array().into_iter().flatten().map(|r| r["MasterRecordId"].clone()).collect();
    assert_eq!(masters, [Value::Null, json!(kept)]);
    Ok(())
}

#[tokio::test]
async fn a_query_job_ends_in_csv() -> Result {
    let c = Client::start().await?;
    for name in ["One", "Say \"two\", or 2"] {
        person(&c, "lead", json!({"fields": {"LastName": name, "Company": "Co"}})).await?;
    }
    let jobs = "/jobs/query";
    let query = "SELECT lastname, Email, HasOptedOutOfEmail, SystemModstamp FROM Lead";
    let (status, job) = c.salesforce("POST", jobs, json!({"operation": "queryAll", "query": query})).await?;
    assert_eq!((status, &job["state"], &job["object"]), (200, &json!("UploadComplete"), &json!("Lead")));
    let at = format!("{jobs}/{}", id(&job)?);
    assert_eq!(c.salesforce("GET", &format!("{at}/results"), Value::Null).await?.0, 400, "not before it is complete");
    assert_eq!(c.salesforce("GET", &at, Value::Null).await?.1["state"], "JobComplete");
    let page = async |query: &str| -> Result<(String, String)> {
        let request = c.salesforce_request("GET", &format!("{SALESFORCE}{at}/results?{query}"), Value::Null)?;
        let response = request.send().await?;
        let locator = response.headers()["Sforce-Locator"].to_str()?.to_owned();
        Ok((locator, response.text().await?))
    };
    let (locator, first) = page("maxRecords=1").await?;
    let (head, row) = first.trim_end().split_once('\n').ok_or("no rows")?;
    assert_eq!(head, r#""LastName","Email","HasOptedOutOfEmail","SystemModstamp""#);
    assert!(row.starts_with(r#""One","","false",""#) && row.ends_with(r#".000Z""#), "{row}");
    let (end, second) = page(&format!("maxRecords=1&locator={locator}")).await?;
    assert_eq!(end, "null");
    assert!(second.contains(r#""Say ""two"", or 2""#), "{second}");
    assert_eq!(c.salesforce("DELETE", &at, Value::Null).await?.0, 204);
    assert_eq!(c.salesforce("GET", &at, Value::Null).await?.0, 404);
    Ok(())
}

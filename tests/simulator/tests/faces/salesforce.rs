//! What Salesforce documents, of the simulator's Salesforce orgs.

use crate::client::{Answer, Client, Result, SALESFORCE, Subscriber, answer, id};
use serde_json::{Value, json};

const KEY: &str = "/sobjects/Lead/CRM_Sync_Id__c";

pub fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub async fn soql(c: &Client, query: &str) -> Result<Answer> {
    c.salesforce("GET", &format!("/query?q={}", encoded(query)), Value::Null).await
}

pub fn row(key: &str, last: Option<&str>) -> Value {
    json!({"attributes": {"type": "Lead"}, "CRM_Sync_Id__c": key, "LastName": last, "Company": "Analytical"})
}

pub async fn upsert(c: &Client, rows: Value, all_or_none: bool) -> Result<Answer> {
    let body = json!({"allOrNone": all_or_none, "records": rows});
    c.salesforce("PATCH", "/composite/sobjects/Lead/CRM_Sync_Id__c", body).await
}

pub async fn person(c: &Client, object: &str, edit: Value) -> Result<Value> {
    let (status, body) = c.sim("POST", &format!("salesforce/{object}"), edit).await?;
    assert_eq!(status, 200, "{body}");
    Ok(body)
}

#[tokio::test]
async fn a_session_lives_by_being_used_and_its_answer_never_tells_how_long() -> Result {
    let c = Client::start().await?;
    let (status, token) = c.salesforce_token().await?;
    assert_eq!((status, token.get("expires_in"), token.get("refresh_token")), (200, None, None));
    assert_eq!(token["instance_url"], json!(format!("{}/salesforce", c.sim.url)));
    assert!(token["id"].as_str().is_some_and(|id| id.contains("/id/00Dxx0000001gPLEAY/005")), "{token}");
    for _ in 0..2 {
        c.sim("POST", "clock", json!({"advance_ms": 110 * 60_000})).await?;
        assert_eq!(c.salesforce("GET", "/limits", Value::Null).await?.0, 200, "it was used two hours ago or less");
    }
    c.sim("POST", "clock", json!({"advance_ms": 121 * 60_000})).await?;
    let (status, body) = c.salesforce("GET", "/limits", Value::Null).await?;
    let expected = json!([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]);
    assert_eq!((status, body), (401, expected));
    c.sim("POST", "faults", json!({"salesforce": {"revoke_grant": true}})).await?;
    let (status, body) = c.salesforce_token().await?;
    let expected = json!({"error": "invalid_grant", "error_description": "expired access/refresh token"});
    assert_eq!((status, body), (400, expected));
    Ok(())
}

#[tokio::test]
async fn a_rotated_refresh_token_works_once() -> Result {
    let c = Client::start().await?;
    c.sim("POST", "accounts", json!({"crm": "salesforce", "rotates": true})).await?;
    let old = c.account("salesforce").await?;
    let (_, token) = c.salesforce_token().await?;
    let next = token["refresh_token"].as_str().ok_or("it was not rotated")?;
    assert_eq!(c.account("salesforce").await?["refresh_token"], next);
    let post = async |path: &str, form: &str| {
        let request = c.http.post(format!("{}/salesforce/services/oauth2/{path}", c.sim.url)).body(form.to_owned());
        answer(request.header("content-type", "application/x-www-form-urlencoded")).await
    };
    let client = "client_id=sim-salesforce-client&client_secret=sim-salesforce-secret-not-real";
    let refresh = |token: &str| format!("grant_type=refresh_token&{client}&refresh_token={token}");
    let again = post("token", &refresh(old["refresh_token"].as_str().unwrap_or_default())).await?;
    assert_eq!((again.0, &again.1["error"]), (400, &json!("invalid_grant")));
    let counters = c.sim("GET", "counters", Value::Null).await?.1;
    assert_eq!(counters["salesforce"][0]["refresh_reused"], 1);
    let (_, known) = post("introspect", &format!("{client}&token={}", c.salesforce)).await?;
    assert_eq!((&known["active"], &known["token_type"]), (&json!(true), &json!("access_token")));
    let (_, who) = answer(c.salesforce_request("GET", "/services/oauth2/userinfo", Value::Null)?).await?;
    assert_eq!(who["organization_id"], "00Dxx0000001gPLEAY");
    assert_eq!(post("revoke", &format!("token={next}")).await?.0, 200);
    assert_eq!(c.salesforce("GET", "/limits", Value::Null).await?.0, 401, "its sessions died with it");
    assert_eq!(post("token", "client_id=nobody").await?.1["error"], "invalid_client_id");
    assert_eq!(post("token", "client_id=sim-salesforce-client").await?.1["error"], "invalid_client");
    Ok(())
}

#[tokio::test]
async fn one_record_is_made_read_changed_and_deleted() -> Result {
    let c = Client::start().await?;
    let (status, body) = c.salesforce("POST", "/sobjects/Lead", json!({"FirstName": "Ada"})).await?;
    assert_eq!((status, &body[0]["errorCode"]), (400, &json!("REQUIRED_FIELD_MISSING")));
    assert_eq!(body[0]["fields"], json!(["LastName", "Company"]));
    let lead =
        json!({"LastName": "Lovelace", "Company": "Analytical", "Email": "Ada@x.example", "Phone": "4155550100"});
    let (status, made) = c.salesforce("POST", "/sobjects/lead", lead).await?;
    assert_eq!((status, &made["success"]), (201, &json!(true)));
    let long = id(&made)?;
    assert_eq!((long.len(), &long[..3]), (18, "00Q"));
    for id in [long.as_str(), &long[..15], &long.to_lowercase()] {
        let path = format!("/sobjects/Lead/{id}?fields=Email,Phone,Status,SystemModstamp,FirstName");
        let (status, shown) = c.salesforce("GET", &path, Value::Null).await?;
        assert_eq!((status, &shown["Phone"]), (200, &json!("4155550100")), "the API keeps what was sent");
        assert_eq!((&shown["Email"], &shown["FirstName"]), (&json!("Ada@x.example"), &Value::Null));
        assert_eq!(shown["Status"], "Open - Not Contacted");
        let stamp = shown["SystemModstamp"].as_str().unwrap_or_default();
        assert!(stamp.len() == 28 && stamp.ends_with(".000+0000"), "{stamp}: whole seconds, no colon");
    }
    let path = format!("/sobjects/Lead/{long}");
    let patch = async |body: Value| c.salesforce("PATCH", &path, body).await;
    assert_eq!(patch(json!({"Title": "Countess"})).await?, (204, Value::Null));
    for (body, code) in [
        (json!({"LastName": null}), "REQUIRED_FIELD_MISSING"),
        (json!({"Nonsense__c": "x"}), "INVALID_FIELD"),
        (json!({"City": "x".repeat(41)}), "STRING_TOO_LONG"),
        (json!({"Email": "no address"}), "INVALID_EMAIL_ADDRESS"),
        (json!({"Status": "Maybe"}), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (json!({"CreatedDate": "2026-01-01T00:00:00Z"}), "INVALID_FIELD_FOR_INSERT_UPDATE"),
        (json!({"OwnerId": "nobody"}), "MALFORMED_ID"),
    ] {
        let (status, answer) = patch(body).await?;
        assert_eq!((status, &answer[0]["errorCode"]), (400, &json!(code)));
    }
    assert_eq!(c.salesforce("DELETE", &path, Value::Null).await?.0, 204);
    let (status, body) = patch(json!({"Title": "x"})).await?;
    assert_eq!((status, &body[0]["errorCode"]), (404, &json!("ENTITY_IS_DELETED")));
    let (status, body) = c.salesforce("GET", "/sobjects/Lead/00Q000000000001EAA", Value::Null).await?;
    assert_eq!((status, &body[0]["errorCode"]), (404, &json!("NOT_FOUND")));
    Ok(())
}

#[tokio::test]
async fn an_upsert_by_key_makes_one_changes_one_or_names_several() -> Result {
    let c = Client::start().await?;
    let lead = json!({"LastName": "A", "Company": "Co", "Email": "same@x.example"});
    let (status, body) = c.salesforce("PATCH", &format!("{KEY}/h%2F1"), lead.clone()).await?;
    assert_eq!((status, &body["created"]), (201, &json!(true)));
    let first = id(&body)?;
    let (status, body) = c.salesforce("PATCH", &format!("{KEY}/H%2F1"), json!({"Title": "B"})).await?;
    assert_eq!((status, &body["created"], &body["id"]), (200, &json!(false), &json!(first)));
    let (status, body) = c.salesforce("PATCH", &format!("{KEY}/h%2F1"), json!({"CRM_Sync_Id__c": "h/1"})).await?;
    assert_eq!((status, &body[0]["errorCode"]), (400, &json!("INVALID_FIELD")), "the key is not repeated");
    assert_eq!(c.salesforce("GET", &format!("{KEY}/h%2F1"), Value::Null).await?.1["Title"], "B");
    c.salesforce("POST", "/sobjects/Lead", lead).await?;
    let (status, body) = c.salesforce("PATCH", "/sobjects/Lead/Email/same%40x.example", json!({"Title": "C"})).await?;
    assert_eq!((status, body.as_array().map(Vec::len)), (300, Some(2)));
    assert_eq!(body[0], json!(format!("{SALESFORCE}/sobjects/Lead/{first}")));
    let (status, _) = c.salesforce("PATCH", &format!("{KEY}/new?updateOnly=true"), json!({"Title": "x"})).await?;
    assert_eq!(status, 404);
    let (status, body) = c.salesforce("PATCH", "/sobjects/Lead/Title/x", json!({})).await?;
    assert_eq!((status, &body[0]["errorCode"]), (404, &json!("NOT_FOUND")), "Title is no key");
    let taken = json!({"LastName": "C", "Company": "Co", "CRM_Sync_Id__c": "h/1"});
    let (_, body) = c.salesforce("POST", "/sobjects/Lead", taken).await?;
    assert_eq!(body[0]["errorCode"], "DUPLICATE_VALUE");
    assert!(body[0]["message"].as_str().is_some_and(|m| m.ends_with(&first)), "{body}");
    Ok(())
}

#[tokio::test]
async fn a_collection_answers_row_by_row_in_order_and_200_even_if_all_fail() -> Result {
    let c = Client::start().await?;
    let rows = json!([row("h1", Some("A")), row("h2", None), row("h3", Some("C"))]);
    let (status, body) = upsert(&c, rows, false).await?;
    assert_eq!((status, &body[0]["created"], &body[2]["success"]), (200, &json!(true), &json!(true)));
    assert_eq!((&body[1]["success"], body[1].get("id")), (&json!(false), None));
    let error = &body[1]["errors"][0];
    assert_eq!((&error["statusCode"], &error["fields"]), (&json!("REQUIRED_FIELD_MISSING"), &json!(["LastName"])));
    assert!(error.get("errorCode").is_none(), "rows say statusCode");
    let twice = json!([row("h4", Some("A")), row("H4", Some("B"))]);
    let (status, body) = upsert(&c, twice, false).await?;
    assert_eq!(status, 200, "although both rows failed");
    assert_eq!(body[0]["errors"][0]["statusCode"], "DUPLICATE_VALUE");
    assert_eq!(body[1]["errors"][0]["statusCode"], "DUPLICATE_VALUE");
    let many: Vec<_> = (0..201).map(|n| row(&format!("m{n}"), Some("A"))).collect();
    let (status, body) = upsert(&c, json!(many), false).await?;
    assert_eq!((status, &body[0]["errorCode"]), (400, &json!("EXCEEDED_ID_LIMIT")));
    let mixed: Vec<_> = ["Lead", "Contact"]
        .into_iter()
        .cycle()
        .take(11)
        .map(|o| json!({"attributes": {"type": o}, "LastName": "A", "Company": "Co"}))
        .collect();
    assert_eq!(c.salesforce("POST", "/composite/sobjects", json!({"records": mixed})).await?.0, 400, "11 chunks");
    c.sim("POST", "faults", json!({"salesforce": {"lock_next": 1}})).await?;
    let (_, body) = upsert(&c, json!([row("h1", Some("A2")), row("h3", Some("C2"))]), false).await?;
    assert_eq!(body[0]["errors"][0]["statusCode"], "UNABLE_TO_LOCK_ROW");
    assert_eq!((&body[1]["success"], &body[1]["created"]), (&json!(true), &json!(false)));
    Ok(())
}

#[tokio::test]
async fn all_or_none_undoes_the_good_rows_too() -> Result {
    let c = Client::start().await?;
    upsert(&c, json!([row("h1", Some("Before"))]), false).await?;
    let rows = json!([row("h1", Some("After")), row("h2", Some("New")), row("h3", None)]);
    let (status, body) = upsert(&c, rows, true).await?;
    assert_eq!(status, 200);
    for good in [&body[0], &body[1]] {
        assert_eq!((&good["success"], good["id"].is_string()), (&json!(false), true));
        assert_eq!(good["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    }
    assert_eq!(body[2]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING");
    let (_, left) = soql(&c, "SELECT LastName FROM Lead").await?;
    assert_eq!((&left["totalSize"], &left["records"][0]["LastName"]), (&json!(1), &json!("Before")));
    let (_, next) = upsert(&c, json!([row("h2", Some("New"))]), false).await?;
    assert!(next[0]["id"].as_str() > body[1]["id"].as_str(), "the id that was shown leads to nothing for ever");
    Ok(())
}

#[tokio::test]
async fn records_are_updated_retrieved_and_deleted_by_their_ids() -> Result {
    let c = Client::start().await?;
    let made = upsert(&c, json!([row("h1", Some("A")), row("h2", Some("B"))]), false).await?.1;
    let (one, two) = (id(&made[0])?, id(&made[1])?);
    let change = |id: &str| json!({"attributes": {"type": "Lead"}, "id": id, "Title": "T"});
    let rows = json!([change(&one), change("00Q000000000001EAA"), change("x"), change(&two)]);
    let (status, body) = c.salesforce("PATCH", "/composite/sobjects", json!({"records": rows})).await?;
    assert_eq!(
        (status, &body[0], &body[3]["id"]),
        (200, &json!({"id": one, "success": true, "errors": []}), &json!(two))
    );
    assert_eq!(body[1]["errors"][0]["statusCode"], "INVALID_CROSS_REFERENCE_KEY");
    assert_eq!(body[2]["errors"][0]["statusCode"], "MALFORMED_ID");
    let gone = c.salesforce("DELETE", &format!("/composite/sobjects?ids={two},{two}"), Value::Null).await?.1;
    assert_eq!((&gone[0]["success"], &gone[1]["errors"][0]["statusCode"]), (&json!(true), &json!("ENTITY_IS_DELETED")));
    let wanted = json!({"ids": [two, one], "fields": ["title", "CRM_Sync_Id__c"]});
    let (_, shown) = c.salesforce("POST", "/composite/sobjects/Lead", wanted).await?;
    assert_eq!((&shown[0], &shown[1]["Title"], &shown[1]["Id"]), (&Value::Null, &json!("T"), &json!(one)));
    c.sim("POST", "accounts", json!({"crm": "salesforce", "hidden_fields": ["Title"]})).await?;
    let (status, body) = soql(&c, "SELECT Id, Title FROM Lead").await?;
    assert_eq!((status, &body[0]["errorCode"]), (400, &json!("INVALID_FIELD")));
    let described = c.salesforce("GET", "/sobjects/Lead/describe", Value::Null).await?.1;
    let fields: Vec<_> = described["fields"].as_array().into_iter().flatten().collect();
    assert!(fields.iter().all(|f| f["name"] != "Title"), "what is hidden is not there");
    let key = fields.iter().find(|f| f["name"] == "CRM_Sync_Id__c").ok_or("no key")?;
    assert_eq!((&key["externalId"], &key["unique"], &key["length"]), (&json!(true), &json!(true), &json!(64)));
    let (_, body) = c.salesforce("PATCH", "/composite/sobjects", json!({"records": [change(&one)]})).await?;
    assert_eq!(body[0]["errors"][0]["statusCode"], "INVALID_FIELD");
    Ok(())
}

#[tokio::test]
async fn a_converted_lead_is_a_contact_and_cannot_be_written() -> Result {
    let c = Client::start().await?;
    let fields = json!({"LastName": "Lovelace", "Company": "Analytical", "Email": "ada@x.example", "Phone": "415 555 0100", "Last_Call__c": "never"});
    let lead = person(&c, "lead", json!({"fields": fields})).await?;
    assert_eq!(lead["fields"]["Phone"], "(415) 555-0100", "screens spell American numbers");
    let lead = person(&c, "lead", json!({"id": id(&lead)?, "convert": true})).await?;
    assert_eq!(lead["fields"]["IsConverted"], true);
    let contact = lead["fields"]["ConvertedContactId"].as_str().ok_or("no contact")?;
    let (_, contact) = c.salesforce("GET", &format!("/sobjects/Contact/{contact}"), Value::Null).await?;
    assert_eq!((&contact["Email"], &contact["Last_Call__c"]), (&json!("ada@x.example"), &json!("never")));
    assert_eq!(contact["AccountId"], lead["fields"]["ConvertedAccountId"]);
    let (status, body) =
        c.salesforce("PATCH", &format!("/sobjects/Lead/{}", id(&lead)?), json!({"Title": "x"})).await?;
    assert_eq!((status, &body[0]["errorCode"]), (400, &json!("CANNOT_UPDATE_CONVERTED_LEAD")));
    c.sim("POST", "accounts", json!({"crm": "salesforce", "duplicate_rule": true})).await?;
    let again = json!({"LastName": "Lovelace", "Email": "ADA@x.example"});
    let (status, body) = c.salesforce("POST", "/sobjects/Contact", again.clone()).await?;
    assert_eq!((status, &body[0]["errorCode"]), (400, &json!("DUPLICATES_DETECTED")));
    assert_eq!(body[0]["duplicateResut"]["matchResults"][0]["matchRecords"][0]["record"]["Id"], contact["Id"]);
    let insist = c.salesforce_request("POST", &format!("{SALESFORCE}/sobjects/Contact"), again)?;
    assert_eq!(answer(insist.header("Sforce-Duplicate-Rule-Header", "allowSave=true")).await?.0, 201);
    Ok(())
}

#[tokio::test]
async fn an_outbound_message_comes_again_until_it_is_acknowledged() -> Result {
    let c = Client::start().await?;
    let ack = |word: &str| {
        format!(
            r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>{word}</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>"#
        )
    };
    let s = Subscriber::answering(vec![(200, String::new()), (200, ack("false"))], ack("true")).await?;
    c.sim(
        "POST",
        "accounts",
        json!({"crm": "salesforce", "webhook_url": s.url, "subscriptions": ["Email", "LastName", "Title"]}),
    )
    .await?;
    let lead =
        person(&c, "lead", json!({"fields": {"LastName": "O'Neil <&>", "Company": "Co", "Email": "a@x.example"}}))
            .await?;
    let got = s.wait(3).await;
    let part = |body: &str, tag: &str| {
        body.split_once(&format!("<{tag}>"))
            .and_then(|(_, rest)| rest.split_once(&format!("</{tag}>")))
            .map(|(text, _)| text.to_owned())
    };
    assert_eq!((got.len(), got[0].header("content-type")), (3, "text/xml; charset=utf-8"));
    assert_eq!(got[0].body, got[2].body, "the notification keeps its id");
    let body = &got[0].body;
    assert_eq!(part(body, "OrganizationId").as_deref(), Some("00Dxx0000001gPLEAY"));
    assert_eq!(part(body, "sf:Id"), Some(id(&lead)?));
    assert_eq!(part(body, "sf:LastName").as_deref(), Some("O&apos;Neil &lt;&amp;&gt;"));
    assert!(body.contains(r#"<SessionId xsi:nil="true"/>"#) && body.contains(r#"xsi:type="sf:Lead""#), "{body}");
    assert!(!body.contains("sf:Title"), "what is null is left out");
    person(&c, "lead", json!({"id": id(&lead)?, "fields": {"Title": "x"}, "silent": true})).await?;
    upsert(&c, json!([row("h1", Some("Echo"))]), false).await?;
    person(&c, "lead", json!({"id": id(&lead)?, "delete": true})).await?;
    let got = s.wait(4).await;
    assert!(got.len() == 4 && got[3].body.contains("Echo"), "our own writes come back; silence and deletes do not");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(s.wait(4).await.len(), 4);
    Ok(())
}

#[tokio::test]
async fn faults_strike_rows_values_and_sessions() -> Result {
    let c = Client::start().await?;
    let faults = json!({"salesforce": {
        "refuse_values": [{"field": "Title", "contains": "Dr"}, {"field": "City", "contains": "X", "code": "FIELD_INTEGRITY_EXCEPTION"}],
        "truncate": {"Company": 4}, "rewrite_phones": "digits", "timeout_after_commit_next": 1, "hang_ms": 10, "tokens_live_s": 60,
    }});
    c.sim("POST", "faults", faults).await?;
    let wanted = json!({"ids": ["00Q000000000001EAA"], "fields": ["Id"]});
    assert_eq!(
        c.salesforce("POST", "/composite/sobjects/Lead", wanted).await?.1,
        json!([null]),
        "to read commits nothing"
    );
    let good = json!({"LastName": "A", "Company": "Analytical", "Phone": "+1 415-555-0100", "CRM_Sync_Id__c": "h1"});
    assert!(c.salesforce("POST", "/sobjects/Lead", good).await.is_err(), "it was written and never answered");
    let (_, lead) = c.salesforce("GET", &format!("{KEY}/h1"), Value::Null).await?;
    assert_eq!((&lead["Company"], &lead["Phone"]), (&json!("Anal"), &json!("14155550100")));
    for (field, value, code) in
        [("Title", "Dr X", "FIELD_CUSTOM_VALIDATION_EXCEPTION"), ("City", "X", "FIELD_INTEGRITY_EXCEPTION")]
    {
        let (status, body) = c.salesforce("PATCH", &format!("{KEY}/h1"), json!({(field): value})).await?;
        assert_eq!((status, &body[0]["errorCode"], &body[0]["fields"]), (400, &json!(code), &json!([field])));
    }
    c.sim("POST", "clock", json!({"advance_ms": 61_000})).await?;
    assert_eq!(c.salesforce("GET", "/limits", Value::Null).await?.0, 401);
    c.sim("POST", "faults", json!({"salesforce": {"rate_limit_next": 1, "burst": {"calls": 1, "per_ms": 60_000}}}))
        .await?;
    let limited = c.salesforce_request("GET", &format!("{SALESFORCE}/limits"), Value::Null)?.send().await?;
    assert_eq!((limited.status().as_u16(), limited.headers().contains_key("Sforce-Limit-Info")), (403, true));
    assert_eq!(c.salesforce("GET", "/limits", Value::Null).await?.0, 200);
    let (status, body) = c.salesforce("GET", "/limits", Value::Null).await?;
    assert_eq!((status, &body[0]["errorCode"]), (403, &json!("REQUEST_LIMIT_EXCEEDED")));
    Ok(())
}

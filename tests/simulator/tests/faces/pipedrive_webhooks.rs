//! What Pipedrive documents of its webhooks, of the simulator's.

use crate::client::{Result, Subscriber};
use crate::pipedrive::{CLIENT, Company, LAST_CALL, PERSONS, SYNC_ID, email};
use serde_json::{Value, json};

#[tokio::test]
async fn webhooks_carry_basic_and_only_what_changed() -> Result {
    let c = Company::start().await?;
    let subscriber = Subscriber::start(vec![500]).await?;
    let hook = c.subscribe(&subscriber.url, "person").await?;
    assert!(hook["http_auth_password"].as_str().is_some_and(|p| p.contains("ENCRYPTED")), "{hook}");
    let made = c.person(json!({"name": "Ada King", "custom_fields": {(SYNC_ID): "h1"}})).await?;
    let id = made["id"].to_string();
    c.call("POST", "/api/v2/deals", json!({"title": "not subscribed"})).await?;
    let got = subscriber.wait(2).await;
    assert_eq!(got[0].header("authorization"), "Basic c3luYzpwYXNz");
    let (first, again) = (got[0].json()?, got[1].json()?);
    assert_eq!((&first["meta"]["attempt"], &again["meta"]["attempt"]), (&json!(1), &json!(2)));
    assert_eq!(first["meta"]["id"], again["meta"]["id"], "a retry is the same notification");
    let meta = &first["meta"];
    assert_eq!(
        (&meta["action"], &meta["entity"], &meta["change_source"]),
        (&json!("create"), &json!("person"), &json!("api"))
    );
    assert_eq!(
        (&meta["company_id"], &meta["entity_id"], &first["data"]["id"]),
        (&json!("6083095"), &json!(id), &made["id"])
    );
    assert_eq!(meta["webhook_id"], json!(hook["id"].to_string()));
    assert_eq!(
        first["data"]["custom_fields"],
        json!({(SYNC_ID): {"type": "varchar", "value": "h1"}, (LAST_CALL): null})
    );
    assert_eq!((&first["previous"], &first["data"]["visible_to"]), (&Value::Null, &json!("3")));

    c.call("PATCH", &format!("{PERSONS}/{id}"), json!({"name": "Ada King"})).await?;
    let user = |fields: Value| json!({"id": id, "fields": fields});
    c.sim
        .sim("POST", "pipedrive/persons", user(json!({"email": "a@example.com", "custom_fields": {(SYNC_ID): "h2"}})))
        .await?;
    c.sim.sim("POST", "pipedrive/persons", json!({"id": id, "delete": true})).await?;
    let got = subscriber.wait(4).await;
    let (change, delete) = (got[2].json()?, got[3].json()?);
    assert_eq!((&change["meta"]["action"], &change["meta"]["change_source"]), (&json!("change"), &json!("app")));
    assert_eq!(change["previous"]["custom_fields"], json!({(SYNC_ID): {"type": "varchar", "value": "h1"}}));
    assert_eq!((&change["previous"]["emails"], &change["previous"]["name"]), (&json!([]), &Value::Null));
    assert_eq!((&delete["data"], &delete["previous"]["name"]), (&Value::Null, &json!("Ada King")));
    assert_eq!(
        c.call("DELETE", &format!("/v1/webhooks/{}", hook["id"]), Value::Null).await?.1,
        json!({"status": "ok", "success": true})
    );
    assert_eq!(
        c.call(
            "POST",
            "/v1/webhooks",
            json!({"subscription_url": "ftp://x", "event_action": "*", "event_object": "*", "name": "n"})
        )
        .await?
        .0,
        400
    );
    Ok(())
}

#[tokio::test]
async fn ten_failed_first_attempts_ban_a_webhook_and_three_days_of_failure_delete_it() -> Result {
    let c = Company::start().await?;
    let subscriber = Subscriber::start(vec![500; 200]).await?;
    c.subscribe(&subscriber.url, "person").await?;
    let edits: Vec<Value> = (0..10).map(|n| json!({"fields": {"name": format!("P {n}")}})).collect();
    c.sim.sim("POST", "pipedrive/persons", json!(edits)).await?;
    for _ in 0..150 {
        if c.counter("banned").await? == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(c.counter("banned").await?, 1);
    let told = async |name: &str| {
        c.person(json!({"name": name})).await?;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
            subscriber.wait(0).await.iter().any(|d| d.body.contains(name)),
        )
    };
    assert!(!told("while banned").await?, "what happens in a ban is lost");
    c.advance(31 * 60 * 1000).await?;
    assert!(told("after the ban").await?);
    assert_eq!((c.counter("banned").await?, c.counter("webhooks").await?), (json!(0), json!(1)));
    c.advance(3 * 24 * 3_600_000).await?;
    let token = c.refresh(CLIENT).await?.1["access_token"].as_str().unwrap_or_default().to_owned();
    let later = Company { token, ..c };
    assert_eq!(later.get("/v1/webhooks").await?["data"], json!([]));
    Ok(())
}

#[tokio::test]
async fn a_merge_is_told_as_a_change_and_a_deletion() -> Result {
    let c = Company::start().await?;
    let subscriber = Subscriber::start(Vec::new()).await?;
    let loser =
        c.person(json!({"name": "A", "emails": email("a@example.com"), "job_title": "Countess"})).await?["id"].clone();
    let winner = c.person(json!({"name": "Ada King", "emails": email("ada@example.com")})).await?["id"].clone();
    c.subscribe(&subscriber.url, "*").await?;
    let (status, merged) =
        c.call("PUT", &format!("/api/v1/persons/{loser}/merge"), json!({"merge_with_id": winner})).await?;
    assert_eq!((status, &merged["data"]["id"], &merged["data"]["name"]), (200, &winner, &json!("Ada King")));
    let kept = c.get(&format!("{PERSONS}/{winner}")).await?["data"].clone();
    assert_eq!(
        (&kept["job_title"], &kept["emails"][1]["value"], &kept["emails"][1]["primary"]),
        (&json!("Countess"), &json!("a@example.com"), &json!(false))
    );
    assert_eq!(c.get(&format!("{PERSONS}/{loser}")).await?["data"]["is_deleted"], true);
    let got = subscriber.wait(2).await;
    let (delete, change) = (got[0].json()?, got[1].json()?);
    assert_eq!(
        (&delete["meta"]["action"], &delete["meta"]["merged_to_id"]),
        (&json!("delete"), &json!(winner.to_string()))
    );
    assert_eq!(
        (&change["meta"]["entity_id"], &change["meta"]["merged_from_id"]),
        (&json!(winner.to_string()), &json!(loser.to_string()))
    );
    Ok(())
}

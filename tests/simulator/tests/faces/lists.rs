//! What the vendors document about lists, views and filters, of the simulator's.

use crate::client::{Client, Result, id};
use crate::pipedrive::Company;
use crate::salesforce::{encoded, soql};
use serde_json::{Value, json};

async fn list(c: &Client, crm: &str, object: &str, field: &str, value: &str) -> Result<String> {
    let wish = json!({"crm": crm, "object": object, "field": field, "value": value});
    id(&c.sim("POST", "lists", wish).await?.1)
}

#[tokio::test]
async fn a_hubspot_list_says_what_it_is_of_and_shows_ids_in_their_order() -> Result {
    let c = Client::start().await?;
    let mut members = Vec::new();
    for n in 0..3 {
        members.push(c.contact(json!({"email": format!("m{n}@x.example"), "city": "Turin"})).await?);
        c.contact(json!({"email": format!("o{n}@x.example"), "city": "Rome"})).await?;
    }
    let list = list(&c, "hubspot", "contacts", "city", "Turin").await?;
    let path = format!("/crm/lists/2026-09/{list}");
    let (_, shown) = c.hubspot("GET", &path, Value::Null).await?;
    assert_eq!((&shown["list"]["listId"], &shown["list"]["objectTypeId"]), (&json!(list), &json!("0-1")));
    let ids = |page: &Value| -> Vec<String> {
        let rows = page["results"].as_array().into_iter().flatten();
        rows.filter_map(|row| row["recordId"].as_str().map(str::to_owned)).collect()
    };
    let (_, first) = c.hubspot("GET", &format!("{path}/memberships?limit=2"), Value::Null).await?;
    assert_eq!(ids(&first), members[..2]);
    let after = first["paging"]["next"]["after"].as_str().ok_or("no next page")?;
    let (_, last) = c.hubspot("GET", &format!("{path}/memberships?limit=2&after={after}"), Value::Null).await?;
    assert_eq!((ids(&last), last.get("paging")), (members[2..].to_vec(), None));
    for path in ["/crm/lists/2026-09/99", "/crm/lists/2026-09/99/memberships"] {
        assert_eq!(c.hubspot("GET", path, Value::Null).await?.0, 404);
    }
    Ok(())
}

#[tokio::test]
async fn a_salesforce_view_is_described_by_its_query_which_can_be_asked() -> Result {
    let c = Client::start().await?;
    for (email, city) in [("a@x.example", "It's"), ("b@x.example", "Rome")] {
        let lead = json!({"fields": {"LastName": "L", "Company": "Co", "Email": email, "Title": city}});
        c.sim("POST", "salesforce/lead", lead).await?;
    }
    let view = list(&c, "salesforce", "Lead", "Title", "It's").await?;
    let (_, described) = c.salesforce("GET", &format!("/sobjects/Lead/listviews/{view}/describe"), Value::Null).await?;
    let query = described["query"].as_str().ok_or("no query")?;
    assert!(query.contains("FROM Lead USING SCOPE everything WHERE Title = 'It\\'s' ORDER BY Name"), "{query}");
    assert_eq!(soql(&c, query).await?.1["totalSize"], json!(1));
    let (status, _) = c.salesforce("GET", &format!("/sobjects/Contact/listviews/{view}/describe"), Value::Null).await?;
    assert_eq!(status, 404, "it is a view of leads");
    let none = encoded("SELECT Id FROM Lead USING SCOPE");
    assert_eq!(c.salesforce("GET", &format!("/query?q={none}"), Value::Null).await?.0, 400);
    Ok(())
}

#[tokio::test]
async fn a_zoho_view_is_listed_and_its_token_is_good_for_it_alone() -> Result {
    let c = Client::start().await?;
    let ids = c.leads(3).await?;
    for lead in &ids[1..] {
        c.sim("POST", "zoho/leads", json!({"id": lead, "fields": {"City": "Turin"}})).await?;
    }
    let view = list(&c, "zoho", "Leads", "City", "Turin").await?;
    let path = "/crm/v8/Leads?fields=City&sort_by=id&sort_order=asc&per_page=1";
    let (_, first) = c.zoho("GET", &format!("{path}&cvid={view}"), Value::Null).await?;
    assert_eq!((id(&first["data"][0])?, &first["info"]["more_records"]), (ids[1].clone(), &json!(true)));
    let token = first["info"]["next_page_token"].as_str().ok_or("no token")?;
    let (_, last) = c.zoho("GET", &format!("{path}&cvid={view}&page_token={token}"), Value::Null).await?;
    assert_eq!((id(&last["data"][0])?, &last["info"]["more_records"]), (ids[2].clone(), &json!(false)));
    let (status, body) = c.zoho("GET", &format!("{path}&page_token={token}"), Value::Null).await?;
    assert_eq!((status, &body["code"]), (400, &json!("TOKEN_BOUND_DATA_MISMATCH")));
    assert_eq!(c.zoho("GET", &format!("{path}&cvid=7"), Value::Null).await?.0, 400);
    Ok(())
}

#[tokio::test]
async fn a_pipedrive_filter_lists_what_it_holds_for_and_ids_beside_it_are_ignored() -> Result {
    let c = Company::start().await?;
    let ada = c.person(json!({"name": "Ada"})).await?["id"].clone();
    let alan = c.person(json!({"name": "Alan"})).await?["id"].clone();
    let wish = json!({"crm": "pipedrive", "object": "persons", "field": "name", "value": "Ada"});
    let filter = id(&c.sim.sim("POST", "lists", wish).await?.1)?;
    let shown = c.get(&format!("/api/v2/persons?filter_id={filter}&ids={alan}")).await?;
    assert_eq!(
        shown["data"].as_array().map(|rows| rows.iter().map(|row| row["id"].clone()).collect()),
        Some(vec![ada])
    );
    assert_eq!(c.call("GET", "/api/v2/persons?filter_id=99", Value::Null).await?.0, 400);
    assert_eq!(
        c.call("GET", &format!("/api/v2/deals?filter_id={filter}"), Value::Null).await?.0,
        400,
        "it is of persons"
    );
    Ok(())
}

#[tokio::test]
async fn a_hubspot_list_that_is_kept_by_hand_takes_members_and_any_other_refuses_them() -> Result {
    let c = Client::start().await?;
    let (ada, alan) =
        (c.contact(json!({"email": "ada@x.example"})).await?, c.contact(json!({"email": "alan@x.example"})).await?);
    let wish = json!({"crm": "hubspot", "object": "contacts", "manual": true});
    let manual = id(&c.sim("POST", "lists", wish).await?.1)?;
    let path = format!("/crm/lists/2026-09/{manual}/memberships/add-and-remove");
    let moves = json!({"recordIdsToAdd": [ada, alan, "9"], "recordIdsToRemove": []});
    let (_, done) = c.hubspot("PUT", &path, moves.clone()).await?;
    assert_eq!((&done["recordsIdsAdded"], &done["recordIdsMissing"]), (&json!([ada, alan]), &json!(["9"])));
    assert_eq!(c.hubspot("PUT", &path, moves).await?.1["recordsIdsAdded"], json!([]), "they are on it already");
    let (_, done) = c.hubspot("PUT", &path, json!({"recordIdsToAdd": [], "recordIdsToRemove": [ada]})).await?;
    assert_eq!(done["recordIdsRemoved"], json!([ada]));
    let dynamic = list(&c, "hubspot", "contacts", "city", "Turin").await?;
    let path = format!("/crm/lists/2026-09/{dynamic}/memberships/add-and-remove");
    assert_eq!(c.hubspot("PUT", &path, json!({"recordIdsToAdd": [ada], "recordIdsToRemove": []})).await?.0, 400);
    Ok(())
}

#[tokio::test]
async fn nobody_is_in_a_salesforce_campaign_twice() -> Result {
    let c = Client::start().await?;
    let campaign = id(&c.sim("POST", "salesforce/Campaign", json!({"fields": {"Name": "Autumn"}})).await?.1)?;
    let lead = json!({"fields": {"LastName": "L", "Company": "Co", "Email": "a@x.example"}});
    let lead = id(&c.sim("POST", "salesforce/lead", lead).await?.1)?;
    let row = json!({"attributes": {"type": "CampaignMember"}, "CampaignId": campaign, "LeadId": lead});
    let body = json!({"allOrNone": false, "records": [row, row]});
    let (_, done) = c.salesforce("POST", "/composite/sobjects", body).await?;
    assert_eq!((&done[0]["success"], &done[1]["errors"][0]["statusCode"]), (&json!(true), &json!("DUPLICATE_VALUE")));
    let query = format!("SELECT Id, LeadId, ContactId FROM CampaignMember WHERE CampaignId = '{campaign}'");
    let (_, found) = soql(&c, &query).await?;
    assert_eq!((&found["totalSize"], &found["records"][0]["LeadId"]), (&json!(1), &json!(lead)));
    Ok(())
}

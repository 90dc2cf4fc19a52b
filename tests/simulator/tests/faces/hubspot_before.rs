//! The older names of HubSpot's API, by which other programs still read.

use crate::client::{Client, OBJECTS, Result};
use serde_json::{Value, json};

const BEFORE: &str = "/crm/v3/objects/contact";

#[tokio::test]
async fn version_3_is_the_same_under_another_name() -> Result {
    let c = Client::start().await?;
    for n in 0..3 {
        c.contact(json!({"email": format!("c{n}@example.com")})).await?;
    }
    let (_, now) = c.hubspot("GET", &format!("{OBJECTS}?limit=2"), Value::Null).await?;
    let (status, before) = c.hubspot("GET", &format!("{BEFORE}?limit=2"), Value::Null).await?;
    assert_eq!((status, &before["results"]), (200, &now["results"]));
    assert_eq!(before["paging"]["next"]["after"], now["paging"]["next"]["after"]);
    let calls = c.sim("GET", "calls", Value::Null).await?.1;
    assert_eq!(calls["hubspot"]["GET /crm/v3/objects/contact"], 1, "it is counted under the name that was asked");
    Ok(())
}

#[tokio::test]
async fn filters_without_a_group_are_one_group() -> Result {
    let c = Client::start().await?;
    for colour in ["red", "green"] {
        let contact = json!({"email": format!("{colour}@example.com"), "favourite_colour": colour, "city": "Oslo"});
        c.contact(contact).await?;
    }
    let filter = |name: &str, value: &str| json!({"propertyName": name, "operator": "EQ", "value": value});
    let body =
        json!({"filters": [filter("city", "Oslo"), filter("favourite_colour", "red")], "limit": 200, "after": 0});
    let (status, found) = c.hubspot("POST", &format!("{BEFORE}/search"), body).await?;
    assert_eq!((status, &found["total"]), (200, &json!(1)));
    assert_eq!(found["results"][0]["properties"]["email"], "red@example.com");
    Ok(())
}

#[tokio::test]
async fn version_2_of_properties_is_an_array() -> Result {
    let c = Client::start().await?;
    let (status, all) = c.hubspot("GET", "/properties/v2/contact/properties", Value::Null).await?;
    let named = |name: &str| all.as_array().into_iter().flatten().find(|p| p["name"] == name).cloned();
    let (email, id) = (named("email").ok_or("no e-mail")?, named("hs_object_id").ok_or("no id")?);
    assert_eq!((status, &email["type"], &email["readOnlyValue"]), (200, &json!("string"), &json!(false)));
    assert_eq!((&id["type"], &id["readOnlyValue"]), (&json!("number"), &json!(true)));
    Ok(())
}

#[tokio::test]
async fn custom_objects_are_described_with_their_properties() -> Result {
    let c = Client::start().await?;
    for path in ["/crm/v3/schemas", "/crm-object-schemas/2026-09/schemas"] {
        let (status, found) = c.hubspot("GET", path, Value::Null).await?;
        let vehicle = &found["results"][0];
        assert_eq!((status, &vehicle["fullyQualifiedName"]), (200, &json!("p62515_vehicle")), "{path}");
        let plate = vehicle["properties"].as_array().into_iter().flatten().any(|p| p["name"] == "plate");
        assert!(plate, "{vehicle}");
    }
    Ok(())
}

#[tokio::test]
async fn contacts_may_belong_to_contacts() -> Result {
    let c = Client::start().await?;
    let one = c.contact(json!({"email": "one@example.com"})).await?;
    let other = c.contact(json!({"email": "other@example.com"})).await?;
    let types = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 449}]);
    let body = json!({"inputs": [{"from": {"id": one}, "to": {"id": other}, "types": types}]});
    let (status, _) = c.hubspot("POST", "/crm/associations/2026-09/contacts/contacts/batch/create", body).await?;
    assert_eq!(status, 201);
    let read = json!({"inputs": [{"id": other}]});
    let (status, found) = c.hubspot("POST", "/crm/v4/associations/contact/contacts/batch/read", read).await?;
    assert_eq!((status, found["results"][0]["to"][0]["toObjectId"].to_string()), (200, one));
    let (status, none) =
        c.hubspot("POST", "/crm/v4/associations/contact/companies/batch/read", json!({"inputs": []})).await?;
    assert_eq!((status, &none["results"]), (200, &json!([])));
    Ok(())
}

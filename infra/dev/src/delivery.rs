//! Webhook deliveries of our own making: signed as the CRM does, or not quite.

use crate::stack::Connection;
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

pub(crate) struct Delivery {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// Says that somebody was changed in a connection's CRM, as that CRM says and proves it.
pub(crate) fn of(to: &Connection, id: &str, secret: &str, at_ms: u64) -> Delivery {
    match to.crm.as_str() {
        "zoho" => zoho(to, id, secret, at_ms),
        "salesforce" => salesforce(to, id, secret),
        "pipedrive" => pipedrive(to, id, secret, at_ms),
        _ => hubspot(to, id, secret, at_ms),
    }
}

/// Says that a contact's property was changed (HubSpot docs: webhooks), signed by `secret` at `at_ms`.
pub(crate) fn hubspot(to: &Connection, contact: &str, secret: &str, at_ms: u64) -> Delivery {
    let number = |id: &str| id.parse::<u64>().map_or_else(|_| json!(id), |n| json!(n));
    let event = json!([{
        "eventId": at_ms % 1_000_000, "subscriptionId": 1, "portalId": number(&to.account_id), "appId": 1,
        "occurredAt": at_ms, "subscriptionType": "contact.propertyChange", "attemptNumber": 0,
        "objectId": number(contact), "propertyName": "phone", "propertyValue": "+14155550666", "changeSource": "CRM_UI",
    }]);
    let body = event.to_string();
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-hubspot-request-timestamp".to_owned(), at_ms.to_string()),
        ("x-hubspot-signature-v3".to_owned(), hubspot_v3(secret, &to.webhook_url, &body, at_ms)),
    ];
    Delivery { url: to.webhook_url.clone(), headers, body }
}

/// HubSpot docs: validating requests, v3. Our URLs hold none of the escapes that are undone before.
fn hubspot_v3(secret: &str, url: &str, body: &str, at_ms: u64) -> String {
    // HMAC takes keys of any length, so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("POST{url}{body}{at_ms}").as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

/// Says that a lead was changed (Zoho docs: notifications); its proof is the channel's token in the body.
pub(crate) fn zoho(to: &Connection, lead: &str, token: &str, at_ms: u64) -> Delivery {
    let body: Value = json!({
        "server_time": at_ms, "query_params": {}, "module": "Leads", "resource_uri": "https://www.zohoapis.com/crm/v2/Leads",
        "ids": [lead], "affected_fields": [{lead: ["Phone"]}], "operation": "update", "channel_id": "1", "token": token,
    });
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Delivery { url: to.webhook_url.clone(), headers, body: body.to_string() }
}

/// Says how a lead is now (Salesforce docs: outbound messaging); its proof is the token in the URL.
fn salesforce(to: &Connection, lead: &str, token: &str) -> Delivery {
    let url = to.webhook_url.split('?').next().unwrap_or_default();
    let body = format!(
        r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>{}</OrganizationId><Notification><Id>04lxx0000000001AAA</Id><sObject xsi:type="sf:Lead" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>{lead}</sf:Id></sObject></Notification></notifications></soapenv:Body></soapenv:Envelope>"#,
        to.account_id
    );
    let headers = vec![("content-type".to_owned(), "text/xml; charset=utf-8".to_owned())];
    Delivery { url: format!("{url}?token={token}"), headers, body }
}

/// Says that a person was changed (Pipedrive docs: guide for webhooks v2); its proof is HTTP Basic.
fn pipedrive(to: &Connection, person: &str, password: &str, at_ms: u64) -> Delivery {
    let body = json!({
        "meta": {"action": "change", "entity": "person", "company_id": to.account_id, "entity_id": person, "id": format!("delivery-{at_ms}"), "version": "2.0"},
        "data": null, "previous": null,
    });
    let basic = BASE64_STANDARD.encode(format!("crm-sync:{password}"));
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("authorization".to_owned(), format!("Basic {basic}")),
    ];
    Delivery { url: to.webhook_url.clone(), headers, body: body.to_string() }
}

#[cfg(test)]
mod tests {
    use super::hubspot_v3;

    #[test]
    fn a_signature_is_what_any_other_hmac_says() {
        // printf 'POSThttps://example.com/webhooks/hubspot[]1795251600000' | openssl dgst -sha256 -hmac secret -binary | base64
        let signature = hubspot_v3("secret", "https://example.com/webhooks/hubspot", "[]", 1_795_251_600_000);
        assert_eq!(signature, "jkNKXNokeick6TwlAU1BtVgkkTfsdWFdX3CLm6mem54=");
    }
}

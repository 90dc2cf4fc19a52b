//! What an app's callback is told when a user has removed the app (Pipedrive docs: handling user app uninstallation).

use super::OUR_USER;
use super::company::Company;
use crate::calls::Crm;
use crate::clock::iso_ms;
use crate::webhooks::Item;
use http::Method;
use serde_json::json;

pub fn notice(company: &Company, callback: &str, now: i64) -> Item {
    let body = json!({
        "client_id": company.client_id, "company_id": company.id, "user_id": OUR_USER, "timestamp": iso_ms(now),
    });
    let secret = format!("{}:{}", company.client_id, company.client_secret);
    Item { method: Method::DELETE, ..Item::post(Crm::Pipedrive, callback.to_owned(), Some(secret), vec![body]) }
}

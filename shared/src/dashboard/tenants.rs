//! All tenants, for those who run the stack.

use super::{
    desk::{Desk, Listed},
    frame::{Page, Shown},
    words::{Tone, ago, pill},
};
use jiff::Timestamp;
use maud::html;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Tenant {
    id: String,
    name: Option<String>,
    since: Timestamp,
    left: Option<Timestamp>,
}

/// Which part of them is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    cursor: Option<String>,
}

pub async fn tenants(desk: &Desk<'_>, asked: Asked) -> Shown {
    let query: Vec<_> = asked.cursor.iter().map(|cursor| ("cursor", cursor.as_str())).collect();
    let tenants: Listed<Tenant> = desk.ask("tenants", &[], &query).await?;
    let now = desk.cx.now();
    let body = html! {
        @if tenants.items.is_empty() {
            div.empty { p { strong { "There is no tenant yet." } } p { "Take one on with " code { "POST /v1/tenants" } "." } }
        }
        ul.rows {
            @for tenant in &tenants.items {
                li.row {
                    div {
                        p.reason { a href={ (desk.base) "/tenants/" (tenant.id) } { (tenant.name.as_ref().unwrap_or(&tenant.id)) } }
                        p.small { (tenant.id) " · since " (ago(now, tenant.since)) }
                    }
                    @if tenant.left.is_some() { (pill(Tone::Idle, "left")) }
                }
            }
        }
        @if let Some(next) = &tenants.next { p { a.action href={ (desk.base) "/tenants?cursor=" (next) } { "More" } } }
    };
    Ok(Page::new("Tenants", body))
}

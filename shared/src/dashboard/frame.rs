//! What stands around every page.

use super::desk::Desk;
use crate::{
    control::{
        access::Reach,
        problem::{self, Problem},
    },
    id::hex,
};
use maud::{DOCTYPE, Markup, html};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The one stylesheet.
pub const STYLE: &str = include_str!("style.css");
/// Pages go without it; with it they show what changes.
pub const LIVE: &str = include_str!("live.js");
/// By which a file is sent.
pub const SEND: &str = include_str!("send.js");
/// The picture in a browser's tab.
pub const ICON: &str = include_str!("icon.svg");

/// Under which the stylesheet is kept for good: another one has another name.
pub static STYLE_NAME: LazyLock<String> = LazyLock::new(|| named(STYLE, "css"));
/// The same of the scripts.
pub static LIVE_NAME: LazyLock<String> = LazyLock::new(|| named(LIVE, "js"));
pub static SEND_NAME: LazyLock<String> = LazyLock::new(|| named(SEND, "js"));

fn named(text: &str, kind: &str) -> String {
    format!("{}.{kind}", hex(Sha256::digest(text).iter().take(6)))
}

/// What a page says.
pub struct Page {
    pub status: u16,
    pub title: String,
    pub body: Markup,
    /// It is another page that is meant.
    pub to: Option<String>,
    /// It shows what changes while somebody looks: looked at again after so many seconds.
    pub live: Option<u16>,
    /// The origin to which it sends a file, beside our own.
    pub sends_to: Option<String>,
}

/// Seconds after which a page that shows what changes is read again.
const EVERY: u16 = 15;

impl Page {
    pub fn new(title: impl Into<String>, body: Markup) -> Page {
        Page { status: 200, title: title.into(), body, to: None, live: None, sends_to: None }
    }

    pub fn live(self) -> Page {
        self.live_every(EVERY)
    }

    pub fn live_every(self, seconds: u16) -> Page {
        Page { live: Some(seconds), ..self }
    }
}

/// A page's story.
pub type Shown = Result<Page, Problem>;

const PLACES: [(&str, &str); 6] = [
    ("", "Overview"),
    ("/exceptions", "Exceptions"),
    ("/conflicts", "Conflicts"),
    ("/records", "Records"),
    ("/files", "Files"),
    ("/undo", "Undo"),
];

/// A page for somebody who has logged in.
pub fn framed(desk: &Desk<'_>, page: &Page) -> String {
    let here = desk.path.split('?').next().unwrap_or_default().strip_prefix(&format!("/tenants/{}", desk.tenant));
    let of = |place: &str| match place {
        "" => here == Some(""),
        place => here.is_some_and(|here| here.starts_with(place)),
    };
    let bar = html! {
        header {
            a.brand href={ (desk.base) "/" } { "CRM Sync" }
            @if !desk.tenant.is_empty() {
                @if desk.caller.reach == Reach::Platform {
                    a.tenant href={ (desk.base) "/tenants" } title="All tenants" { (desk.tenant) }
                } @else {
                    span.tenant { (desk.tenant) }
                }
                nav aria-label="Pages" {
                    @for (place, name) in PLACES {
                        a href=(desk.at(place)) aria-current=[of(place).then_some("page")] { (name) }
                    }
                }
            }
            form.who method="post" action={ (desk.base) "/logout" } {
                (desk.proof())
                span { @if let Some(name) = &desk.name { (name) ", " } (desk.caller.role.name()) }
                button.quiet type="submit" { "Log out" }
            }
        }
    };
    let said = desk.notice.as_ref().and_then(|notice| notice.said());
    let body = html! {
        h1 { (page.title) }
        @if let Some((well, text)) = said { p.notice.(if well { "good" } else { "warn" }) role="status" { (text) } }
        (page.body)
    };
    let place = if desk.tenant.is_empty() { String::new() } else { format!(" · {}", desk.tenant) };
    document(&desk.base, &format!("{}{place}", page.title), page, &bar, &body)
}

/// A page for whoever has not.
pub fn plain(base: &str, page: &Page) -> String {
    let bar = html! { header { a.brand href={ (base) "/" } { "CRM Sync" } } };
    document(base, &page.title, page, &bar, &html! { h1 { (page.title) } (page.body) })
}

fn document(base: &str, title: &str, page: &Page, bar: &Markup, body: &Markup) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · CRM Sync" }
                link rel="stylesheet" href={ (base) "/assets/" (*STYLE_NAME) };
                @if page.live.is_some() { script src={ (base) "/assets/" (*LIVE_NAME) } defer {} }
                @if page.sends_to.is_some() { script src={ (base) "/assets/" (*SEND_NAME) } defer {} }
                link rel="icon" type="image/svg+xml" href={ (base) "/assets/icon.svg" };
            }
            body {
                a.skip href="#main" { "To the page" }
                (bar)
                main #main data-live=[page.live] { (body) }
            }
        }
    };
    markup.into_string()
}

/// What went wrong, and what to do next.
pub fn trouble(problem: &Problem, trace: &str, back: &str) -> Page {
    let kind = problem.kind;
    let remedy = match kind {
        kind if kind == problem::NOT_FOUND || kind == problem::NO_ROUTE => {
            "Look at the address. What is another tenant's is not shown, and what was dealt with may be gone."
        }
        kind if kind == problem::REAUTH => {
            "Ask an admin for a link under the same name, and connect the account again. Nothing is lost meanwhile."
        }
        kind if kind == problem::UNREADABLE || kind == problem::CURSOR || kind == problem::METHOD => {
            "Go back, load that page anew, and try it there."
        }
        kind => kind.remedy,
    };
    let body = html! {
        div.notice.bad role="alert" {
            p { (problem.detail) "." }
            @if problem.faults.len() > 1 { ul { @for fault in &problem.faults { li { (fault) } } } }
        }
        p { (remedy) }
        p.next { a.action href=(back) { "Go back" } }
        p.small { "In the logs this is " code { (trace) } "." }
    };
    Page { status: kind.status, ..Page::new(kind.title, body) }
}

//! Somebody who has logged in, at the table of routes: what they may there by a token, they may here, and nothing else.

use super::{frame::Page, words::Notice};
use crate::{
    app::App,
    context::Context,
    control::{
        access::Caller,
        call::Call,
        problem::Problem,
        route::{Answer, Route, Sent},
        routes::ROUTES,
    },
    error::Error,
};
use maud::{Markup, html};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// One page's visitor.
pub struct Desk<'a> {
    pub app: &'a App,
    pub cx: &'a Context,
    pub caller: Caller,
    /// What the issuer calls them.
    pub name: Option<String>,
    /// What forms say, to be known as ours.
    pub form_token: String,
    /// What stands before each of our paths.
    pub base: String,
    /// Where CRMs and browsers reach what connects them.
    pub public: String,
    /// Whose pages these are; nobody's where all tenants are listed.
    pub tenant: String,
    /// The page that this is, behind `base`.
    pub path: String,
    /// What was done just now.
    pub notice: Option<Notice>,
}

const NO_PART_OF_A_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// A list, as the control API answers it.
#[derive(Debug, Deserialize)]
pub struct Listed<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

impl<T> Default for Listed<T> {
    fn default() -> Listed<T> {
        Listed { items: Vec::new(), next: None }
    }
}

/// The route of this name.
pub fn route(name: &str) -> Result<&'static Route, Problem> {
    let found = ROUTES.iter().find(|route| route.name == name);
    found.ok_or_else(|| Error::bug(format!("no route is called {name}")).into())
}

/// What a route answered.
pub struct Answered {
    of: &'static str,
    answer: Answer,
}

impl Answered {
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let unread = |e| Error::bug(format!("{} answers otherwise than its page reads", self.of)).because(e);
        Ok(serde_json::from_str(&self.answer.json).map_err(unread)?)
    }

    /// By which a change is meant for what was seen.
    pub fn version(&self) -> String {
        self.answer.etag.as_deref().unwrap_or_default().trim_matches('"').to_owned()
    }
}

impl Desk<'_> {
    /// Whether this visitor may call a route about this tenant: what they may not is not offered.
    pub fn may(&self, name: &str) -> bool {
        let tenant = self.tenant.parse().ok();
        route(name).is_ok_and(|route| self.caller.may(route.needs, tenant.as_ref()).is_ok())
    }

    /// What a route that reads answers. `places` are those of its path beside the tenant.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        name: &str,
        places: &[(&'static str, &str)],
        query: &(impl Serialize + ?Sized),
    ) -> Result<T, Problem> {
        let unwritten = |e| Error::bug("a query that cannot be written").because(e);
        let query = serde_urlencoded::to_string(query).map_err(unwritten)?;
        self.call(route(name)?, self.places(places), None, Sent { query, body: Vec::new() }).await?.read()
    }

    /// What a route of the tenant's answers to a body.
    pub async fn call_of<T: DeserializeOwned>(&self, name: &str, body: &Json) -> Result<T, Problem> {
        self.answer(route(name)?, self.places(&[]), None, body).await?.read()
    }

    /// What a route that acts answers.
    pub async fn act(
        &self,
        route: &'static Route,
        parts: BTreeMap<&'static str, String>,
        body: &Json,
    ) -> Result<Json, Problem> {
        self.answer(route, parts, None, body).await?.read()
    }

    /// The same as it comes, of what may only be changed by whoever has seen this version.
    pub async fn answer(
        &self,
        route: &'static Route,
        parts: BTreeMap<&'static str, String>,
        if_match: Option<String>,
        body: &Json,
    ) -> Result<Answered, Problem> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.call(route, parts, if_match, Sent { query: String::new(), body }).await
    }

    pub fn places(&self, places: &[(&'static str, &str)]) -> BTreeMap<&'static str, String> {
        let places = places.iter().map(|(name, value)| (*name, (*value).to_owned()));
        places.chain([("tenant", self.tenant.clone())]).filter(|(_, value)| !value.is_empty()).collect()
    }

    async fn call(
        &self,
        route: &'static Route,
        parts: BTreeMap<&'static str, String>,
        if_match: Option<String>,
        sent: Sent,
    ) -> Result<Answered, Problem> {
        let call = Call { app: self.app, cx: self.cx, parts, if_match, origin: self.public.clone() };
        Ok(Answered { of: route.name, answer: route.answer(&self.caller, &call, &sent).await? })
    }

    /// The address of a page of this tenant's; an id may hold what ends a path.
    pub fn at(&self, path: &str) -> String {
        let path = format!("/tenants/{}{path}", self.tenant);
        format!("{}{}", self.base, utf8_percent_encode(&path, NO_PART_OF_A_PATH))
    }

    /// A page of ours once more, which says what was done.
    pub fn told(&self, back: &str, notice: Notice) -> Page {
        let mark = notice.mark(&self.form_token);
        let Notice { did, done, left, more } = notice;
        let sign = if back.contains('?') { '&' } else { '?' };
        let to = format!("{}{back}{sign}did={did}&done={done}&left={left}&more={more}&mark={mark}", self.base);
        Page { to: Some(to), ..Page::new("", html! {}) }
    }

    /// A button that does something, and comes back to this page. The path is the route's, behind the tenant.
    pub fn button(&self, label: &str, path: &str, fields: &[(&str, &str)], class: &str) -> Markup {
        self.form(path, fields, &html! { button type="submit" class=(class) { (label) } })
    }

    /// A form with more in it than a button.
    pub fn form(&self, path: &str, fields: &[(&str, &str)], inside: &Markup) -> Markup {
        html! {
            form method="post" action=(self.at(path)) {
                (self.proof())
                @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
                (inside)
            }
        }
    }

    /// What every form says.
    pub fn proof(&self) -> Markup {
        html! {
            input type="hidden" name="form_token" value=(self.form_token);
            input type="hidden" name="back" value=(self.path);
        }
    }
}

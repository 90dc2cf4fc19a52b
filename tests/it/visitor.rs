//! Somebody at the dashboard by a browser that has no windows: it keeps cookies, follows where it is sent, and presses what pages show.

use crate::world::World;
use regex::Regex;
use reqwest::{Client, RequestBuilder, header, redirect::Policy};
use std::collections::BTreeMap;

pub(crate) struct Visitor<'w> {
    world: &'w World,
    http: Client,
    pub(crate) cookies: BTreeMap<String, String>,
    /// The page that is open.
    pub(crate) page: Page,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) to: Option<String>,
    pub(crate) set: Vec<String>,
    pub(crate) policy: String,
    pub(crate) text: String,
}

/// One form of a page: where it goes, and what it says.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) fields: BTreeMap<String, String>,
    text: String,
}

impl<'w> Visitor<'w> {
    pub(crate) fn new(world: &'w World) -> Visitor<'w> {
        let http = Client::builder().redirect(Policy::none()).build().unwrap();
        Visitor { world, http, cookies: BTreeMap::new(), page: Page::default() }
    }

    /// One of the people whom the issuer knows, logged in and at home.
    pub(crate) async fn at_home(world: &'w World, name: &str) -> Visitor<'w> {
        let mut visitor = Visitor::new(world);
        visitor.log_in(name).await;
        visitor
    }

    pub(crate) async fn log_in(&mut self, name: &str) {
        let back = self.says_who(name).await;
        self.open(&back).await;
    }

    /// As far as the issuer: where it sends the browser.
    pub(crate) async fn says_who(&mut self, name: &str) -> String {
        let asked = self.get("/login").await;
        let issuer = asked.to.unwrap_or_else(|| panic!("{}: {}", asked.status, asked.text));
        let said = self.http.post(issuer).form(&[("person", name)]).send().await.unwrap();
        said.headers()[header::LOCATION].to_str().unwrap().to_owned()
    }

    pub(crate) fn origin(&self) -> &str {
        self.world.app.settings.public_url.as_deref().unwrap()
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.origin()) }
    }

    /// One answer, wherever it leads.
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let call = self.http.get(self.url(path));
        self.send(call).await
    }

    /// The page on which this ends.
    pub(crate) async fn open(&mut self, path: &str) -> Page {
        let mut page = self.get(path).await;
        while let Some(to) = page.to.take().filter(|to| to.starts_with('/')) {
            page = self.get(&to).await;
        }
        self.page = page.clone();
        page
    }

    async fn send(&mut self, call: RequestBuilder) -> Page {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let call = if cookies.is_empty() { call } else { call.header(header::COOKIE, cookies) };
        let answer = call.send().await.unwrap();
        let text = |value: &header::HeaderValue| value.to_str().unwrap().to_owned();
        let set: Vec<String> = answer.headers().get_all(header::SET_COOKIE).iter().map(text).collect();
        for cookie in &set {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => drop(self.cookies.remove(name)),
                value => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        let to = answer.headers().get(header::LOCATION).map(text);
        let policy = answer.headers().get(header::CONTENT_SECURITY_POLICY).map(text).unwrap_or_default();
        Page { status: answer.status().as_u16(), to, set, policy, text: answer.text().await.unwrap() }
    }

    /// The form of the open page that says this.
    pub(crate) fn form(&self, says: &str) -> Form {
        let found = self.page.forms().into_iter().find(|form| form.text.contains(says));
        found.unwrap_or_else(|| panic!("no form says {says}: {}", self.page.text))
    }

    /// Sends a form as a page of ours does; the page after it.
    pub(crate) async fn press(&mut self, says: &str, filled: &[(&str, &str)]) -> Page {
        let mut form = self.form(says);
        form.fields.extend(filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let origin = self.origin().to_owned();
        let done = self.submit(&form, Some(&origin)).await;
        self.page = match &done.to {
            Some(to) => self.open(&to.clone()).await,
            None => done,
        };
        self.page.clone()
    }

    /// Sends a form from a page of this origin.
    pub(crate) async fn submit(&mut self, form: &Form, origin: Option<&str>) -> Page {
        let call = self.http.post(self.url(&form.action)).form(&form.fields);
        let call = if let Some(origin) = origin { call.header(header::ORIGIN, origin) } else { call };
        self.send(call).await
    }
}

impl Page {
    pub(crate) fn forms(&self) -> Vec<Form> {
        let form = Regex::new(r#"(?s)<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>"#).unwrap();
        let field = Regex::new(r#"<input[^>]*name="([^"]*)"(?:[^>]*value="([^"]*)")?[^>]*>"#).unwrap();
        // Whoever leaves a box unchecked says nothing by it.
        let is_said = |tag: &str| !tag.contains(r#"type="checkbox""#) || tag.contains(" checked");
        let plain =
            |text: &str| text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let found = form.captures_iter(&self.text).map(|form| {
            let fields = field.captures_iter(&form[2]).filter(|one| is_said(&one[0]));
            let fields = fields.map(|one| (plain(&one[1]), plain(one.get(2).map_or("", |value| value.as_str()))));
            Form { action: plain(&form[1]), fields: fields.collect(), text: form[2].to_owned() }
        });
        found.collect()
    }

    /// Whether all of this stands on it.
    pub(crate) fn shows(&self, all: &[&str]) {
        for one in all {
            assert!(self.text.contains(one), "{one:?} is not on the page ({}): {}", self.status, self.text);
        }
    }
}

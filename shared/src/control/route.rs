//! What a route is: who may call it, what it takes and answers, and its story. Everything that is told of a route comes from here.

use super::{
    access::{Caller, Needs, Refused},
    call::{Call, Told},
    problem::{self, Problem},
};
use crate::{error::Error, id::hex};
use futures::future::{FutureExt, LocalBoxFuture};
use http::Method;
use percent_encoding::percent_decode_str;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::error::Category;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// One entry of the table.
pub struct Route {
    pub method: Method,
    /// With places, such as `{tenant}`.
    pub path: &'static str,
    pub needs: Needs,
    /// Its name for programs.
    pub name: &'static str,
    /// What it does, for people.
    pub about: &'static str,
    /// It changes what others may change too, and wants the version that the change is meant for.
    pub guarded: bool,
    /// What it takes: of a read in its query, otherwise as its body.
    pub takes: SchemaOf,
    pub answers: SchemaOf,
    pub story: Story,
}

pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;
pub type Story =
    Box<dyn for<'a> Fn(&'a Call<'a>, &'a Sent) -> LocalBoxFuture<'a, Result<Answer, Problem>> + Send + Sync>;

/// What a caller sent beside the path.
#[derive(Debug, Default)]
pub struct Sent {
    pub query: String,
    pub body: Vec<u8>,
}

/// An answer, written out.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub json: String,
    pub etag: Option<String>,
}

/// Of a route that takes nothing.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Of a route that has nothing to tell but that it was done.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Done {
    pub done: bool,
}

impl Route {
    pub fn new<In, Out, F>(
        method: Method,
        path: &'static str,
        needs: Needs,
        name: &'static str,
        about: &'static str,
        story: F,
    ) -> Route
    where
        In: DeserializeOwned + JsonSchema + 'static,
        Out: Serialize + JsonSchema + 'static,
        F: AsyncFn(&Call<'_>, In) -> Told<Out> + Copy + Send + Sync + 'static,
    {
        let reads = method == Method::GET;
        // What replaces something is said in full.
        let may_be_silent = method != Method::PUT;
        let story: Story = Box::new(move |call, sent| {
            async move {
                let taken = if reads { asked(&sent.query)? } else { body(sent, may_be_silent)? };
                let reply = story(call, taken).await?;
                let unwritten = |e| Error::bug("an answer that is no JSON").because(e);
                let json = serde_json::to_string(&reply.body).map_err(unwritten)?;
                Ok(Answer { json, etag: reply.etag })
            }
            .boxed_local()
        });
        // A query is no type of its own to whoever calls.
        let takes: SchemaOf = if reads { In::json_schema } else { SchemaGenerator::subschema_for::<In> };
        let answers: SchemaOf = SchemaGenerator::subschema_for::<Out>;
        Route { method, path, needs, name, about, guarded: false, takes, answers, story }
    }

    /// The same route, for what two could overwrite each other's change of.
    pub fn guarded(self) -> Route {
        Route { guarded: true, ..self }
    }

    /// What stands in this path's places; `None` where it is another's path.
    pub fn matches(&self, path: &str) -> Option<BTreeMap<&'static str, String>> {
        let (mine, given) = (self.path.split('/'), path.split('/'));
        if mine.clone().count() != given.clone().count() {
            return None;
        }
        let mut parts = BTreeMap::new();
        for (mine, given) in mine.zip(given) {
            match mine.strip_prefix('{').and_then(|place| place.strip_suffix('}')) {
                Some(place) => {
                    let given = percent_decode_str(given).decode_utf8().ok().filter(|given| !given.is_empty())?;
                    parts.insert(place, given.into_owned());
                }
                None if mine == given => {}
                None => return None,
            }
        }
        Some(parts)
    }

    /// Whether somebody may call it for whom the call is about.
    fn admit(&self, caller: &Caller, call: &Call<'_>) -> Result<(), Problem> {
        let tenant = call.parts.contains_key("tenant").then(|| call.tenant()).transpose()?;
        caller.may(self.needs, tenant.as_ref()).map_err(|refused| match refused {
            Refused::NotTheirs => Problem::not_found("tenant"),
            Refused::Role(role) => Problem::new(problem::ROLE, format!("it takes the role {}", role.name())),
            Refused::Platform => Problem::new(problem::PLATFORM, "it is about more than one tenant"),
        })
    }

    /// What it answers to somebody who may call it, by a token or in a browser; there is no other way to a story.
    pub async fn answer(&self, caller: &Caller, call: &Call<'_>, sent: &Sent) -> Result<Answer, Problem> {
        self.admit(caller, call)?;
        // Who it was, for the log: some issuers name people by their e-mail address.
        let who = hex(Sha256::digest(&caller.subject).iter().take(8));
        tracing::info!(route = self.name, who, trace = call.cx.trace, "called");
        if self.needs == Needs::Platform || !call.parts.contains_key("tenant") {
            return (self.story)(call, sent).await;
        }
        let known = async || -> Result<(), Problem> {
            let tenancy = call.app.store.tenancy(&call.tenant()?).await?;
            tenancy.map(drop).ok_or_else(|| Problem::not_found("tenant"))
        };
        if self.method != Method::GET {
            known().await?;
            return (self.story)(call, sent).await;
        }
        // What only reads need not wait for it.
        let (known, answer) = futures::join!(known(), (self.story)(call, sent));
        known.and(answer)
    }

    /// The places of its path.
    pub fn places(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

fn asked<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    serde_urlencoded::from_str(query).map_err(|e| Problem::new(problem::UNREADABLE, format!("the query: {e}")))
}

fn body<T: DeserializeOwned>(sent: &Sent, may_be_silent: bool) -> Result<T, Problem> {
    let body = if sent.body.is_empty() && may_be_silent { b"{}" } else { sent.body.as_slice() };
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => Problem::faults(vec![error.to_string()]),
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::new(problem::UNREADABLE, format!("the body is no JSON: {error}"))
        }
    })
}

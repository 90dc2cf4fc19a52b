//! One call of a route, and its answer.

use super::{
    page::place,
    problem::{self, Problem},
};
use crate::{
    app::App,
    connection::Connection,
    context::Context,
    id::{RecordId, TenantId},
    record::{Object, Record},
    store::{Place, keys},
};
use std::{collections::BTreeMap, time::Duration};

/// A call that its caller may make.
#[derive(Debug)]
pub struct Call<'a> {
    pub app: &'a App,
    pub cx: &'a Context,
    /// What stands in the path's places.
    pub parts: BTreeMap<&'static str, String>,
    /// The version that a change is meant for, as its answer's ETag named it.
    pub if_match: Option<String>,
    /// Where we are reached from outside.
    pub origin: String,
}

/// What a page of a walk takes, and some more.
const STRETCH: Duration = Duration::from_secs(12);

/// What a story answers.
pub type Told<T> = Result<Reply<T>, Problem>;

/// An answer, with its version where somebody may change it.
#[derive(Debug)]
pub struct Reply<T> {
    pub body: T,
    pub etag: Option<String>,
}

impl<T> From<T> for Reply<T> {
    fn from(body: T) -> Reply<T> {
        Reply { body, etag: None }
    }
}

impl<T> Reply<T> {
    pub fn at(body: T, version: u64) -> Reply<T> {
        Reply { body, etag: Some(format!("\"{version}\"")) }
    }
}

/// A text for people is no longer than this, in characters.
const LONGEST: usize = 200;

/// Refuses a text for people that is too long for them.
pub fn short(what: &str, text: &str) -> Result<(), Problem> {
    match text.chars().count() > LONGEST {
        true => Err(Problem::faults(vec![format!("{what}: it has at most {LONGEST} characters")])),
        false => Ok(()),
    }
}

/// Why somebody stops something.
pub fn reason(given: Option<String>) -> Result<String, Problem> {
    let reason = given.unwrap_or_else(|| "by hand".to_owned());
    short("reason", &reason).map(|()| reason)
}

impl Call<'_> {
    /// What stands in a place of the path; an id that cannot be one names nothing.
    pub fn part<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, Problem> {
        let part = self.parts.get(name).and_then(|part| part.parse().ok());
        part.ok_or_else(|| Problem::not_found(name))
    }

    pub fn tenant(&self) -> Result<TenantId, Problem> {
        self.part("tenant")
    }

    pub async fn connection(&self) -> Result<Connection, Problem> {
        let found = self.app.store.connection(&self.tenant()?, &self.part("connection")?).await?;
        found.ok_or_else(|| Problem::not_found("connection"))
    }

    pub fn object(&self) -> Result<Object, Problem> {
        self.part("object")
    }

    pub async fn record(&self) -> Result<Record, Problem> {
        let id: RecordId = self.part("record")?;
        let found = self.app.store.record(&self.tenant()?, &id).await?;
        found.ok_or_else(|| Problem::not_found("record"))
    }

    /// Where a walk over the tenant's records goes on.
    pub fn walks_from(&self, cursor: Option<&str>) -> Result<Place, Problem> {
        let (shard, after): Place = place(cursor)?.unwrap_or_default();
        let tenant = self.tenant()?;
        match &after {
            Some(id) if keys::record(&tenant, id).pk != keys::record_shard(&tenant, shard) => {
                Err(Problem::new(problem::CURSOR, "the cursor is of another list"))
            }
            _ => Ok((shard, after)),
        }
    }

    /// Whether there is time for another stretch of a walk.
    pub fn has_time(&self) -> bool {
        self.cx.left() > STRETCH
    }

    /// The version that a change is meant for.
    pub fn meant_for(&self) -> Result<u64, Problem> {
        let Some(tag) = &self.if_match else {
            return Err(Problem::new(problem::UNCONDITIONAL, "this changes what others may change too"));
        };
        // A tag that is none of ours is that of no version.
        Ok(tag.trim().trim_matches('"').parse().unwrap_or(u64::MAX))
    }
}

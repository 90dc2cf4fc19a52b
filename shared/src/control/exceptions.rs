//! What waits for a person: exceptions, conflicts, and deletions that rest.

use super::{
    call::{Call, Told},
    page::{LONGEST_KEY, Limit, Page, cursor, key},
    problem::{self, Problem},
    route::{Done, Nothing},
};
use crate::{
    decisions::Resolved,
    error::Error,
    id::{ConnectionId, RecordId},
    planner::Take,
    record::Value,
    retry::Retried,
    store::{Exception, Open},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An open question to a person.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Exception")]
pub struct Shown {
    id: String,
    /// Stable, such as `unknown_placeholder`.
    code: String,
    /// What happened.
    reason: String,
    /// What to do about it.
    remedy: String,
    at: Timestamp,
    state: Open,
    connection: Option<ConnectionId>,
    record: Option<RecordId>,
    field: Option<String>,
    /// By which the logs tell of it.
    trace: String,
    /// Of a conflict: what either side says.
    #[serde(skip_serializing_if = "Option::is_none")]
    sides: Option<Sides>,
}

/// A field that two sides say otherwise; a long text as its digest.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Sides {
    /// What both had agreed on before; null where they had not.
    agreed: Option<Value>,
    /// What the hub says now.
    ours: Option<Value>,
    /// What the CRM showed when we last looked.
    theirs: Option<Value>,
}

impl From<Exception> for Shown {
    fn from(exception: Exception) -> Shown {
        let Exception { id, code, reason, remedy, at, state, connection, record, field, trace, .. } = exception;
        // An id may say anything that a path cannot.
        let id = BASE64_URL_SAFE_NO_PAD.encode(id);
        Shown { id, code, reason, remedy, at, state, connection, record, field, trace, sides: None }
    }
}

/// Which of them are asked for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Listed {
    /// `next` of the page before.
    cursor: Option<String>,
    limit: Limit,
    /// Left out, the open ones.
    state: Open,
    /// Of one kind, such as `conflict`.
    code: Option<String>,
    connection: Option<ConnectionId>,
}

pub async fn list(call: &Call<'_>, asked: Listed) -> Told<Page<Shown>> {
    let (exceptions, next) = page(call, &asked).await?;
    Ok(Page { items: exceptions.into_iter().map(Shown::from).collect(), next: next.as_ref().map(cursor) }.into())
}

/// One read of the table: of what is there, that which was asked for.
async fn page(call: &Call<'_>, asked: &Listed) -> Result<(Vec<Exception>, Option<String>), Problem> {
    let after = key(asked.cursor.as_deref(), "")?;
    let tenant = call.tenant()?;
    let (mut all, next) = call.app.store.exception_page(&tenant, after.as_deref(), asked.limit.rows()).await?;
    all.retain(|one| {
        let code = asked.code.as_ref().is_none_or(|code| one.code == *code);
        one.state == asked.state && code && (asked.connection.is_none() || one.connection == asked.connection)
    });
    Ok((all, next))
}

async fn one(call: &Call<'_>) -> Result<Exception, Problem> {
    let lacking = || Problem::not_found("exception");
    let id: String = call.part("exception")?;
    let id = BASE64_URL_SAFE_NO_PAD.decode(id).ok().and_then(|id| String::from_utf8(id).ok()).ok_or_else(lacking)?;
    // The table's keys are not longer than that, nor empty.
    if id.is_empty() || id.len() > LONGEST_KEY {
        return Err(lacking());
    }
    call.app.store.exception(&call.tenant()?, &id).await?.ok_or_else(lacking)
}

pub async fn show(call: &Call<'_>, _: Nothing) -> Told<Shown> {
    let exception = one(call).await?;
    let sides = sides(call, &exception).await?;
    Ok(Shown { sides, ..exception.into() }.into())
}

async fn sides(call: &Call<'_>, exception: &Exception) -> Result<Option<Sides>, Problem> {
    if exception.code != "conflict" {
        return Ok(None);
    }
    let (Some(connection), Some(record), Some(field)) = (&exception.connection, &exception.record, &exception.field)
    else {
        return Ok(None);
    };
    let store = &call.app.store;
    let (Some(record), Some(connection)) =
        (store.record(&exception.tenant, record).await?, store.connection(&exception.tenant, connection).await?)
    else {
        return Ok(None);
    };
    let hub = connection.mapping(&record.object).ok().and_then(|mapping| mapping.hub_of(field));
    let theirs = record.links.get(&connection.id).and_then(|link| link.agreed.get(field)?.theirs.clone());
    let ours = hub.and_then(|hub| record.fields.said(hub)).and_then(|written| written.value);
    Ok(Some(Sides { agreed: exception.agreed.clone(), ours, theirs }))
}

/// What became of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Retried")]
pub struct Tried {
    /// It goes the normal way once more; what fails again is raised again.
    retried: usize,
    /// Nothing that can be done once more belongs to it: its remedy says what to do.
    left: usize,
    /// Where to go on, of several; null at the end.
    next: Option<String>,
}

pub async fn retry(call: &Call<'_>, _: Nothing) -> Told<Tried> {
    let exception = one(call).await?;
    match call.app.retry(call.cx, &exception).await? {
        Retried::Again => Ok(Tried { retried: 1, left: 0, next: None }.into()),
        Retried::Nothing => {
            let remedy = format!("there is nothing to do once more. {}", exception.remedy);
            Err(Problem::new(problem::CONFLICT, remedy))
        }
    }
}

/// Which are to be done once more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RetryAll")]
pub struct Several {
    /// Of one kind.
    code: String,
    #[serde(default)]
    connection: Option<ConnectionId>,
    /// `next` of the answer before.
    #[serde(default)]
    cursor: Option<String>,
}

/// A page of them: whoever has many asks until there is no `next`.
pub async fn retry_all(call: &Call<'_>, Several { code, connection, cursor: from }: Several) -> Told<Tried> {
    let asked = Listed { cursor: from, code: Some(code), connection, ..Listed::default() };
    let (exceptions, next) = page(call, &asked).await?;
    let mut tried = Tried { retried: 0, left: 0, next: next.as_ref().map(cursor) };
    for exception in &exceptions {
        match call.app.retry(call.cx, exception).await {
            Ok(Retried::Again) => tried.retried += 1,
            Ok(Retried::Nothing) | Err(Error::Config { .. } | Error::AuthExpired { .. }) => tried.left += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(tried.into())
}

/// A person has seen to it, or need not: it is no open question any more.
pub async fn dismiss(call: &Call<'_>, _: Nothing) -> Told<Shown> {
    let exception = one(call).await?;
    if exception.code == "conflict" && exception.state == Open::Open {
        let what = "a conflict ends when a side is chosen: POST …/connections/{connection}/conflicts";
        return Err(Problem::new(problem::CONFLICT, what));
    }
    call.app.store.resolve(&exception.tenant, &exception.id, call.cx.now()).await?;
    show(call, Nothing {}).await
}

/// Which side is right.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The hub's values, or what the CRM shows.
    take: Take,
    /// The ids of these conflicts; left out, all of the connection.
    #[serde(default)]
    #[schemars(length(max = 200))]
    exceptions: Option<Vec<String>>,
}

pub async fn decide(call: &Call<'_>, Decision { take, exceptions }: Decision) -> Told<Resolved> {
    let connection = call.connection().await?;
    let mut conflicts = call.app.store.exceptions(&connection.tenant).await?;
    if let Some(named) = exceptions {
        conflicts.retain(|one| named.contains(&BASE64_URL_SAFE_NO_PAD.encode(&one.id)));
    }
    Ok(call.app.resolve(call.cx, &connection, &conflicts, take).await?.into())
}

/// The other side is right after all.
pub async fn take_back(call: &Call<'_>, _: Nothing) -> Told<Shown> {
    let exception = one(call).await?;
    let of = exception.connection.as_ref().ok_or_else(|| Problem::new(problem::CONFLICT, "this is no conflict"))?;
    let connection = call.app.store.connection(&exception.tenant, of).await?;
    let connection = connection.ok_or_else(|| Problem::not_found("connection"))?;
    call.app.take_back(call.cx, &connection, &exception).await?;
    show(call, Nothing {}).await
}

/// Whether so many deletions were meant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Meant {
    /// True: the connection's policy holds for them. False: nobody else hears of them.
    meant: bool,
}

/// `done` is false where none rest.
pub async fn decide_deletions(call: &Call<'_>, Meant { meant }: Meant) -> Told<Done> {
    let connection = call.connection().await?;
    Ok(Done { done: call.app.decide_deletions(call.cx, &connection, meant).await? }.into())
}

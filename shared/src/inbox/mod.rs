//! Sync requests: applied once each, in waves of people that have nothing to do with each other.

mod named;
mod plan;
mod refusal;
mod rows;
mod suspects;

pub use rows::{Outcome, apply_rows};

use crate::{
    app::App,
    change::Fetching,
    context::Context,
    engagement::{self, Noted},
    error::{Error, Fate, Result},
    id::{RecordId, RequestId, TenantId, hex},
    queue::receives,
    record::{Key, Object, Record, Region, canonical},
    request::{Fetch, SyncRequest},
    store::{Became, Commit, Lost, Once},
    sync::{Pushes, Tenant, Who, who},
};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use futures::{StreamExt, stream};
use named::named;
use plan::{Engaged, Plan, plan};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};
use suspects::Suspects;

/// Requests that are stored at the same time.
const AT_ONCE: usize = 16;
/// Requests in one wave: as many keys as a few batched reads take.
const WAVE: usize = 100;
/// No wave is begun with less than this left.
const WAVE_TAKES: Duration = Duration::from_secs(10);
/// When a request that met a broken assumption of ours comes back.
const BROKEN: Duration = Duration::from_secs(300);
/// How often a request that lost a race is planned again before it is handed back.
const ROUNDS: u32 = 8;

/// One request and what it came in: a message, a row of a file.
struct Letter<S = Slip> {
    slip: S,
    request: SyncRequest,
    /// Of the body: the same id with another body is another request.
    digest: String,
    rounds: u32,
}

/// What is needed to hand a message back.
struct Slip {
    message: String,
    receipt: String,
    receives: u32,
}

/// A message that comes back later, and why.
struct Kept {
    slip: Slip,
    why: Error,
}

/// How requests are done.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Whatever is odd about them waits for a person.
    Messages,
    /// What is odd about them is told row by row.
    Rows,
    /// Nothing is stored.
    Rehearsal,
}

/// How a request ended.
enum End {
    Done(Plan),
    Later(Error),
}

/// One batch of the queue `sync-requests`.
pub async fn requests(app: &App, cx: &Context, event: SqsEvent) -> Result<SqsBatchResponse> {
    let (mut letters, mut kept) = (Vec::new(), Vec::new());
    for message in event.records {
        let receives = receives(&message);
        let body = message.body.unwrap_or_default();
        let slip = Slip {
            message: message.message_id.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
            receives,
        };
        match SyncRequest::parse(&body) {
            Ok(request) => letters.push(Letter { slip, request, digest: digest(&body), rounds: 0 }),
            Err(refused) => {
                let done = match Fetch::is_meant(&body) {
                    true => hand_on(app, cx, &slip.message, &body).await,
                    false => refusal::raise(app, cx, &slip.message, &body, &refused).await,
                };
                kept.extend(done.err().map(|why| Kept { slip, why }));
            }
        }
    }
    let suspects = Suspects::among(app, cx, &letters).await?;
    let done = suspects.apart(app, cx, letters).await;
    suspects.survived(app).await?;
    kept.extend(done?);
    Ok(hand_back(app, cx, kept).await)
}

/// Reading from a CRM takes its time, and has a queue of its own.
async fn hand_on(app: &App, cx: &Context, message: &str, body: &str) -> Result<()> {
    match Fetch::parse(body) {
        Ok(fetch) => {
            tracing::info!(fetch = %fetch.id, trace = cx.trace, "a fetch is asked for");
            app.start_fetch(cx, Fetching::of(fetch)).await
        }
        Err(refused) => refusal::raise(app, cx, message, body, &refused).await,
    }
}

/// Of what a body says, however it is spelt.
fn digest(body: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    hex(&Sha256::digest(json.to_string()))
}

/// Requests of any tenants; those that come back later.
async fn apply_all(app: &App, cx: &Context, letters: Vec<Letter>) -> Result<Vec<Kept>> {
    let mut by_tenant: BTreeMap<(TenantId, Object), VecDeque<Letter>> = BTreeMap::new();
    for letter in letters {
        let of = (letter.request.tenant_id.clone(), letter.request.object.clone());
        by_tenant.entry(of).or_default().push_back(letter);
    }
    let mut kept = Vec::new();
    for ((tenant, object), letters) in by_tenant {
        let ended = of_tenant(app, cx, &tenant, &object, letters, Way::Messages).await?;
        kept.extend(ended.into_iter().filter_map(|(slip, end)| match end {
            End::Done(_) => None,
            End::Later(why) => Some(Kept { slip, why }),
        }));
    }
    Ok(kept)
}

/// Hides what is kept until its time comes.
async fn hand_back(app: &App, cx: &Context, kept: Vec<Kept>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for Kept { slip, why } in kept {
        let after = match why.fate(slip.receives) {
            Fate::Again { after } => after,
            Fate::Done | Fate::Dead => BROKEN,
        };
        tracing::info!(
            error = crate::telemetry::chain(&why),
            after = after.as_secs(),
            trace = cx.trace,
            "a request comes back later"
        );
        app.queue.hide(&app.settings.sync_requests, &slip.receipt, after).await;
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = slip.message;
        response.batch_item_failures.push(failure);
    }
    response
}

/// A tenant's requests about one object; how each ended.
async fn of_tenant<S>(
    app: &App,
    cx: &Context,
    id: &TenantId,
    object: &Object,
    mut letters: VecDeque<Letter<S>>,
    way: Way,
) -> Result<Vec<(S, End)>> {
    let tenant = Tenant::load(app, id).await?;
    let (mut pushes, mut ended) = (Pushes::default(), Vec::with_capacity(letters.len()));
    let later = |what: &str| Error::Retryable { what: what.to_owned(), after: Some(Duration::ZERO), source: None };
    while !letters.is_empty() {
        if cx.left() < WAVE_TAKES {
            ended.extend(letters.drain(..).map(|letter| (letter.slip, End::Later(later("no time is left")))));
            break;
        }
        let wave = next_wave(&mut letters, &tenant);
        for (letter, plan, outcome) in apply_wave(app, cx, &tenant, object, wave, &mut pushes, way).await? {
            match outcome {
                Done::Yes => ended.push((letter.slip, End::Done(plan))),
                Done::Race if letter.rounds < ROUNDS => {
                    letters.push_front(Letter { rounds: letter.rounds + 1, ..letter })
                }
                Done::Race => ended.push((letter.slip, End::Later(later("its record keeps moving")))),
                Done::Failed(why) => ended.push((letter.slip, End::Later(why))),
            }
        }
    }
    pushes.send(app, cx).await?;
    Ok(ended)
}

/// The next requests of which no two concern one person; the others wait for the next wave, in their order.
fn next_wave<S>(letters: &mut VecDeque<Letter<S>>, tenant: &Tenant) -> Vec<(Letter<S>, Vec<Key>)> {
    let (mut wave, mut rest) = (Vec::new(), VecDeque::new());
    let (mut keys_taken, mut ids_taken) = (BTreeSet::new(), BTreeSet::new());
    for letter in letters.drain(..) {
        let keys = whom(&letter.request, tenant);
        let known = ids_taken.contains(&letter.request.id) || keys.iter().any(|key| keys_taken.contains(key));
        let clash = known || wave.len() >= WAVE;
        keys_taken.extend(keys.iter().cloned());
        ids_taken.insert(letter.request.id.clone());
        match clash {
            true => rest.push_back(letter),
            false => wave.push((letter, keys)),
        }
    }
    *letters = rest;
    wave
}

/// Whom a request is about.
fn whom(request: &SyncRequest, tenant: &Tenant) -> Vec<Key> {
    let named = named(request, tenant).into_iter();
    let remotes = named.filter_map(|named| Some(Key::Remote(named.connection.id.clone(), named.remote?)));
    remotes.chain(keys_named(&request.object, &request.lead, &tenant.region)).collect()
}

/// What a request's fields say of whom it is about.
pub fn keys_named(object: &Object, lead: &BTreeMap<String, serde_json::Value>, region: &Region) -> Vec<Key> {
    let text = |field: &str| match lead.get(field)? {
        serde_json::Value::String(text) => Some(text.trim().to_owned()).filter(|t| !t.is_empty()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Key::among(object, text, region)
}

enum Done {
    Yes,
    Race,
    Failed(Error),
}

async fn apply_wave<S>(
    app: &App,
    cx: &Context,
    tenant: &Tenant,
    object: &Object,
    wave: Vec<(Letter<S>, Vec<Key>)>,
    pushes: &mut Pushes,
    way: Way,
) -> Result<Vec<(Letter<S>, Plan, Done)>> {
    let Some((first, _)) = wave.first() else { return Ok(Vec::new()) };
    let id = first.request.tenant_id.clone();
    let people: Vec<Vec<Key>> = wave.iter().map(|(_, keys)| keys.clone()).collect();
    let ids: Vec<_> = wave.iter().map(|(letter, _)| letter.request.id.clone()).collect();
    let keys: Vec<Key> = people.iter().flatten().cloned().collect();
    let (done_before, holders) = app.store.known(&id, object, &ids, &keys, cx.now()).await?;
    let found = who(app, &id, &people, &holders).await?;
    let engaged = engaged(app, tenant, &wave, &found).await?;
    let of_erased = of_erased(app, &id, &wave).await?;
    let planned = wave.into_iter().zip(found).map(|((letter, keys), who)| {
        let plan = plan(
            &letter.request,
            &letter.digest,
            &keys,
            who,
            done_before.get(&letter.request.id),
            tenant,
            &engaged,
            of_erased.contains(&letter.request.id),
            cx,
        );
        (letter, plan)
    });
    let planned: Vec<_> = planned.collect();
    if way == Way::Rehearsal {
        return Ok(planned.into_iter().map(|(letter, plan)| (letter, plan, Done::Yes)).collect());
    }
    let stored = stream::iter(planned).map(|(letter, plan)| async {
        let done = store(app, cx, &tenant.region, &letter, &plan, way).await;
        (letter, plan, done)
    });
    let stored: Vec<_> = stored.buffer_unordered(AT_ONCE).collect().await;
    for (_, plan, done) in &stored {
        if let (Done::Yes, Some(record)) = (done, plan.record()) {
            pushes.note(record.clone());
        }
    }
    Ok(stored)
}

/// The notes and tasks of a wave that are about somebody who was erased: nothing is kept of those either.
async fn of_erased<S>(app: &App, tenant: &TenantId, wave: &[(Letter<S>, Vec<Key>)]) -> Result<BTreeSet<RequestId>> {
    let about = wave.iter().filter_map(|(Letter { request, .. }, _)| {
        let is_said = matches!(request.object, Object::Note | Object::Task);
        let mut fields = request.lead.iter().filter(|(name, _)| canonical(&request.object, name) == "contact_id");
        Some((request.id.clone(), fields.next().filter(|_| is_said)?.1.as_str()?.trim().to_owned()))
    });
    let about: Vec<(RequestId, String)> = about.collect();
    if about.is_empty() {
        return Ok(BTreeSet::new());
    }
    let keys: Vec<Key> = about.iter().map(|(_, name)| Key::Own(name.clone())).collect();
    let holders = app.store.holders(tenant, &Object::Person, &keys).await?;
    let ours = about.iter().filter_map(|(_, name)| name.parse().ok());
    let ids: Vec<RecordId> = holders.values().flatten().cloned().chain(ours).collect();
    let records = app.store.records(tenant, &ids).await?;
    let is_erased = |name: &String| {
        let of = holders.get(&Key::Own(name.clone())).into_iter().flatten().cloned();
        of.chain(name.parse().ok()).any(|id| records.get(&id).is_some_and(|record| record.erased.is_some()))
    };
    Ok(about.into_iter().filter(|(_, name)| is_erased(name)).map(|(request, _)| request).collect())
}

/// Which of the events that a wave tells are known already; nothing is read where it tells none.
async fn engaged<S>(app: &App, tenant: &Tenant, wave: &[(Letter<S>, Vec<Key>)], found: &[Who]) -> Result<Engaged> {
    let asked = wave.iter().zip(found).filter_map(|((letter, _), who)| match who {
        Who::Known(record) if !letter.request.events.is_empty() => {
            let (events, _) = engagement::read(&letter.request.events);
            Some((&**record, engagement::noted(&events, &tenant.settings.scoring)))
        }
        _ => None,
    });
    let asked: Vec<(&Record, BTreeSet<Noted>)> = asked.collect();
    if asked.is_empty() { Ok(Engaged::default()) } else { app.store.noted(&asked).await }
}

/// Stores what a request does. Exceptions first: they are raised once however often this is done.
async fn store<S>(app: &App, cx: &Context, region: &Region, letter: &Letter<S>, plan: &Plan, way: Way) -> Done {
    let exceptions = plan.exceptions().skip(if way == Way::Rows { plan.odd().len() } else { 0 });
    for exception in exceptions {
        if let Err(error) = app.store.raise(exception).await {
            return Done::Failed(error);
        }
    }
    let Plan::Change { before, after, unclaimed, counting, .. } = plan else { return Done::Yes };
    let once = Once::new(letter.request.id.clone(), letter.digest.clone(), after.id.clone(), cx.now());
    let once = once.making(Became::of(before.as_deref(), after));
    let commit =
        Commit { before: before.as_deref(), after, once: Some(&once), unclaimed, counting: counting.as_deref() };
    match app.store.commit(&commit, region, cx.now()).await {
        Ok(()) => {
            // Many requests share an invocation: from here on they are followed by its trace.
            tracing::info!(request = %letter.request.id, record = %after.id, trace = cx.trace, "a request is applied");
            Done::Yes
        }
        Err(Lost::Race | Lost::Taken(_) | Lost::Done) => Done::Race,
        Err(Lost::TooLarge) => match app.store.raise(&refusal::too_large(&letter.request, after, cx)).await {
            Ok(()) => Done::Yes,
            Err(error) => Done::Failed(error),
        },
        Err(Lost::Failed(error)) => Done::Failed(error),
    }
}

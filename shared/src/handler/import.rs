//! The queue `imports`: S3 tells that a file came, and work on files goes on.

use super::messages::{Batch, Message};
use crate::{
    app::App,
    change::{Filed, Filing},
    context::Context,
    error::Result,
    export::Export,
    id::TenantId,
    import::{Import, State, Stretch, now_counted},
    store::{Exception, Job, keys},
};
use aws_lambda_events::{
    s3::{S3Event, S3EventRecord},
    sqs::{SqsBatchResponse, SqsEvent},
};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

/// A message of the queue.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Filing(Filing),
    Came(S3Event),
    /// S3 tries whether it may tell us (Amazon S3 docs: event notifications, `s3:TestEvent`).
    Test {
        #[serde(rename = "Event")]
        _event: String,
    },
}

/// How often a stretch is tried that records nothing.
const MOST_TRIES: u32 = 10;

/// One stretch of work for each message.
pub async fn import(app: &App, cx: &Context, event: SqsEvent) -> Result<SqsBatchResponse> {
    let batch = Batch::new(app, &app.settings.imports);
    for message in batch.read::<Told>(event) {
        let cx = match &message.job {
            Told::Filing(filing) => cx.traced(&filing.trace),
            Told::Came(_) | Told::Test { .. } => cx.clone(),
        };
        if let Err(error) = told(app, &cx, &message).await {
            batch.settle(&message, &error, &cx.trace).await;
        }
    }
    Ok(batch.response())
}

async fn told(app: &App, cx: &Context, message: &Message<Told>) -> Result<()> {
    match &message.job {
        Told::Filing(filing) => stretch(app, cx, filing, message.receives).await,
        Told::Came(event) => {
            for record in &event.records {
                came(app, cx, record).await?;
            }
            Ok(())
        }
        Told::Test { .. } => Ok(()),
    }
}

/// A file came: what becomes of its rows is counted.
async fn came(app: &App, cx: &Context, told: &S3EventRecord) -> Result<()> {
    let object = &told.s3.object;
    let Some((tenant, id)) = object.key.as_deref().and_then(named) else { return Ok(()) };
    let at = keys::import(&tenant, &id);
    let Some(job) = app.store.job::<Import>(&at).await? else { return Ok(()) };
    let (etag, bytes) = (object.e_tag.as_deref().unwrap_or_default(), object.size.unwrap_or(0).unsigned_abs());
    let counted = now_counted(&job.of, etag, bytes, cx.now());
    let job = match counted {
        // Whoever comes again after it was stored tells it again: nothing is lost by that.
        None if job.of.state == State::Counting => Some(job),
        None => None,
        Some(is) => app.store.advance_job(&at, &job, is).await?,
    };
    let Some(job) = job else { return Ok(()) };
    app.file_on(cx, &tenant, Filed::Import, &id, job.rev).await
}

/// Whose file it is, by its key as S3 tells it: URL-encoded, `+` for a space.
fn named(key: &str) -> Option<(TenantId, String)> {
    let key = percent_decode_str(&key.replace('+', " ")).decode_utf8().ok()?.into_owned();
    let (tenant, id) = key.strip_prefix("imports/")?.split_once('/')?;
    Some((tenant.parse().ok()?, id.to_owned()))
}

/// Works on a file while there is time, and hands the rest on. No chain goes on that records nothing.
async fn stretch(app: &App, cx: &Context, filing: &Filing, receives: u32) -> Result<()> {
    let Filing { tenant, file, id, rev, .. } = filing;
    // What an earlier try of this message recorded is its progress: it is handed on, and the tries are counted from there.
    let rests = |now: u64| (receives > 1 && now != *rev) || receives > MOST_TRIES;
    let ended = match file {
        Filed::Import => match app.store.job::<Import>(&keys::import(tenant, id)).await? {
            None => return Ok(()),
            Some(job) if rests(job.rev) => Stretch::More(job.rev),
            Some(job) => app.import(cx, job).await?,
        },
        Filed::Export => match app.store.job::<Export>(&keys::export(tenant, id)).await? {
            None => return Ok(()),
            Some(job) if rests(job.rev) => Stretch::More(job.rev),
            Some(job) => app.export(cx, job).await?,
        },
    };
    match ended {
        Stretch::Over => Ok(()),
        Stretch::More(now) if now == *rev => give_up(app, cx, filing).await,
        Stretch::More(now) => app.file_on(cx, tenant, *file, id, now).await,
    }
}

/// Nothing was recorded: a person looks at it.
async fn give_up(app: &App, cx: &Context, filing: &Filing) -> Result<()> {
    let Filing { tenant, file, id, rev, .. } = filing;
    let reason = || "nothing of it was done in several tries".to_owned();
    let exception = match file {
        Filed::Import => {
            let at = keys::import(tenant, id);
            if let Some(job) = app.store.job::<Import>(&at).await?.filter(|job| job.rev == *rev) {
                let is =
                    Import { state: State::Failed, reason: Some(reason()), ended: Some(cx.now()), ..job.of.clone() };
                app.store.advance_job(&at, &job, is).await?;
            }
            Exception::new(tenant, "import_stuck", id, reason(), cx)
        }
        Filed::Export => {
            let at = keys::export(tenant, id);
            let job: Option<Job<Export>> = app.store.job(&at).await?;
            if let Some(job) = job.filter(|job| job.rev == *rev) {
                let (state, ended) = (crate::export::State::Failed, Some(cx.now()));
                let is = Export { state, ended, reason: Some(reason()), ..job.of.clone() };
                app.store.advance_job(&at, &job, is).await?;
            }
            Exception::new(tenant, "export_stuck", id, reason(), cx)
        }
    };
    app.store.raise(&exception).await
}

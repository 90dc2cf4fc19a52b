//! Rounds of starts, all contenders in turn, so that a busy machine is as busy for each.

use crate::{
    event::{Kind, Sample},
    plan::{Contender, Plan, Run},
    process::Function,
    runtime::{Asked, Done},
    stub::{self, Stub},
};
use anyhow::{Context, Result, bail, ensure};
use axum::{
    Router,
    serve::{Listener, ListenerExt},
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{net::TcpListener, time::timeout};

/// What one start may take, first to last.
const LONGEST: Duration = Duration::from_secs(900);

pub async fn all(plan: &Plan) -> Result<Vec<Run>> {
    let stub = Arc::new(Stub::of(plan)?);
    let aws = serve(Router::new().fallback(stub::call).with_state(stub.clone())).await?;
    let mut runs = Vec::new();
    for round in 1..=plan.rounds {
        for contender in &plan.contenders {
            eprintln!("{}, {round} of {}", contender.name, plan.rounds);
            let run = one(contender, &stub, &aws).await;
            runs.push(run.with_context(|| format!("{}; its log: {}", contender.name, contender.log.display()))?);
        }
    }
    Ok(runs)
}

async fn one(contender: &Contender, stub: &Arc<Stub>, aws: &str) -> Result<Run> {
    let sample = Sample::read(&contender.event, contender.signed_by.as_deref())?;
    stub.forget();
    let asked = Arc::new(Asked::new(sample, contender.warm, contender.signed_by.is_some(), stub.clone()));
    let runtime = serve(asked.routes()).await?;
    asked.watch(Function::start(contender, &environment(contender, &runtime, aws))?);
    let done = timeout(LONGEST, asked.over()).await;
    asked.end();
    let done = done.context("it does not come to an end")?;
    if let Some(why) = done.failed {
        bail!("{why}");
    }
    answers_are_right(asked.kinds(), &done, contender.signed_by.is_some())?;
    let (calls, sent) = stub.kept();
    let Done { init_ms, mut took_ms, mut answers, warm, peak_kb, all_cpu_s, .. } = done;
    took_ms.truncate(1 + contender.warm);
    ensure!(!took_ms.is_empty() && !answers.is_empty(), "it answered nothing");
    let first_ms = took_ms.remove(0);
    Ok(Run {
        contender: contender.name.clone(),
        init_ms: init_ms.context("it never asked for an event")?,
        first_ms,
        warm_ms: took_ms,
        wall_s: warm.map_or(0.0, |span| span.wall_s),
        cpu_s: warm.and_then(|span| span.cpu_s),
        peak_kb,
        all_cpu_s,
        records: stub.records(),
        asked: stub.asked(),
        connections: stub.connections(),
        log_bytes: warm.map_or(0, |span| span.log_bytes),
        calls,
        sent,
        answer: answers.remove(0),
    })
}

/// Whoever is fast and wrong does not count.
fn answers_are_right(kinds: &[Kind], done: &Done, is_signed: bool) -> Result<()> {
    let status = |answer: &Value| answer["statusCode"].as_u64();
    for (kind, answer) in kinds.iter().zip(&done.answers).filter(|_| is_signed) {
        ensure!(
            status(answer) == Some(u64::from(kind.status())),
            "a delivery that is {kind:?} is answered by {answer}"
        );
    }
    Ok(())
}

/// What Lambda sets (AWS docs: Lambda environment variables), and what the contender wants besides.
fn environment(contender: &Contender, runtime: &str, aws: &str) -> BTreeMap<String, String> {
    let lambdas = [
        ("AWS_LAMBDA_RUNTIME_API", runtime),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/22/[$LATEST]0"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "example"),
        ("AWS_SESSION_TOKEN", "example"),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("_HANDLER", "handler.handler"),
        ("AWS_ENDPOINT_URL", "{aws}"),
    ];
    let lambdas = lambdas.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let task = ("LAMBDA_TASK_ROOT".to_owned(), contender.folder.display().to_string());
    let all = lambdas.chain([task]).chain(contender.environment.clone());
    all.map(|(name, value)| (name, value.replace("{aws}", &format!("http://{aws}")))).collect()
}

/// Serves on a port of its own; where that is.
async fn serve(router: Router) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?.tap_io(|connection| {
        // Answers go out as soon as they are there.
        let _ = connection.set_nodelay(true);
    });
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address.to_string())
}

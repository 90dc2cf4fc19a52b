//! The Runtime API, and nothing else of Lambda (AWS docs: Lambda runtime API): events one after the other, timed.

use crate::{
    event::{Kind, Sample, now_ms},
    process::Function,
    stub::Stub,
};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::Value;
use std::{
    future::pending,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::sync::Notify;

/// No function may take longer (AWS docs: Lambda quotas).
const LONGEST_MS: u128 = 900_000;

/// What one start of a function is asked, and what it did.
pub struct Asked {
    sample: Sample,
    kinds: Vec<Kind>,
    warm: usize,
    stub: Arc<Stub>,
    function: Mutex<Option<Function>>,
    done: Mutex<Done>,
    over: Notify,
}

#[derive(Default)]
pub struct Done {
    pub init_ms: Option<f64>,
    sent: Option<Instant>,
    /// Of each event, the first one included.
    pub took_ms: Vec<f64>,
    pub answers: Vec<Value>,
    pub warm: Option<Span>,
    warm_from: Option<(Instant, Used)>,
    pub peak_kb: Option<u64>,
    /// Of the processor, from its start to its last answer.
    pub all_cpu_s: Option<f64>,
    pub failed: Option<String>,
}

/// The time that the warm events took.
#[derive(Clone, Copy)]
pub struct Span {
    pub wall_s: f64,
    pub cpu_s: Option<f64>,
    pub log_bytes: u64,
}

/// What a function has used so far.
struct Used {
    cpu_s: Option<f64>,
    log_bytes: u64,
}

impl Asked {
    /// A genuine event, `warm` more, and then, if they are signed, others of each kind.
    pub fn new(sample: Sample, warm: usize, is_signed: bool, stub: Arc<Stub>) -> Asked {
        let mut kinds = vec![Kind::Genuine; 1 + warm];
        if is_signed {
            kinds.extend([Kind::Encoded, Kind::Changed, Kind::Old]);
        }
        let (function, done, over) = (Mutex::default(), Mutex::default(), Notify::new());
        Asked { sample, kinds, warm, stub, function, done, over }
    }

    pub fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(error))
            .with_state(self.clone())
    }

    pub fn watch(&self, function: Function) {
        *lock(&self.function) = Some(function);
    }

    /// Waits until the last event is answered, or something fails.
    pub async fn over(&self) -> Done {
        loop {
            let pause = tokio::time::timeout(std::time::Duration::from_millis(500), self.over.notified());
            let is_over = pause.await.is_ok();
            let mut has_ended = lock(&self.function).as_mut().is_none_or(Function::has_ended);
            let mut done = lock(&self.done);
            has_ended &= done.failed.is_none();
            if has_ended && !is_over {
                done.failed = Some("it ended by itself".to_owned());
            }
            if is_over || has_ended {
                let function = lock(&self.function);
                done.peak_kb = function.as_ref().and_then(Function::peak_kb);
                done.all_cpu_s = function.as_ref().and_then(Function::cpu_s);
                return std::mem::take(&mut done);
            }
        }
    }

    pub fn end(&self) {
        lock(&self.function).take();
    }

    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    fn used(&self) -> Used {
        let function = lock(&self.function);
        Used {
            cpu_s: function.as_ref().and_then(Function::cpu_s),
            log_bytes: function.as_ref().map_or(0, Function::log_bytes),
        }
    }

    /// The next event, if there is one.
    fn hand_out(&self) -> Option<(usize, String)> {
        let mut done = lock(&self.done);
        if done.init_ms.is_none() {
            done.init_ms = lock(&self.function).as_ref().map(|function| function.started.elapsed().as_secs_f64() * 1e3);
        }
        let place = done.took_ms.len();
        let event = self.sample.event(*self.kinds.get(place)?);
        if place == 1 {
            self.stub.forget_calls();
            done.warm_from = Some((Instant::now(), self.used()));
        }
        done.sent = Some(Instant::now());
        Some((place, event))
    }

    fn take_in(&self, answer: &[u8]) {
        let mut done = lock(&self.done);
        if let Some(sent) = done.sent.take() {
            done.took_ms.push(sent.elapsed().as_secs_f64() * 1e3);
        }
        done.answers.push(serde_json::from_slice(answer).unwrap_or_default());
        let place = done.took_ms.len();
        if place == 1 {
            self.stub.keep_sent();
        }
        if place == 1 + self.warm {
            self.stub.keep_calls();
            let now = self.used();
            done.warm = done.warm_from.as_ref().map(|(at, before)| Span {
                wall_s: at.elapsed().as_secs_f64(),
                cpu_s: now.cpu_s.zip(before.cpu_s).map(|(now, before)| now - before),
                log_bytes: now.log_bytes - before.log_bytes,
            });
        }
        if place == self.kinds.len() {
            self.over.notify_one();
        }
    }

    fn fail(&self, why: String) {
        lock(&self.done).failed = Some(why);
        self.over.notify_one();
    }
}

pub fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn next(State(asked): State<Arc<Asked>>) -> Response {
    let Some((place, event)) = asked.hand_out() else { return pending().await };
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", format!("00000000-0000-4000-8000-{place:012}")),
        ("lambda-runtime-deadline-ms", (now_ms() + LONGEST_MS).to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:bench".to_owned()),
        (
            "lambda-runtime-trace-id",
            "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0".to_owned(),
        ),
    ];
    (headers, event).into_response()
}

async fn response(State(asked): State<Arc<Asked>>, Path(_): Path<String>, answer: Bytes) -> StatusCode {
    asked.take_in(&answer);
    StatusCode::ACCEPTED
}

async fn error(State(asked): State<Arc<Asked>>, _: HeaderMap, said: Bytes) -> StatusCode {
    asked.fail(String::from_utf8_lossy(&said).into_owned());
    StatusCode::ACCEPTED
}

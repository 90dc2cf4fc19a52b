//! Serves a function: one generic `run` for every kind of event.

use crate::{app::App, context::Context, error::Result};
use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

type Served<'a, R> = Pin<Box<dyn Future<Output = std::result::Result<R, Failed>> + 'a>>;

/// Builds the app once, then hands every event to `handle`.
pub async fn run<E, R>(handle: impl AsyncFn(&App, &Context, E) -> Result<R>) -> Result<(), lambda_runtime::Error>
where
    E: DeserializeOwned,
    R: Serialize,
{
    crate::telemetry::init();
    let app = App::in_lambda()?;
    let serve = |event: LambdaEvent<E>| {
        let (app, handle) = (&app, &handle);
        // In a box, because the compiler lays out nested futures one inside the other.
        let served: Served<'_, R> = Box::pin(async move {
            let cx = context(&event.context);
            tracing::info!(trace = cx.trace, "begun");
            let done = handle(app, &cx, event.payload).await;
            tell(&app.report(&cx).await);
            done.inspect_err(|error| {
                tracing::error!(error = crate::telemetry::chain(error), trace = cx.trace, "failed")
            })
            .map_err(Failed)
        });
        served
    };
    lambda_runtime::run(service_fn(serve)).await
}

#[expect(clippy::print_stdout, reason = "CloudWatch reads metrics from standard output")]
fn tell(lines: &[String]) {
    lines.iter().for_each(|line| println!("{line}"));
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that asks for the time")]
fn context(lambda: &lambda_runtime::Context) -> Context {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let left = Duration::from_millis(lambda.deadline).saturating_sub(now);
    Context::new(Timestamp::now(), left, lambda.request_id.clone())
}

/// An error as Lambda reports it.
#[derive(Debug)]
struct Failed(crate::error::Error);

impl From<Failed> for Diagnostic {
    fn from(Failed(error): Failed) -> Diagnostic {
        Diagnostic { error_type: "Failed".to_owned(), error_message: crate::telemetry::chain(&error) }
    }
}

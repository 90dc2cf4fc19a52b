//! `/v1`: what the people who run a tenant ask and decide; and the pages on which they do.

use super::gateway::{self, set};
use crate::{
    app::App,
    context::Context,
    control::{
        access::Caller,
        call::Call,
        problem::{self, Problem},
        route::{Answer, Route, Sent},
        routes::ROUTES,
    },
    error::Result,
};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use http::header;
use std::collections::{BTreeMap, HashMap};

/// The gateway has verified the token and hands its claims on; where it has not, nobody gets in. What is not below `/v1` is pages.
pub async fn control(app: &App, cx: &Context, request: ApiGatewayV2httpRequest) -> Result<ApiGatewayV2httpResponse> {
    if !request.raw_path.as_deref().is_some_and(|path| path.starts_with("/v1/")) {
        return Ok(super::dashboard::dashboard(app, cx, &request).await);
    }
    let (response, status) = match answer(app, cx, &request).await {
        Ok(answer) => (answered(answer), 200),
        Err(problem) => {
            if let Some(because) = &problem.because {
                let code = problem.kind.code;
                tracing::error!(error = because, code, trace = cx.trace, "a call of the control API failed");
            }
            (not_answered(&problem, &cx.trace), problem.kind.status)
        }
    };
    tracing::info!(status, trace = cx.trace, "answered");
    Ok(response)
}

async fn answer(app: &App, cx: &Context, request: &ApiGatewayV2httpRequest) -> Result<Answer, Problem> {
    let nobody = || Problem::new(problem::UNPROVED, "no token of ours came with this call, or its claims name nobody");
    let caller = Caller::of(&claims(request), &app.settings.claims).ok_or_else(nobody)?;
    let (route, parts) = find(request)?;
    let if_match = request.headers.get(header::IF_MATCH).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    let cx = &cx.of(Some(caller.subject.clone()));
    let call = Call { app, cx, parts, if_match, origin: gateway::public_url(app, request).unwrap_or_default() };
    route.answer(&caller, &call, &sent(request)?).await
}

/// What the gateway has proved of the caller; nothing where it has not.
fn claims(request: &ApiGatewayV2httpRequest) -> HashMap<String, String> {
    let proved = request.request_context.authorizer.as_ref().and_then(|proved| proved.jwt.clone());
    proved.map(|jwt| jwt.claims).unwrap_or_default()
}

/// The route of this path and method; of several paths the one with the fewest places.
fn find(request: &ApiGatewayV2httpRequest) -> Result<(&'static Route, BTreeMap<&'static str, String>), Problem> {
    let path = request.raw_path.as_deref().unwrap_or_default();
    let mut found: Vec<_> = ROUTES.iter().filter_map(|route| Some((route, route.matches(path)?))).collect();
    let fewest = found.iter().map(|(_, parts)| parts.len()).min();
    found.retain(|(_, parts)| Some(parts.len()) == fewest);
    if found.is_empty() {
        return Err(Problem::new(problem::NO_ROUTE, "nothing is under this path"));
    }
    let takes: Vec<&str> = found.iter().map(|(route, _)| route.method.as_str()).collect();
    let wrong = Problem::new(problem::METHOD, format!("this path takes {}", takes.join(", ")));
    found.into_iter().find(|(route, _)| route.method == request.request_context.http.method).ok_or(wrong)
}

fn sent(request: &ApiGatewayV2httpRequest) -> Result<Sent, Problem> {
    let body = gateway::body(request.body.clone(), request.is_base64_encoded);
    let body = body.ok_or_else(|| Problem::new(problem::UNREADABLE, "the body is cut off"))?;
    Ok(Sent { query: request.raw_query_string.clone().unwrap_or_default(), body })
}

fn answered(answer: Answer) -> ApiGatewayV2httpResponse {
    let mut response = response(200, "application/json", answer.json);
    if let Some(etag) = answer.etag {
        set(&mut response, header::ETAG, &etag);
    }
    response
}

fn not_answered(problem: &Problem, trace: &str) -> ApiGatewayV2httpResponse {
    let json = serde_json::to_string(&problem.answered(trace)).unwrap_or_default();
    let mut response = response(problem.kind.status, "application/problem+json", json);
    if let Some(after) = problem.after {
        set(&mut response, header::RETRY_AFTER, &after.to_string());
    }
    // RFC 9110, 15.5.6: which methods there are is said in a header too.
    if problem.kind == problem::METHOD
        && let Some((_, takes)) = problem.detail.split_once("takes ")
    {
        set(&mut response, header::ALLOW, takes);
    }
    response
}

/// Kept nowhere: most of it is about people.
fn response(status: u16, kind: &str, json: String) -> ApiGatewayV2httpResponse {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    gateway::response(status, json, &headers)
}

//! API Gateway: from HTTP to an event and back.

use crate::{
    authorizer,
    invoked::{Instances, Invoked},
    world::now,
};
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use axum::{body::Bytes, extract::State, http, response::IntoResponse};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value as Json, json};
use shared::{context::Context, handler};
use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

/// A call as API Gateway hands it over.
pub(crate) async fn call(
    State((instances, ahead, invoked)): State<(Instances, Arc<AtomicI64>, Invoked)>,
    parts: http::request::Parts,
    body: Bytes,
) -> impl IntoResponse {
    let app = instances.one();
    let path = parts.uri.path().to_owned();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let parameters = match segments.as_slice() {
        ["connect", "callback"] => json!({}),
        [_, crm] => json!({"crm": crm}),
        [_, crm, connection] => json!({"crm": crm, "connection": connection}),
        _ => json!({}),
    };
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    let headers: serde_json::Map<String, Json> = parts
        .headers
        .iter()
        .filter(|(name, _)| *name != http::header::COOKIE)
        .map(|(name, value)| (name.to_string(), json!(text(value))))
        .collect();
    let cookies = parts.headers.get_all(http::header::COOKIE).iter().map(text).collect::<Vec<_>>().join("; ");
    let cookies: Vec<&str> = cookies.split("; ").filter(|cookie| !cookie.is_empty()).collect();
    let query = parts.uri.query().unwrap_or_default();
    let asked: serde_json::Map<String, Json> = reqwest::Url::parse(&format!("http://x/?{query}"))
        .unwrap()
        .query_pairs()
        .map(|(name, value)| (name.into_owned(), json!(value)))
        .collect();
    let is_text = std::str::from_utf8(&body).is_ok();
    let mut request = json!({
        "version": "2.0", "routeKey": "of the test", "rawPath": path, "rawQueryString": query, "queryStringParameters": asked,
        "headers": headers, "cookies": cookies, "isBase64Encoded": !is_text, "body": if is_text { String::from_utf8_lossy(&body).into_owned() } else { BASE64_STANDARD.encode(&body) },
        "pathParameters": parameters,
        "requestContext": {"domainName": "unused.example", "http": {"method": parts.method.as_str(), "path": path}, "timeEpoch": 0},
    });
    // The stack's own tests have an API for people beside that for CRMs; here one listens for both.
    let asks = segments[0] == "v1";
    if asks {
        let issuer = format!("{}/issuer", app.settings.hosts.local.as_ref().unwrap());
        let token = parts.headers.get(http::header::AUTHORIZATION).map(text);
        match authorizer::claims(&issuer, token.as_deref()).await {
            Some(claims) => {
                request["requestContext"]["authorizer"] = json!({"jwt": {"claims": claims, "scopes": null}})
            }
            None => {
                let mut headers = http::HeaderMap::new();
                headers.insert(http::header::CONTENT_TYPE, "application/json".parse().unwrap());
                return (http::StatusCode::UNAUTHORIZED, headers, json!({"message": "Unauthorized"}).to_string());
            }
        }
    }
    let request: ApiGatewayV2httpRequest = serde_json::from_value(request).unwrap();
    let cx = Context::new(now(&ahead), Duration::from_secs(28), "call");
    // Lambda does not ask of a story that it can move between threads.
    let (connects, hears) = (segments[0] == "connect", segments[0] == "webhooks");
    invoked.note(
        if connects {
            "connect"
        } else if hears {
            "webhook"
        } else {
            "control"
        },
        1,
    );
    let here = tokio::runtime::Handle::current();
    let story = move || {
        here.block_on(async {
            match (connects, hears) {
                (true, _) => handler::connect(&app, &cx, request).await.unwrap(),
                (_, true) => handler::webhook(&app, &cx, request).await.unwrap(),
                _ => handler::control(&app, &cx, request).await.unwrap(),
            }
        })
    };
    let answer = tokio::task::spawn_blocking(story).await.unwrap();
    let mut headers = answer.headers;
    for cookie in answer.cookies {
        headers.append(http::header::SET_COOKIE, cookie.parse().unwrap());
    }
    let body = answer.body.map(|body| String::from_utf8(body.to_vec()).unwrap()).unwrap_or_default();
    (http::StatusCode::from_u16(answer.status_code as u16).unwrap(), headers, body)
}

//! What the HTTP APIs' gateway hands us, and takes from us.

use crate::app::App;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderName, HeaderValue};

/// A body as it was sent; `None` of what is cut off.
pub(super) fn body(body: Option<String>, is_encoded: bool) -> Option<Vec<u8>> {
    let body = body.unwrap_or_default();
    if is_encoded { BASE64_STANDARD.decode(body).ok() } else { Some(body.into_bytes()) }
}

/// The gateway's own URL; `None` of a request of no domain.
pub(super) fn own_url(request: &ApiGatewayV2httpRequest) -> Option<String> {
    request.request_context.domain_name.as_ref().map(|domain| format!("https://{domain}"))
}

/// Where CRMs and browsers reach what connects them: by the configuration, or the gateway's own URL.
pub(super) fn public_url(app: &App, request: &ApiGatewayV2httpRequest) -> Option<String> {
    let url = app.settings.public_url.clone().or_else(|| own_url(request));
    url.map(|url| url.trim_end_matches('/').to_owned())
}

pub(super) fn response(status: u16, body: String, headers: &[(HeaderName, &str)]) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(status);
    response.body = Some(body.into());
    for (name, value) in headers {
        set(&mut response, name.clone(), value);
    }
    response
}

pub(super) fn set(response: &mut ApiGatewayV2httpResponse, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers.insert(name, value);
    }
}

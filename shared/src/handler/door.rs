//! The door of the pages: where it is, what browsers are given there, and what goes around an answer.

use super::{
    connect::cookie,
    gateway::{self, set},
};
use crate::{
    app::App,
    dashboard::frame::{ICON, LIVE, LIVE_NAME, Page, SEND, SEND_NAME, STYLE, STYLE_NAME, plain},
    provider::Secret,
};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use http::header;
use maud::{Markup, html};

/// Where this door is, as browsers see it.
pub(super) struct Door {
    /// Scheme and host.
    pub(super) origin: String,
    /// What stands before each path.
    pub(super) base: String,
}

impl Door {
    pub(super) fn of(app: &App, request: &ApiGatewayV2httpRequest) -> Door {
        let url = app.settings.login.url.clone().or_else(|| gateway::own_url(request)).unwrap_or_default();
        let url = url.trim_end_matches('/');
        let host = url.find("://").map_or(0, |at| at + 3);
        let (origin, base) = url.split_at(url[host..].find('/').map_or(url.len(), |at| host + at));
        Door { origin: origin.to_owned(), base: base.to_owned() }
    }

    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(super) fn is_secure(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// A cookie's name. With this prefix no other host can set it; without TLS, on one's own machine, browsers have no such thing.
    pub(super) fn cookie_name(&self, what: &str) -> String {
        if self.is_secure() { format!("__Host-crm_sync_{what}") } else { format!("crm_sync_{what}") }
    }

    pub(super) fn set_cookie(&self, what: &str, value: &str, seconds: u32) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", self.cookie_name(what))
    }

    pub(super) fn cookie(&self, request: &ApiGatewayV2httpRequest, what: &str) -> Option<Secret> {
        cookie(request, &self.cookie_name(what))
    }

    /// A page for whoever has not logged in.
    pub(super) fn alone(&self, page: &Page) -> ApiGatewayV2httpResponse {
        response(page.status, plain(&self.base, page))
    }

    pub(super) fn login_link(&self) -> Markup {
        html! { p { a.action href=(self.at("/login")) { "Log in" } } }
    }
}

/// An address of a page of ours, behind the base.
pub(super) fn is_ours(address: &str) -> bool {
    let sound = address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    sound
        && (address == "/"
            || address == "/tenants"
            || address.starts_with("/tenants/")
            || address.starts_with("/tenants?"))
}

pub(super) fn query(request: &ApiGatewayV2httpRequest, name: &str) -> Option<String> {
    request.query_string_parameters.first(name).filter(|value| !value.is_empty()).map(str::to_owned)
}

pub(super) fn asset(door: &Door, name: &str) -> ApiGatewayV2httpResponse {
    let (kind, text) = match name {
        name if name == *STYLE_NAME => ("text/css; charset=utf-8", STYLE),
        name if name == *LIVE_NAME => ("text/javascript; charset=utf-8", LIVE),
        name if name == *SEND_NAME => ("text/javascript; charset=utf-8", SEND),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => {
            let body = html! { p { "There is nothing here." } };
            return door.alone(&Page { status: 404, ..Page::new("Not found", body) });
        }
    };
    let mut response = response(200, text.to_owned());
    set(&mut response, header::CONTENT_TYPE, kind);
    set(&mut response, header::CACHE_CONTROL, "public, max-age=31536000, immutable");
    response
}

pub(super) fn sent_on(status: i64, to: &str) -> ApiGatewayV2httpResponse {
    let mut response = response(200, String::new());
    response.status_code = status;
    set(&mut response, header::LOCATION, to);
    response
}

/// A page that loads nothing but our stylesheet, script and icon, is kept nowhere, and tells no other site where it was. It tells ours: without
/// that, browsers name no origin with a form (Fetch, "append a request Origin header").
pub(super) fn response(status: u16, page: String) -> ApiGatewayV2httpResponse {
    sending(status, page, "")
}

/// The same of a page that sends a file to another origin.
pub(super) fn sending(status: u16, page: String, to: &str) -> ApiGatewayV2httpResponse {
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self' {to}; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    ];
    gateway::response(status, page, &headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for address in ["/", "/tenants", "/tenants/demo/exceptions?code=conflict"] {
            assert!(is_ours(address), "{address}");
        }
        for address in [
            "",
            "//evil.example",
            "https://evil.example",
            "/login",
            "/tenants/\r\nSet-Cookie: a=b",
            "/tenantsx",
            "/\\evil.example",
        ] {
            assert!(!is_ours(address), "{address:?}");
        }
    }
}

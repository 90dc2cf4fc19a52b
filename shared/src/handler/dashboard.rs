//! The dashboard's pages: who asks by which browser, which page is meant, and what goes around an answer.

use super::connect::cookie;
use crate::{
    app::App,
    context::Context,
    control::{
        access::Reach,
        problem::{self, Problem},
    },
    dashboard::{
        self,
        act::{Form, act, said},
        desk::Desk,
        frame::{ICON, Page, STYLE, STYLE_NAME, Shown, framed, plain, trouble},
        login::{Answer, Turned},
        session::{form_token, is_form_token},
        words::Notice,
    },
    error::Result,
    provider::Secret,
    store::tickets::fresh,
    telemetry::chain,
};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use http::{HeaderName, HeaderValue, Method, header};
use maud::{Markup, html};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

/// For how long somebody may take to log in, in seconds.
const LOGIN_LIVES: u32 = 600;

/// Where this door is, as browsers see it.
struct Door {
    /// Scheme and host.
    origin: String,
    /// What stands before each path.
    base: String,
}

pub async fn dashboard(app: &App, cx: &Context, request: &ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
    let door = Door::of(app, request);
    let path = request.raw_path.as_deref().unwrap_or_default().to_owned();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let answer = match (request.request_context.http.method.clone(), segments.as_slice()) {
        (Method::GET, ["assets", name]) => Ok(asset(&door, name)),
        (Method::GET, ["login"]) => log_in(app, &door, request).await,
        (Method::GET, ["callback"]) => finish(app, cx, &door, request).await,
        (method, segments) => visit(app, cx, &door, request, method, segments).await,
    };
    answer.unwrap_or_else(|error| {
        tracing::error!(error = chain(&error), trace = cx.trace, "a page could not be shown");
        door.alone(&trouble(&error.into(), &cx.trace, &door.at("/")))
    })
}

impl Door {
    fn of(app: &App, request: &ApiGatewayV2httpRequest) -> Door {
        let gateway = || format!("https://{}", request.request_context.domain_name.as_deref().unwrap_or_default());
        let url = app.settings.login.url.clone().unwrap_or_else(gateway);
        let url = url.trim_end_matches('/');
        let host = url.find("://").map_or(0, |at| at + 3);
        let (origin, base) = url.split_at(url[host..].find('/').map_or(url.len(), |at| host + at));
        Door { origin: origin.to_owned(), base: base.to_owned() }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn is_secure(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// A cookie's name. With this prefix no other host can set it; without TLS, on one's own machine, browsers have no such thing.
    fn cookie_name(&self, what: &str) -> String {
        if self.is_secure() { format!("__Host-crm_sync_{what}") } else { format!("crm_sync_{what}") }
    }

    fn set_cookie(&self, what: &str, value: &str, seconds: u32) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", self.cookie_name(what))
    }

    fn cookie(&self, request: &ApiGatewayV2httpRequest, what: &str) -> Option<Secret> {
        cookie(request, &self.cookie_name(what))
    }

    /// A page for whoever has not logged in.
    fn alone(&self, page: &Page) -> ApiGatewayV2httpResponse {
        response(page.status, plain(&self.base, page))
    }

    fn login_link(&self) -> Markup {
        html! { p { a.action href=(self.at("/login")) { "Log in" } } }
    }
}

async fn log_in(app: &App, door: &Door, request: &ApiGatewayV2httpRequest) -> Result<ApiGatewayV2httpResponse> {
    let to = query(request, "to").filter(|to| is_ours(to)).unwrap_or_else(|| "/".to_owned());
    let browser = fresh()?;
    let page = app.begin_login(&browser, &format!("{}{}/callback", door.origin, door.base)).await?;
    let mut response = sent_on(302, &page);
    let kept = format!("{}.{}", browser.reveal(), BASE64_URL_SAFE_NO_PAD.encode(to));
    response.cookies.push(door.set_cookie("login", &kept, LOGIN_LIVES));
    Ok(response)
}

async fn finish(
    app: &App,
    cx: &Context,
    door: &Door,
    request: &ApiGatewayV2httpRequest,
) -> Result<ApiGatewayV2httpResponse> {
    let kept = door.cookie(request, "login");
    let (browser, to) = match kept.as_ref().and_then(|kept| kept.reveal().split_once('.')) {
        Some((browser, to)) => (Some(Secret::new(browser)), BASE64_URL_SAFE_NO_PAD.decode(to).ok()),
        None => (None, None),
    };
    let answer = Answer {
        state: query(request, "state").unwrap_or_default(),
        browser,
        code: query(request, "code").map(Secret::new).filter(|_| query(request, "error").is_none()),
        redirect_uri: format!("{}{}/callback", door.origin, door.base),
    };
    let mut response = match app.finish_login(cx, answer).await? {
        Ok(session) => {
            let browser = app.admit_browser(cx, &session).await?;
            let to = to.and_then(|to| String::from_utf8(to).ok()).filter(|to| is_ours(to));
            let mut response = sent_on(303, &door.at(to.as_deref().unwrap_or("/")));
            let seconds = u32::try_from(session.until.duration_since(cx.now()).as_secs()).unwrap_or_default();
            response.cookies.push(door.set_cookie("session", browser.reveal(), seconds));
            response
        }
        Err(turned) => {
            tracing::info!(turned = ?turned, trace = cx.trace, "not logged in");
            let status = if turned == Turned::NotAsked { 400 } else { 403 };
            let body = html! { p.notice.bad role="alert" { (turned) } (door.login_link()) };
            door.alone(&Page { status, ..Page::new("Not logged in", body) })
        }
    };
    response.cookies.push(door.set_cookie("login", "", 0));
    Ok(response)
}

/// Whatever takes a session.
async fn visit(
    app: &App,
    cx: &Context,
    door: &Door,
    request: &ApiGatewayV2httpRequest,
    method: Method,
    segments: &[&str],
) -> Result<ApiGatewayV2httpResponse> {
    let path = request.raw_path.clone().unwrap_or_default();
    let address = match request.raw_query_string.as_deref().filter(|query| !query.is_empty()) {
        Some(query) => format!("{path}?{query}"),
        None => path.clone(),
    };
    let browser = door.cookie(request, "session");
    let session = match &browser {
        Some(browser) => app.whose_browser(cx, browser).await?,
        None => None,
    };
    let caller = session.as_ref().and_then(|session| session.caller(&app.settings.claims));
    let (Some(browser), Some(session), Some(caller)) = (browser, session, caller) else {
        if method == Method::GET {
            let to = serde_urlencoded::to_string([("to", address)]).unwrap_or_default();
            return Ok(sent_on(302, &door.at(&format!("/login?{to}"))));
        }
        let body = html! { p.notice.warn role="alert" { "You are not logged in any more, so nothing was done. Log in, and do it again." } (door.login_link()) };
        return Ok(door.alone(&Page { status: 401, ..Page::new("Log in again", body) }));
    };
    let form = if method == Method::POST { form(request) } else { Form::new() };
    if method == Method::POST && !is_from_us(door, request, &browser, &form) {
        let body = html! { p.notice.bad role="alert" { "This form is none of a page of ours, so nothing was done. Load the page anew, and do it there." } p { a.action href=(door.at("/")) { "To the overview" } } };
        return Ok(door.alone(&Page { status: 403, ..Page::new("Not done", body) }));
    }
    if method == Method::POST && segments == ["logout"] {
        app.log_out(cx, &browser).await?;
        let body = html! { p { "Your session has ended." } (door.login_link()) };
        let mut response = door.alone(&Page::new("Logged out", body));
        response.cookies.push(door.set_cookie("session", "", 0));
        return Ok(response);
    }
    let tenant = match segments {
        ["tenants", tenant, ..] => percent_decode_str(tenant).decode_utf8_lossy().into_owned(),
        _ => String::new(),
    };
    let notice = Notice {
        did: query(request, "did").unwrap_or_default(),
        done: query(request, "done").and_then(|n| n.parse().ok()).unwrap_or_default(),
        left: query(request, "left").and_then(|n| n.parse().ok()).unwrap_or_default(),
    };
    let gateway = || format!("https://{}", request.request_context.domain_name.as_deref().unwrap_or_default());
    let desk = Desk {
        app,
        cx,
        caller,
        name: session.name,
        form_token: form_token(&browser),
        base: door.base.clone(),
        public: app.settings.public_url.clone().unwrap_or_else(gateway).trim_end_matches('/').to_owned(),
        tenant,
        path: without_notice(&address),
        notice: Some(notice).filter(|notice| !notice.did.is_empty()),
    };
    let shown = match method {
        Method::GET => page(&desk, request, segments).await,
        Method::POST => done(&desk, &path, segments, &form).await,
        _ => Err(Problem::new(problem::METHOD, "pages are read, and forms are sent")),
    };
    Ok(match shown {
        Ok(Page { to: Some(to), .. }) => sent_on(303, &to),
        Ok(page) => response(page.status, framed(&desk, &page)),
        Err(problem) => {
            if let Some(because) = &problem.because {
                tracing::error!(
                    error = because,
                    code = problem.kind.code,
                    trace = cx.trace,
                    "a page could not be shown"
                );
            }
            let back = said(&form, "back").filter(|back| is_ours(back)).unwrap_or("/");
            response(problem.kind.status, framed(&desk, &trouble(&problem, &cx.trace, &door.at(back))))
        }
    })
}

async fn page(desk: &Desk<'_>, request: &ApiGatewayV2httpRequest, segments: &[&str]) -> Shown {
    match segments {
        [""] => {
            let home = match &desk.caller.reach {
                Reach::Tenant(tenant) => format!("{}/tenants/{tenant}", desk.base),
                Reach::Platform => format!("{}/tenants", desk.base),
            };
            Ok(Page { to: Some(home), ..Page::new("", html! {}) })
        }
        ["tenants"] => dashboard::tenants(desk, asked(request)?).await,
        ["tenants", _] => dashboard::overview(desk).await,
        ["tenants", _, "exceptions"] => dashboard::exceptions(desk, asked(request)?).await,
        ["tenants", _, "conflicts"] => dashboard::conflicts(desk).await,
        ["tenants", _, "records"] => {
            // Only where the list goes on: who is looked for never stands in an address.
            let listed = dashboard::Looked { cursor: query(request, "cursor"), ..Default::default() };
            dashboard::find(desk, listed).await
        }
        ["tenants", _, "records", id] => {
            let id = percent_decode_str(id).decode_utf8_lossy();
            dashboard::record(desk, &id, asked(request)?).await
        }
        _ => Err(Problem::new(problem::NO_ROUTE, "there is no such page")),
    }
}

/// What a form does, and the page that it came from once more.
async fn done(desk: &Desk<'_>, path: &str, segments: &[&str], form: &Form) -> Shown {
    if let ["tenants", _, "records"] = segments {
        let text = |name: &str| said(form, name).unwrap_or_default().to_owned();
        let looked = dashboard::Looked { q: text("q"), object: text("object"), cursor: None };
        return dashboard::find(desk, looked).await;
    }
    let Notice { did, done, left } = act(desk, path, form).await?;
    let back = said(form, "back").filter(|back| is_ours(back)).unwrap_or("/");
    let sign = if back.contains('?') { '&' } else { '?' };
    let to = format!("{}{back}{sign}did={did}&done={done}&left={left}", desk.base);
    Ok(Page { to: Some(to), ..Page::new("", html! {}) })
}

/// A form of a page that this session was shown, sent by a page of ours.
fn is_from_us(door: &Door, request: &ApiGatewayV2httpRequest, browser: &Secret, form: &Form) -> bool {
    let origin = request.headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
    origin == Some(door.origin.as_bytes()) && is_form_token(browser, said(form, "form_token").unwrap_or_default())
}

/// An address of a page of ours, behind the base.
fn is_ours(address: &str) -> bool {
    let sound = address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    sound
        && (address == "/"
            || address == "/tenants"
            || address.starts_with("/tenants/")
            || address.starts_with("/tenants?"))
}

/// The same page without what was said on it.
fn without_notice(address: &str) -> String {
    let Some((path, query)) = address.split_once('?') else { return address.to_owned() };
    let is_notice = |one: &&str| ["did=", "done=", "left="].iter().any(|name| one.starts_with(name));
    let kept: Vec<&str> = query.split('&').filter(|one| !is_notice(one)).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

fn query(request: &ApiGatewayV2httpRequest, name: &str) -> Option<String> {
    request.query_string_parameters.first(name).filter(|value| !value.is_empty()).map(str::to_owned)
}

fn asked<T: DeserializeOwned>(request: &ApiGatewayV2httpRequest) -> Result<T, Problem> {
    let query = request.raw_query_string.as_deref().unwrap_or_default();
    serde_urlencoded::from_str(query).map_err(|_| Problem::new(problem::UNREADABLE, "this address cannot be read"))
}

fn form(request: &ApiGatewayV2httpRequest) -> Form {
    let body = request.body.as_deref().unwrap_or_default().as_bytes();
    let body = if request.is_base64_encoded { BASE64_STANDARD.decode(body).unwrap_or_default() } else { body.to_vec() };
    serde_urlencoded::from_bytes(&body).unwrap_or_default()
}

fn asset(door: &Door, name: &str) -> ApiGatewayV2httpResponse {
    let (kind, text) = match name {
        name if name == *STYLE_NAME => ("text/css; charset=utf-8", STYLE),
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

fn sent_on(status: i64, to: &str) -> ApiGatewayV2httpResponse {
    let mut response = response(200, String::new());
    response.status_code = status;
    set(&mut response, header::LOCATION, to);
    response
}

/// A page that loads nothing but our stylesheet and icon, is kept nowhere, and tells no other site where it was. It tells ours: without
/// that, browsers name no origin with a form (Fetch, "append a request Origin header").
fn response(status: u16, page: String) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(status);
    response.body = Some(page.into());
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    ] {
        set(&mut response, name, value);
    }
    response
}

fn set(response: &mut ApiGatewayV2httpResponse, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers.insert(name, value);
    }
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

    #[test]
    fn what_was_done_is_said_once() {
        assert_eq!(without_notice("/tenants/a?code=x&did=retry&done=1&left=0"), "/tenants/a?code=x");
        assert_eq!(without_notice("/tenants/a?did=retry&done=1&left=0"), "/tenants/a");
    }
}

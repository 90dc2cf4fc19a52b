//! The dashboard's pages: who asks by which browser, which page is meant, and what goes around an answer.

use super::{
    door::{Door, asset, is_ours, query, response, sending, sent_on},
    gateway,
    login::{finish, log_in, log_out},
};
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
        frame::{Page, Shown, framed, trouble},
        session::{form_token, is_form_token},
        words::Notice,
    },
    error::Result,
    provider::Secret,
    telemetry::chain,
};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use http::{HeaderValue, Method, header};
use maud::html;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

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
        return log_out(app, cx, door, &browser).await;
    }
    let tenant = match segments {
        ["tenants", tenant, ..] => percent_decode_str(tenant).decode_utf8_lossy().into_owned(),
        _ => String::new(),
    };
    let notice = Notice {
        did: query(request, "did").unwrap_or_default(),
        done: query(request, "done").and_then(|n| n.parse().ok()).unwrap_or_default(),
        left: query(request, "left").and_then(|n| n.parse().ok()).unwrap_or_default(),
        more: query(request, "more").is_some_and(|more| more == "true"),
    };
    let cx = &cx.of(Some(caller.subject.clone()));
    let desk = Desk {
        app,
        cx,
        caller,
        name: session.name,
        form_token: form_token(&browser),
        base: door.base.clone(),
        public: gateway::public_url(app, request).unwrap_or_default(),
        tenant,
        path: without_notice(&address),
        notice: Some(notice).filter(|notice| query(request, "mark") == Some(notice.mark(&form_token(&browser)))),
    };
    let shown = match method {
        Method::GET => page(&desk, request, segments).await,
        Method::POST => done(&desk, &path, segments, &form).await,
        _ => Err(Problem::new(problem::METHOD, "pages are read, and forms are sent")),
    };
    Ok(match shown {
        Ok(Page { to: Some(to), .. }) => sent_on(303, &to),
        Ok(page) => sending(page.status, framed(&desk, &page), page.sends_to.as_deref().unwrap_or_default()),
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
        ["tenants", _, "files"] => dashboard::files(desk, asked(request)?).await,
        ["tenants", _, "imports", import] => dashboard::import(desk, &plain(import)).await,
        ["tenants", _, "imports", import, "result"] => {
            dashboard::saved(desk, "importResult", &[("import", &plain(import))]).await
        }
        ["tenants", _, "exports", export, "file"] => {
            dashboard::saved(desk, "exportFile", &[("export", &plain(export))]).await
        }
        ["tenants", _, "undo"] => dashboard::undo(desk, asked(request)?).await,
        ["tenants", _, "connections", connection, "mappings", object] => {
            dashboard::mapping(desk, &plain(connection), &plain(object)).await
        }
        ["tenants", _, "records", id, "erase"] => dashboard::erasure(desk, &plain(id)).await,
        ["tenants", _, "records"] => {
            // Only where the list goes on: who is looked for never stands in an address.
            let listed = dashboard::Looked { cursor: query(request, "cursor"), ..Default::default() };
            dashboard::find(desk, listed).await
        }
        ["tenants", _, "records", id] => dashboard::record(desk, &plain(id), asked(request)?).await,
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
    match segments {
        ["tenants", _, "imports"] => return dashboard::import_file(desk, form).await,
        ["tenants", _, "links"] => return dashboard::linked(desk, form).await,
        ["tenants", _, "connections", connection, "mappings", object] => {
            return dashboard::change(desk, &plain(connection), &plain(object), form).await;
        }
        _ => {}
    }
    let notice = act(desk, path, form).await?;
    let back = said(form, "back").filter(|back| is_ours(back)).unwrap_or("/");
    Ok(desk.told(back, notice))
}

/// What stands in a path.
fn plain(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// A form of a page that this session was shown, sent by a page of ours.
fn is_from_us(door: &Door, request: &ApiGatewayV2httpRequest, browser: &Secret, form: &Form) -> bool {
    let origin = request.headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
    origin == Some(door.origin.as_bytes()) && is_form_token(browser, said(form, "form_token").unwrap_or_default())
}

/// The same page without what was said on it.
fn without_notice(address: &str) -> String {
    let Some((path, query)) = address.split_once('?') else { return address.to_owned() };
    let is_notice = |one: &&str| ["did=", "done=", "left=", "more=", "mark="].iter().any(|name| one.starts_with(name));
    let kept: Vec<&str> = query.split('&').filter(|one| !is_notice(one)).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

fn asked<T: DeserializeOwned>(request: &ApiGatewayV2httpRequest) -> Result<T, Problem> {
    let query = request.raw_query_string.as_deref().unwrap_or_default();
    serde_urlencoded::from_str(query).map_err(|_| Problem::new(problem::UNREADABLE, "this address cannot be read"))
}

fn form(request: &ApiGatewayV2httpRequest) -> Form {
    let body = gateway::body(request.body.clone(), request.is_base64_encoded).unwrap_or_default();
    serde_urlencoded::from_bytes(&body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_said_once() {
        assert_eq!(without_notice("/tenants/a?code=x&did=retry&done=1&left=0&mark=0"), "/tenants/a?code=x");
        assert_eq!(without_notice("/tenants/a?did=retry&done=1&left=0"), "/tenants/a");
    }
}

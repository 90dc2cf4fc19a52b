//! A person comes to the dashboard, by way of their issuer, and goes.

use super::door::{Door, is_ours, query, sent_on};
use crate::{
    app::App,
    context::Context,
    dashboard::{
        frame::Page,
        login::{Answer, Turned},
    },
    error::Result,
    provider::Secret,
    store::tickets::fresh,
};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use maud::html;

/// For how long somebody may take to log in, in seconds.
const LOGIN_LIVES: u32 = 600;

pub(super) async fn log_in(
    app: &App,
    door: &Door,
    request: &ApiGatewayV2httpRequest,
) -> Result<ApiGatewayV2httpResponse> {
    let to = query(request, "to").filter(|to| is_ours(to)).unwrap_or_else(|| "/".to_owned());
    let browser = fresh()?;
    let page = app.begin_login(&browser, &format!("{}{}/callback", door.origin, door.base)).await?;
    let mut response = sent_on(302, &page);
    let kept = format!("{}.{}", browser.reveal(), BASE64_URL_SAFE_NO_PAD.encode(to));
    response.cookies.push(door.set_cookie("login", &kept, LOGIN_LIVES));
    Ok(response)
}

pub(super) async fn finish(
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

pub(super) async fn log_out(
    app: &App,
    cx: &Context,
    door: &Door,
    browser: &Secret,
) -> Result<ApiGatewayV2httpResponse> {
    app.log_out(cx, browser).await?;
    let body = html! { p { "Your session has ended." } (door.login_link()) };
    let mut response = door.alone(&Page::new("Logged out", body));
    response.cookies.push(door.set_cookie("session", "", 0));
    Ok(response)
}

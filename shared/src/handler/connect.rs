//! A person connects a CRM in the browser; a CRM says that we were uninstalled.

use super::gateway::{self, set};
use crate::{
    app::App,
    connecting::{Answer, CONSENT_LIVES, Finished, Turned},
    connection::State,
    context::Context,
    error::{Error, Result},
    provider::{Crm, Secret},
    store::tickets::{digest, fresh},
    telemetry::chain,
};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderValue, Method, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use subtle::ConstantTimeEq;

/// What the browser brings back with the CRM's answer.
const COOKIE: &str = "crm_sync_connect";
/// Where every CRM sends browsers back to, below our public URL.
const CALLBACK: &str = "/connect/callback";

/// `GET /connect/{crm}?link=…` begins, `GET /connect/callback` finishes, `DELETE /connect/callback` is Pipedrive's word that
/// our app was uninstalled.
pub async fn connect(app: &App, cx: &Context, request: ApiGatewayV2httpRequest) -> Result<ApiGatewayV2httpResponse> {
    let crm = request.path_parameters.get("crm").map(|crm| crm.parse::<Crm>());
    let done = match (request.request_context.http.method.clone(), crm) {
        (Method::GET, Some(Ok(crm))) => begin(app, cx, crm, &request).await,
        (Method::GET, None) => finish(app, cx, &request).await,
        (Method::DELETE, None) => uninstalled(app, cx, &request).await,
        _ => Ok(page(404, "Not found", &html! { p { "There is nothing here." } })),
    };
    done.or_else(|error| {
        tracing::error!(error = chain(&error), trace = cx.trace, "a connect failed");
        let text = match error {
            Error::Config { .. } => format!(
                "Something must be set up first: whoever sent you this link finds it in the logs under {}.",
                cx.trace
            ),
            _ => "Something did not work out. Open the link again in a minute.".to_owned(),
        };
        Ok(page(503, "Not connected", &html! { p { (text) } }))
    })
}

/// Our own URL, as the gateway or the configuration says it.
fn origin(app: &App, request: &ApiGatewayV2httpRequest) -> Result<String> {
    gateway::public_url(app, request).ok_or_else(|| Error::bug("a request of no domain"))
}

/// First a page that says what is about to be connected, and to whom; only from there, in the same browser, to the CRM. So a
/// link that somebody else sent connects nothing by one click.
async fn begin(
    app: &App,
    cx: &Context,
    crm: Crm,
    request: &ApiGatewayV2httpRequest,
) -> Result<ApiGatewayV2httpResponse> {
    let asked = |name: &str| request.query_string_parameters.first(name).unwrap_or_default();
    let link = Secret::new(asked("link"));
    let invitation = match app.invitation(cx, crm, &link).await? {
        Ok(invitation) => invitation,
        Err(turned) => return Ok(turned_away(&turned)),
    };
    let callback = format!("{}{CALLBACK}", origin(app, request)?);
    if let Some(browser) = cookie(request, COOKIE).filter(|browser| proof(browser) == asked("go")) {
        let mut response = page(302, "One moment", &html! {});
        set(&mut response, header::LOCATION, &app.begin_connect(cx, &invitation, &link, &browser, &callback).await?);
        return Ok(response);
    }
    let browser = fresh()?;
    let go = format!("?link={}&go={}", link.reveal(), proof(&browser));
    let mut response = page(
        200,
        &format!("Connect {}", crm.title()),
        &html! {
            p { "An account of " (crm.title()) " is about to be connected to " strong { (invitation.tenant) } " as " strong { (invitation.connection) } "." }
            p { "Whoever runs " (invitation.tenant) " will see the people in that account and, once they have approved it, change them. Go on only if that is what you want." }
            p { a id="go" href=(go) { "Go on to " (crm.title()) } }
        },
    );
    let path =
        callback.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or(CALLBACK);
    let path = path.strip_suffix("/callback").unwrap_or(path);
    let secure = if callback.starts_with("https:") { "; Secure" } else { "" };
    let (value, age) = (browser.reveal(), CONSENT_LIVES.as_secs());
    response.cookies = vec![format!("{COOKIE}={value}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")];
    Ok(response)
}

/// What only a page that was shown to the browser with this cookie can say.
fn proof(browser: &Secret) -> String {
    digest(&Secret::new(format!("go on with {}", browser.reveal())))
}

/// What this browser was given. Cookies stand apart in this version of the gateway's events; as a header they are what any
/// other HTTP server gets.
pub(super) fn cookie(request: &ApiGatewayV2httpRequest, name: &str) -> Option<Secret> {
    let header = request.headers.get(header::COOKIE).and_then(|value| value.to_str().ok());
    let header = header.into_iter().flat_map(|value| value.split("; "));
    let mut cookies = request.cookies.iter().flatten().map(String::as_str).chain(header);
    cookies.find_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('=')).map(Secret::new)
}

async fn finish(app: &App, cx: &Context, request: &ApiGatewayV2httpRequest) -> Result<ApiGatewayV2httpResponse> {
    let asked = |name: &str| request.query_string_parameters.first(name).filter(|value| !value.is_empty());
    let Some(state) = asked("state").map(Secret::new) else { return Ok(turned_away(&Turned::NotAsked)) };
    let browser = cookie(request, COOKIE);
    let code = asked("code").filter(|_| asked("error").is_none()).map(Secret::new);
    let server = asked("accounts-server").map(str::to_owned);
    let origin = origin(app, request)?;
    let answer = Answer { state, browser, code, server, redirect_uri: format!("{origin}{CALLBACK}") };
    Ok(match app.finish_connect(cx, answer, &origin).await? {
        Ok(finished) => connected(&finished),
        Err(turned) => turned_away(&turned),
    })
}

fn connected(finished: &Finished) -> ApiGatewayV2httpResponse {
    let Finished { invitation, opened, again } = finished;
    let (name, id) = (invitation.crm.title(), &invitation.connection);
    let joining = opened.connection.state == State::Joining;
    page(
        200,
        &format!("{name} is connected"),
        &html! {
            p { "The connection is called " strong { (id) } "." }
            @if *again {
                p { "It goes on where it stopped: what changed meanwhile is read, and what waited is written." }
            } @else if joining {
                p { "Its records are being read now. Nothing is written to it before that is approved." }
            }
            @let todo = finished.opened.to_do();
            @if !todo.is_empty() {
                h2 { "To do in " (name) }
                ol { @for what in &todo { li { (what) } } }
            }
            p { "You can close this page." }
        },
    )
}

fn turned_away(turned: &Turned) -> ApiGatewayV2httpResponse {
    let status = match turned {
        Turned::BadLink => 410,
        Turned::NotAsked | Turned::LoginHost | Turned::NoSuchObject { .. } => 400,
        Turned::AnotherAccount => 409,
        Turned::Denied => 403,
    };
    page(status, "Not connected", &html! { p role="alert" { (turned) } })
}

/// Pipedrive proves it by our own app's credentials (Pipedrive docs: App uninstallation).
async fn uninstalled(app: &App, cx: &Context, request: &ApiGatewayV2httpRequest) -> Result<ApiGatewayV2httpResponse> {
    let crm = Crm::Pipedrive;
    let ours = app.secrets.app(crm).await?;
    let expected = BASE64_STANDARD.encode(format!("{}:{}", ours.client_id, ours.client_secret.reveal()));
    let sent = request.headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    if !bool::from(format!("Basic {expected}").as_bytes().ct_eq(sent)) {
        return Ok(page(401, "Not proved", &html! {}));
    }
    let body = gateway::body(request.body.clone(), request.is_base64_encoded);
    let notice: serde_json::Value = body.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    // A number, or the same as a text, as in webhooks.
    let company = notice.get("company_id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    let Some(Ok(account)) = company.map(|company| company.parse()) else {
        return Ok(page(400, "Not readable", &html! {}));
    };
    let connections = app.store.connections_by_account(crm, &account).await?;
    for connection in connections.into_iter().filter(|connection| connection.state != State::Closed) {
        tracing::warn!(connection.id = %connection.id, %crm, trace = cx.trace, "our app was uninstalled");
        app.store.set_state(&connection, &State::NeedsReauth { since: cx.now() }).await?;
    }
    Ok(page(200, "Noted", &html! {}))
}

const STYLE: &str = "html{color-scheme:light dark}\
    body{font:16px/1.6 system-ui,sans-serif;max-width:38rem;margin:0 auto;padding:min(12vh,6rem) 1rem 2rem}\
    main{border:1px solid #8886;border-radius:12px;padding:2rem clamp(1.25rem,5vw,2.5rem)}\
    h1{font-size:1.6rem;line-height:1.25;margin:0 0 1.25rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}\
    p{margin:.75rem 0}p:last-child{margin-bottom:0}ol{padding-left:1.25rem}li{margin:.5rem 0;overflow-wrap:anywhere}\
    #go{display:inline-block;padding:.6rem 1.2rem;border:1px solid;border-radius:.4rem;text-decoration:none;font-weight:600}";

/// A page that loads nothing, is kept nowhere, and tells no other site where it was.
fn page(status: u16, title: &str, body: &Markup) -> ApiGatewayV2httpResponse {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { h1 { (title) } (body) } }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    gateway::response(status, markup.into_string(), &headers)
}

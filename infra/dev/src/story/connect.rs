//! (11) A person opens a link and connects an account; it is disconnected, and connected again.

use super::Seen;
use super::scene::{Scene, TENANT};
use super::sight::{SOON, Sight};
use crate::http::{self, Hop};
use crate::operator;
use crate::people::Person;
use crate::step::Progress;
use anyhow::{Context, Result};
use serde_json::json;

const CONNECTION: &str = "second";
const ACCOUNT: &str = "777";

pub(super) fn works(scene: &mut Scene<'_>, progress: &Progress) -> Result<Seen> {
    let app = "local-hubspot-client";
    let account = json!({"crm": "hubspot", "account_id": ACCOUNT, "client_id": app, "client_secret": scene.connection("hubspot")?.webhook_secret});
    http::post(&format!("{}/_sim/accounts", scene.stack.simulator), &account)?;
    progress.say("a link, and HubSpot's own page");
    connects(scene)?;
    progress.say("back again");
    // The first time by whoever runs the tenant, the second by whoever runs the stack.
    let admin = Person::log_in(scene.stack, "ada")?;
    let closed = admin.ask("DELETE", &format!("/v1/tenants/{TENANT}/connections/{CONNECTION}"), None)?;
    Sight::of("nobody", "control", "a connection that is closed").check(
        scene,
        closed["state"]["is"] == "closed",
        || closed.to_string(),
    )?;
    let link = connects(scene)?;
    let again = http::hop(&Hop::get(&link))?;
    Sight::of("nobody", "connect", "a link that was used is answered 410")
        .check(scene, again.status == 410, || again.status.to_string())?;
    operator::ask(scene.project, scene.stack, &["disconnect", TENANT, CONNECTION])?;
    scene.rest(SOON)?;
    Ok("HubSpot account 777: approved in the browser, disconnected, connected again; the used link is refused"
        .to_owned())
}

/// From the link to the last page, as a browser goes; the link.
fn connects(scene: &Scene<'_>) -> Result<String> {
    let said = operator::ask(scene.project, scene.stack, &["link", TENANT, CONNECTION, "hubspot"])?;
    let link = said.lines().next().context("`operator link` says nothing")?.to_owned();
    let begun = http::hop(&Hop::get(&link))?;
    let href = begun.body.split("id=\"go\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
    let href = href.context("the link's page does not go on")?.replace("&amp;", "&");
    let on = format!("{}{href}", link.split('?').next().unwrap_or_default());
    let cookie = begun.cookie.as_deref();
    let page = http::hop(&Hop { cookie, ..Hop::get(&on) })?.location.context("the page does not lead to HubSpot")?;
    let form = [("decision", "approve"), ("account", ACCOUNT)];
    let back =
        http::hop(&Hop { form: Some(&form), ..Hop::get(&page) })?.location.context("HubSpot sends nobody back")?;
    let done = http::hop(&Hop { cookie, ..Hop::get(&back) })?;
    let connected = done.status == 200 && done.body.contains("HubSpot is connected");
    Sight::of("nobody", "connect", "a page that says: HubSpot is connected")
        .check(scene, connected, || format!("{} {}", done.status, done.body))?;
    Ok(link)
}

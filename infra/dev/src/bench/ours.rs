//! Our own functions at a peer's job: the release binary under the bare Runtime API, with a stub of AWS that answers at once.

use super::connectors::Figures;
use super::crm::{Crm, LEADS, TOKEN};
use super::gauge::{self, Asked, Built, Contender, contender};
use crate::http::{self, Hop};
use crate::project::Project;
use crate::step::Progress;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What a pull leaves behind in the table, which the next one finds.
const LEFT: &str = "left.json";
/// What lies in the table where Salesforce's leads are pulled.
const OF_SALESFORCE: &str = "infra/bench/tables-salesforce.json";

/// What a pull came to, and what it asked of AWS.
pub(super) struct Pulled {
    pub(super) figures: Figures,
    pub(super) asked: Asked,
}

/// One message of a pull, by the function `delta-pull`; where the one before it came to is kept in the folder.
pub(super) fn pull(project: &Project, built: &Built, crm: &Crm, folder: &Path, progress: &Progress) -> Result<Pulled> {
    std::fs::create_dir_all(folder)?;
    let (tables, is_of_salesforce) = (folder.join(LEFT), crm.vendor() == LEADS.crm);
    if !tables.exists() {
        let first = if is_of_salesforce { project.root.join(OF_SALESFORCE) } else { gauge::tables(project) };
        std::fs::copy(first, &tables)?;
    }
    let event = message(project, crm, folder)?;
    let function = built.function("delta-pull");
    let asked = contender(project, "pull", &[&function], folder, &event.display().to_string());
    let asked = at_crm(asked, crm);
    let mut secrets = gauge::secrets(TOKEN);
    if is_of_salesforce {
        let token = token(crm)?;
        secrets["crm-sync/connection/demo/salesforce"] = json!({"access_token": token, "api_domain": crm.url()});
    }
    http::get(&format!("{}/_sim/calls?reset=1", crm.url()))?;
    let run = built.run_with(&[asked], &tables, 1, &secrets, progress)?.pop().context("it was not run")?;
    let calls: Value = http::get_json(&format!("{}/_sim/calls?reset=1", crm.url()))?;
    ensure!(run.answer == json!({"batchItemFailures": []}), "the pull is answered by {}", run.answer);
    ensure!(!run.connections.is_empty(), "the pull read nothing");
    ensure!(run.sent.iter().all(|message| message["work"].is_null()), "the pull did not come to its end");
    leave(&tables, &run.connections)?;
    let figures = Figures {
        seconds: (run.init_ms + run.first_ms) / 1e3,
        cpu_s: run.all_cpu_s.context("this system does not tell of a process's time")?,
        peak_kb: run.peak_kb.context("this system does not tell of a process's memory")?,
        records: run.records,
        calls: serde_json::from_value(calls[crm.vendor()].clone())?,
    };
    Ok(Pulled { figures, asked: run.asked })
}

/// The sample, for this CRM's connection.
fn message(project: &Project, crm: &Crm, folder: &Path) -> Result<PathBuf> {
    let sample = std::fs::read_to_string(project.root.join("events/delta-pull/delta.json"))?;
    let connection = |name: &str| format!(r#"\"connection\":\"{name}\""#);
    let event = folder.join("event.json");
    std::fs::write(&event, sample.replace(&connection("hubspot"), &connection(crm.vendor())))?;
    Ok(event)
}

/// A session of Salesforce's, for the refresh token that the account has.
fn token(crm: &Crm) -> Result<String> {
    let accounts: Vec<Value> = http::get_json(&format!("{}/_sim/accounts", crm.url()))?;
    let account =
        accounts.iter().find(|account| account["crm"] == crm.vendor()).context("the simulator has no account")?;
    let said = |name: &'static str| (name, account[name].as_str().unwrap_or_default());
    let form = [("grant_type", "refresh_token"), said("client_id"), said("client_secret"), said("refresh_token")];
    let url = format!("{}/{}/services/oauth2/token", crm.url(), crm.vendor());
    let answer: Value = serde_json::from_str(&http::hop(&Hop { url: &url, cookie: None, form: Some(&form) })?.body)?;
    Ok(answer["access_token"].as_str().context("the simulator gives no token")?.to_owned())
}

/// Without limits of our own either: the simulated account tells that it has none to speak of.
fn at_crm(asked: Contender, crm: &Crm) -> Contender {
    let mut environment = asked.environment.clone();
    environment.insert("CRM_URL".to_owned(), crm.url().to_owned());
    Contender { environment, ..asked }
}

fn leave(tables: &Path, connections: &[Value]) -> Result<()> {
    let mut items: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(tables)?)?;
    let key = |item: &Value| (item["pk"].clone(), item["sk"].clone());
    items.retain(|item| connections.iter().all(|newer| key(newer) != key(item)));
    items.extend_from_slice(connections);
    Ok(std::fs::write(tables, json!(items).to_string())?)
}

//! The tenant that every local stack begins with: one connection per CRM.

use crate::project::Project;
use crate::screens::{SCREENS, Screen};
use crate::stack::{Connection, Stack};
use crate::step::step;
use crate::{emulator, http, python};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const TENANT: &str = "demo";

/// Opens an account in each simulated CRM, puts the credentials and the connections of the demo tenant, and names the
/// connections in `stack`.
pub(crate) fn seed(project: &Project, stack: &mut Stack, simulated: bool) -> Result<()> {
    step("Demo tenant seeded", |progress| {
        let connections = connections(&stack.api);
        if simulated {
            for one in &connections {
                progress.say(&one.crm);
                http::post(&format!("{}/_sim/accounts", stack.simulator), &account(&stack.api, one))?;
            }
        }
        python::ask(&mut python::script(project, "seed_secrets.py"), &secrets(&connections), Some(progress))?;
        put_connections(project, stack, &connections)?;
        let names: Vec<_> = connections.iter().map(|one| one.crm.as_str()).collect();
        let detail = format!("tenant {TENANT}: {}", names.join(", "));
        stack.connections.clone_from(&connections);
        Ok(((), detail))
    })
}

/// Makes the connections as a person would, with the `operator` command.
fn put_connections(project: &Project, stack: &Stack, connections: &[Connection]) -> Result<()> {
    for one in connections {
        let mut operator = crate::operator::command(project, stack);
        operator.args(["adopt", &one.tenant_id, &one.connection_id, &one.crm, &one.account_id, "--active"]);
        let output = operator.output().context("the operator command cannot be started")?;
        ensure!(
            output.status.success(),
            "{} could not be connected: {}",
            one.crm,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// HubSpot signs with the app's secret, and has one URL per app. The others give back a token of ours, to a URL per connection:
/// Salesforce in the URL itself.
fn connections(api: &str) -> Vec<Connection> {
    let connection = |screen: &Screen| {
        let crm = screen.crm;
        let (path, webhook_secret) = match crm {
            "hubspot" => (crm.to_owned(), "local-hubspot-client-secret".to_owned()),
            "salesforce" => {
                (format!("{crm}/{crm}?token=local-{crm}-channel-token"), format!("local-{crm}-channel-token"))
            }
            _ => (format!("{crm}/{crm}"), format!("local-{crm}-channel-token")),
        };
        Connection {
            tenant_id: TENANT.to_owned(),
            connection_id: crm.to_owned(),
            crm: crm.to_owned(),
            account_id: screen.account_id.to_owned(),
            webhook_url: format!("{api}/webhooks/{path}"),
            webhook_secret,
        }
    };
    SCREENS.iter().map(connection).collect()
}

fn client_id(one: &Connection) -> String {
    format!("local-{}-client", one.crm)
}

fn client_secret(one: &Connection) -> String {
    if one.crm == "hubspot" { one.webhook_secret.clone() } else { format!("local-{}-client-secret", one.crm) }
}

fn refresh_token(one: &Connection) -> String {
    format!("local-{}-refresh-token", one.crm)
}

/// What the simulator is told of an account.
fn account(api: &str, one: &Connection) -> Value {
    let mut account = json!({
        "crm": one.crm,
        "account_id": one.account_id,
        "client_id": client_id(one),
        "client_secret": client_secret(one),
        "refresh_token": refresh_token(one),
        "redirect_uri": format!("{api}/connect/callback"),
    });
    // Zoho and Pipedrive are told by the API, when the connection is made.
    if matches!(one.crm.as_str(), "hubspot" | "salesforce") {
        account["webhook_url"] = json!(one.webhook_url);
    }
    if one.crm == "salesforce" {
        account["subscriptions"] = json!(["SystemModstamp", "LastModifiedById"]);
    }
    account
}

/// Secret's name → value. The access token has long expired, so the first call refreshes it.
fn secrets(connections: &[Connection]) -> Value {
    let mut secrets = json!({});
    for one in connections {
        secrets[format!("{}/app/{}", emulator::STACK, one.crm)] =
            json!({"client_id": client_id(one), "client_secret": client_secret(one)});
        secrets[format!("{}/connection/{}/{}", emulator::STACK, one.tenant_id, one.connection_id)] = json!({
            "access_token": "expired",
            "refresh_token": refresh_token(one),
            "expires_at": "2026-01-01T00:00:00Z",
            "api_domain": null,
            "accounts_server": null,
            "webhook_token": (one.crm != "hubspot").then_some(&one.webhook_secret),
        });
    }
    secrets
}

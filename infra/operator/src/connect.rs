//! A new connection by a credential that an admin brings: no browser, no app of ours.

use crate::asked::Asked;
use anyhow::{Context as _, Result, bail, ensure};
use shared::{
    App,
    brought::{Brought, way},
    connecting::{Finished, Invitation},
    connection::State,
    context::Context,
    provider::{By, Crm, Need, Secret},
};
use std::{io::Read, path::PathBuf};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    asked: Asked,
    /// What the credential is: token, client-credentials or jwt-bearer; left out, it is said what this CRM has
    #[arg(long, value_parser = by)]
    by: Option<By>,
    /// The file that holds the credential; left out, it is read from standard input. The token, the client's secret, or the key as PEM;
    /// after a HubSpot token, on a line of its own, the private app's client secret, if its webhooks are to be taken
    #[arg(long)]
    credential: Option<PathBuf>,
    /// The id of the account's own app: Salesforce's consumer key, the client id of Zoho's self client
    #[arg(long)]
    client_id: Option<String>,
    /// For whom we act: Salesforce's user name with a key, Zoho's organisation id (zgid)
    #[arg(long)]
    subject: Option<String>,
}

fn by(name: &str) -> Result<By, String> {
    name.parse().map_err(|()| format!("{name} is none of: {}", By::ALL.map(By::name).join(", ")))
}

pub(crate) async fn run(app: &App, cx: &Context, args: Args) -> Result<()> {
    let Some(by) = args.by else { bail!("say how, with --by: {}", ways(args.asked.crm)) };
    if let Err(unfit) = way(args.asked.crm, by) {
        bail!("{unfit}: {}", ways(args.asked.crm));
    }
    let origin = app.settings.public_url.clone().context("the environment lacks PUBLIC_URL")?;
    let (secret, webhook_secret) = credential(&args, by)?;
    let Args { asked, client_id, subject, .. } = args;
    let brought = Brought { by, secret, client_id, subject, webhook_secret };
    let finished = app.connect_with(cx, &asked.invitation(), brought, &origin).await?;
    tell(&finished.map_err(|turned| anyhow::anyhow!("{turned}"))?);
    Ok(())
}

/// What a CRM has, and what each takes.
fn ways(crm: Crm) -> String {
    let option = |need: &Need| match need {
        Need::ClientId => " --client-id <id>",
        Need::Subject => " --subject <for whom>",
        Need::LoginHost => " --login-host <host>",
        Need::WebhookSecret => "",
    };
    let way = |way: &shared::provider::Way| {
        format!("\n  --by {}{}\n    {}", way.by, way.needs.iter().map(option).collect::<String>(), way.clicks)
    };
    let ways: String = crm.capabilities().ways.iter().map(way).collect();
    format!("{} has{ways}", crm.title())
}

/// The secret, and what signs deliveries. Neither is ever an argument or in the environment: others could read it there.
fn credential(args: &Args, by: By) -> Result<(Secret, Option<Secret>)> {
    let mut text = String::new();
    match &args.credential {
        Some(file) => text = std::fs::read_to_string(file).context("the credential's file cannot be read")?,
        None => drop(std::io::stdin().read_to_string(&mut text).context("the credential is read from standard input")?),
    }
    ensure!(!text.trim().is_empty(), "the credential is read from standard input, or a file, and that is empty");
    if by == By::JwtBearer {
        return Ok((Secret::new(text), None));
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let secret = Secret::new(lines.next().unwrap_or_default());
    Ok((secret, lines.next().map(Secret::new)))
}

fn tell(finished: &Finished) {
    let Finished { invitation, opened, again } = finished;
    let Invitation { tenant, connection, crm, .. } = invitation;
    let account = &opened.connection.account;
    match again {
        true => println!("{connection} is connected to {} {account} again", crm.title()),
        false => println!("{connection} is connected to {} {account}; its records are being read", crm.title()),
    }
    if let Some(until) = opened.renewed {
        println!("webhooks are subscribed, to be renewed after {}", until.strftime("%Y-%m-%d %H:%M UTC"));
    }
    for what in opened.to_do() {
        println!("To do in {}: {what}", crm.title());
    }
    if opened.connection.state == State::Joining {
        println!("nothing is written to it before: operator activate {tenant} {connection}");
    }
}

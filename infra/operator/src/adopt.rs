//! A connection whose credentials are in Secrets Manager already, as after a move to another stack.

use crate::asked::Asked;
use anyhow::{Context as _, Result};
use shared::{
    App,
    connecting::new_connection,
    connection::{Connection, State},
    context::Context,
    id::AccountId,
    provision::Opened,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    asked: Asked,
    /// HubSpot's portal id, Salesforce's org id (18 characters), Zoho's organisation id (zgid), Pipedrive's company id
    account: AccountId,
    /// Write to the CRM from the start, without looking at what is in it first
    #[arg(long)]
    active: bool,
}

pub(crate) async fn run(app: &App, cx: &Context, args: Args) -> Result<()> {
    let Args { asked, account, active } = args;
    let (crm, invitation) = (asked.crm, asked.invitation());
    invitation.sound().map_err(|turned| anyhow::anyhow!("{turned}"))?;
    let state = if active { State::Active } else { State::Joining };
    let connection = Connection { state, approved: active, ..new_connection(&invitation, account, cx) };
    app.secrets.grant(&connection.tenant, &connection.id).await.with_context(|| {
        format!(
            "its credentials come first: the secret {}/connection/{}/{}",
            app.settings.secret_prefix, connection.tenant, connection.id
        )
    })?;
    let origin = app.settings.public_url.clone().context("the environment lacks PUBLIC_URL")?;
    let opened = app.open(cx, connection, &origin).await?;
    let Opened { connection, renewed, .. } = &opened;
    println!("{} is connected to {crm}; its records are being read", connection.id);
    if let Some(until) = renewed {
        println!("webhooks are subscribed, to be renewed after {}", until.strftime("%Y-%m-%d %H:%M UTC"));
    }
    for what in opened.to_do() {
        println!("To do in {}: {what}", crm.title());
    }
    if !active {
        println!("nothing is written to it before: operator activate {} {}", connection.tenant, connection.id);
    }
    Ok(())
}

//! A connection whose credentials are in Secrets Manager already, as after a move to another stack.

use anyhow::{Context as _, Result};
use shared::{
    App,
    connecting::{Invitation, new_connection},
    connection::{Connection, State},
    context::Context,
    id::{AccountId, ConnectionId, TenantId},
    provider::Crm,
    provision::Opened,
    record::{Object, Region},
};

#[derive(clap::Args)]
pub(crate) struct Args {
    tenant: TenantId,
    /// A name of your choice; it becomes a part of the webhook URL
    connection: ConnectionId,
    /// hubspot, salesforce, zoho or pipedrive
    #[arg(value_parser = crate::connect::crm)]
    crm: Crm,
    /// HubSpot's portal id, Salesforce's org id (18 characters), Zoho's organisation id (zgid), Pipedrive's company id
    account: AccountId,
    /// The country whose way of writing phone numbers is used where none is given
    #[arg(long, default_value = "US")]
    region: String,
    /// What is kept in step, with commas: person, company, deal, note, task, as far as this CRM has them
    #[arg(long, default_value = "person", value_delimiter = ',')]
    objects: Vec<Object>,
    /// Seconds between two pulls
    #[arg(long, default_value_t = 300)]
    pull_every: u32,
    /// Write to the CRM from the start, without looking at what is in it first
    #[arg(long)]
    active: bool,
}

pub(crate) async fn run(app: &App, cx: &Context, args: Args) -> Result<()> {
    let Args { tenant, connection: id, crm, account, region, objects, pull_every, active } = args;
    let region = Region(region);
    let invitation = Invitation { tenant, connection: id, crm, region, objects, pull_every, login_host: None };
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

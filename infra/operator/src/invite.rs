//! A link that a person opens to connect a CRM account, and the way back.

use anyhow::{Context as _, Result};
use shared::{
    App,
    connecting::{Invitation, LINK_LIVES},
    context::Context,
    id::{ConnectionId, TenantId},
    provider::Crm,
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
    /// The country whose way of writing phone numbers is used where none is given
    #[arg(long, default_value = "US")]
    region: String,
    /// What is kept in step, with commas: person, company, deal, note, task, as far as this CRM has them
    #[arg(long, default_value = "person", value_delimiter = ',')]
    objects: Vec<Object>,
    /// Seconds between two pulls
    #[arg(long, default_value_t = 300)]
    pull_every: u32,
    /// Where the account logs in: https://test.salesforce.com, https://acme.my.salesforce.com, https://accounts.zoho.eu
    #[arg(long)]
    login_host: Option<String>,
}

pub(crate) async fn run(app: &App, cx: &Context, args: Args) -> Result<()> {
    let Args { tenant, connection, crm, region, objects, pull_every, login_host } = args;
    app.secrets.app(crm).await.with_context(|| {
        format!(
            "our app at {} comes first: operator app {crm} --client-id <id>, with its secret on standard input",
            crm.title()
        )
    })?;
    let url = app.settings.public_url.as_deref().context("the environment lacks PUBLIC_URL")?;
    let region = Region(region);
    let invitation = Invitation { tenant, connection, crm, region, objects, pull_every, login_host };
    let link = app.invite(cx, &invitation).await?.map_err(|turned| anyhow::anyhow!("{turned}"))?;
    println!("{}/connect/{crm}?link={}", url.trim_end_matches('/'), link.reveal());
    eprintln!(
        "It works once, within {} minutes. Whoever has it can connect an account of theirs.",
        LINK_LIVES.as_mins()
    );
    Ok(())
}

/// Our app at a CRM, as its vendor registered it.
#[derive(clap::Args)]
pub(crate) struct AppArgs {
    /// hubspot, salesforce, zoho or pipedrive
    #[arg(value_parser = crate::connect::crm)]
    crm: Crm,
    #[arg(long)]
    client_id: String,
}

/// The secret comes on standard input, so that no shell remembers it.
pub(crate) async fn register(app: &App, args: AppArgs) -> Result<()> {
    let mut secret = String::new();
    std::io::stdin().read_line(&mut secret).context("the app's secret is read from standard input")?;
    anyhow::ensure!(!secret.trim().is_empty(), "the app's secret is read from standard input, and that is empty");
    app.secrets.put_app(args.crm, &args.client_id, secret.trim()).await?;
    println!("our app at {} is known; the secret before this one is still accepted in deliveries", args.crm.title());
    Ok(())
}

pub(crate) async fn disconnect(app: &App, cx: &Context, tenant: &TenantId, id: &ConnectionId) -> Result<()> {
    let connection = app.store.connection(tenant, id).await?.context("there is no such connection")?;
    app.disconnect(cx, &connection).await?;
    println!(
        "{id} is disconnected: webhooks ended, access given back, credentials gone in a week. The hub keeps what it knows."
    );
    Ok(())
}

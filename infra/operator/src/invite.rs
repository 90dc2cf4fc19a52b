//! A link that a person opens to connect a CRM account, and the way back.

use crate::asked::Asked;
use anyhow::{Context as _, Result};
use shared::{
    App,
    connecting::LINK_LIVES,
    context::Context,
    id::{ConnectionId, TenantId},
    provider::Crm,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    asked: Asked,
}

pub(crate) async fn run(app: &App, cx: &Context, args: Args) -> Result<()> {
    let crm = args.asked.crm;
    app.secrets.app(crm).await.with_context(|| {
        format!(
            "our app at {} comes first: operator app {crm} --client-id <id>, with its secret on standard input",
            crm.title()
        )
    })?;
    let url = app.settings.public_url.as_deref().context("the environment lacks PUBLIC_URL")?;
    let link = app.invite(cx, &args.asked.invitation()).await?.map_err(|turned| anyhow::anyhow!("{turned}"))?;
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
    #[arg(value_parser = crate::asked::crm)]
    crm: Crm,
    #[arg(long)]
    client_id: String,
}

/// The secret comes on standard input, so that no shell remembers it.
pub(crate) async fn register(app: &App, cx: &Context, args: AppArgs) -> Result<()> {
    let mut secret = String::new();
    std::io::stdin().read_line(&mut secret).context("the app's secret is read from standard input")?;
    anyhow::ensure!(!secret.trim().is_empty(), "the app's secret is read from standard input, and that is empty");
    app.secrets.put_app(args.crm, &args.client_id, secret.trim(), cx.now()).await?;
    println!(
        "our app at {} is known; the secret before this one is accepted in deliveries for a week more",
        args.crm.title()
    );
    Ok(())
}

pub(crate) async fn rotate(app: &App, cx: &Context, tenant: &TenantId, id: &ConnectionId) -> Result<()> {
    let connection = app.store.connection(tenant, id).await?.context("there is no such connection")?;
    let origin = app.settings.public_url.as_deref().context("the environment lacks PUBLIC_URL")?;
    match app.replace_token(cx, &connection, origin).await? {
        Some(clicks) => println!(
            "The token before is good for a week more. Put the new URL in the place of the old one. {}",
            clicks.reveal()
        ),
        None => println!("{} is told of another token when its webhooks are renewed next", connection.crm.title()),
    }
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

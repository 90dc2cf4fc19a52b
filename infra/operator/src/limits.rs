//! How much of a CRM account's limits a connection may use.

use anyhow::{Context as _, Result, ensure};
use shared::{
    App,
    connection::{Allowance, Connection},
    id::{ConnectionId, TenantId},
};

#[derive(clap::Args)]
pub(crate) struct Args {
    tenant: TenantId,
    connection: ConnectionId,
    /// Percent of what other apps draw on too that is left to them
    #[arg(long, value_parser = clap::value_parser!(u8).range(..=100))]
    left_to_others: Option<u8>,
    /// The account's budget for a day, where the CRM does not tell: Pipedrive's tokens, Zoho's credits
    #[arg(long)]
    per_day: Option<u64>,
}

/// What is not named stays as it is.
pub(crate) async fn run(app: &App, args: Args) -> Result<()> {
    let found = app.store.connection(&args.tenant, &args.connection).await?.context("there is no such connection")?;
    let allowance = Allowance {
        left_to_others: args.left_to_others.unwrap_or(found.allowance.left_to_others),
        per_day: args.per_day.or(found.allowance.per_day),
    };
    let changed = app.store.update_connection(&found, &Connection { allowance, ..found.clone() }).await?;
    ensure!(changed, "the connection changed meanwhile: try again");
    let per_day = allowance.per_day.map_or("what the CRM tells".to_owned(), |most| most.to_string());
    println!("{}: {} percent are left to others, of {per_day} a day", args.connection, allowance.left_to_others);
    Ok(())
}

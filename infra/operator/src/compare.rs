//! Hub and CRM compared in full.

use anyhow::{Context as _, Result};
use shared::{
    App,
    context::Context,
    id::{ConnectionId, TenantId},
};

#[derive(clap::Args)]
pub(crate) struct Args {
    tenant: TenantId,
    connection: ConnectionId,
    /// Begin another one; without this the last is shown
    #[arg(long)]
    now: bool,
    /// Begin another one, and mend what differs
    #[arg(long)]
    mend: bool,
}

pub(crate) async fn run(app: &App, cx: &Context, Args { tenant, connection, now, mend }: Args) -> Result<()> {
    let connection = app.store.connection(&tenant, &connection).await?.context("there is no such connection")?;
    if now || mend {
        for (object, _) in connection.objects_read() {
            app.compare(cx, &connection, object, mend).await?;
        }
        println!("it is on its way; `operator compare {tenant} {}` shows what it found", connection.id);
        return Ok(());
    }
    let compared = app.store.compared(&connection).await?;
    if compared.is_empty() {
        println!("never compared; that is done once a week, and with --now");
    }
    for one in compared {
        let mended = if one.mended { ", and mended" } else { "" };
        let differences = one.differences;
        let counted = match differences.counted {
            Some(counted) => format!("{counted} there are by its own count"),
            None => format!("{} tells no count", connection.crm.title()),
        };
        println!(
            "{} at {}: {} shown, {counted}, {} known there: {differences}{mended}",
            one.object, one.ended, differences.shown, differences.linked
        );
    }
    Ok(())
}

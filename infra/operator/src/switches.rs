//! When a connection exchanges what changed, and whether anything does.

use crate::{Which, decide::word};
use anyhow::Result;
use shared::{App, connection, context::Context, id::TenantId};

#[derive(clap::Args)]
pub(crate) struct Mode {
    #[command(flatten)]
    which: Which,
    /// `real_time`, `hourly`, `daily` or `manual`
    #[arg(value_parser = word::<connection::Mode>)]
    mode: connection::Mode,
}

pub(crate) async fn mode(app: &App, cx: &Context, Mode { which, mode }: Mode) -> Result<()> {
    let connection = app.set_mode(cx, &which.tenant, &which.connection, mode).await?;
    match connection.every() {
        Some(every) => println!("{} exchanges what changed every {} minutes", connection.id, every.as_mins()),
        None => {
            println!("{0} exchanges what changed when you say so: operator sync {1} {0}", connection.id, which.tenant)
        }
    }
    Ok(())
}

#[derive(clap::Args)]
#[group(required = true)]
pub(crate) struct Whose {
    /// One tenant
    tenant: Option<TenantId>,
    /// All tenants
    #[arg(long, conflicts_with = "tenant")]
    everything: bool,
}

#[derive(clap::Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    whose: Whose,
    /// What the operators after you will read
    #[arg(long, default_value = "by hand")]
    reason: String,
}

pub(crate) async fn stop(app: &App, cx: &Context, Stop { whose, reason }: Stop) -> Result<()> {
    app.stop(cx, whose.tenant.as_ref(), &reason).await?;
    let again = whose.tenant.map_or_else(|| "--everything".to_owned(), |tenant| tenant.to_string());
    println!("nothing is read from a CRM or written to one; `operator go {again}` lets it go on");
    Ok(())
}

pub(crate) async fn go(app: &App, cx: &Context, Whose { tenant, .. }: Whose) -> Result<()> {
    let going = app.go(cx, tenant.as_ref()).await?;
    println!("{going} connections go on: what changed is pulled, what is pending is pushed");
    Ok(())
}

//! From when on something is worth telling a tenant's people: shown, or changed.

use crate::show;
use anyhow::Result;
use shared::{App, id::TenantId, store::Setting, watch::Thresholds};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    tenant: TenantId,
    /// A file of JSON, such as {"pull_lag_seconds": 1800}; what is left out is as by default
    #[arg(long)]
    from: Option<PathBuf>,
}

pub(crate) async fn run(app: &App, Args { tenant, from }: Args) -> Result<()> {
    let Some(file) = from else { return show::json(&app.store.settings(&tenant).await?.watch) };
    let thresholds: Thresholds = show::read(&file, "holds no thresholds")?;
    app.store.set(&tenant, Setting::Watch(&thresholds), None).await?;
    println!("They hold from the next look on, which is within five minutes");
    Ok(())
}

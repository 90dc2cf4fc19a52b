//! From when on something is worth telling a tenant's people: shown, or changed.

use crate::show;
use anyhow::{Context as _, Result};
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
    let text = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let thresholds: Thresholds =
        serde_json::from_str(&text).with_context(|| format!("{} holds no thresholds", file.display()))?;
    app.store.set(&tenant, Setting::Watch(&thresholds), None).await?;
    println!("They hold from the next look on, which is within five minutes");
    Ok(())
}

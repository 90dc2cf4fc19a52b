//! A tenant's triggers: shown, or replaced.

use crate::show;
use anyhow::{Context as _, Result};
use shared::{App, id::TenantId, trigger::Triggers};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    tenant: TenantId,
    /// A file of JSON: [{"name": …, "when": <an expression>, "set": {<field>: <a formula>, …}, "make": {"object": "task", "fields": {…}}}, …]
    #[arg(long)]
    from: Option<PathBuf>,
}

pub(crate) async fn run(app: &App, Args { tenant, from }: Args) -> Result<()> {
    let Some(file) = from else { return show::json(&app.store.settings(&tenant).await?.triggers) };
    let text = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let triggers: Triggers =
        serde_json::from_str(&text).with_context(|| format!("{} holds no triggers", file.display()))?;
    app.store.set_triggers(&tenant, &triggers).await?;
    println!(
        "They begin what they say for whom their conditions come to hold from now on; for whom they hold already they begin nothing"
    );
    Ok(())
}

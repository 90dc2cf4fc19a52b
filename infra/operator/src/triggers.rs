//! A tenant's triggers: shown, or replaced.

use crate::show;
use anyhow::Result;
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
    let triggers: Triggers = show::read(&file, "holds no triggers")?;
    app.store.set_triggers(&tenant, &triggers).await?;
    println!(
        "They begin what they say for whom their conditions come to hold from now on; for whom they hold already they begin nothing"
    );
    Ok(())
}

//! A tenant's rules for what is made of events: shown, or replaced.

use crate::show;
use anyhow::Result;
use shared::{App, engagement::Effects, id::TenantId};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    tenant: TenantId,
    /// A file of JSON: [{"name": …, "on": <a type of events>, "when": <an expression>, "make": "note", "task" or "deal", "fields": {<field>: <a formula>, …}}, …]
    #[arg(long)]
    from: Option<PathBuf>,
}

pub(crate) async fn run(app: &App, Args { tenant, from }: Args) -> Result<()> {
    let Some(file) = from else { return show::json(&app.store.settings(&tenant).await?.effects) };
    let effects: Effects = show::read(&file, "holds no rules for what is made of events")?;
    app.store.set_effects(&tenant, &effects).await?;
    println!("Events that come from now on make what these rules say; what was made of others stays as it is");
    Ok(())
}

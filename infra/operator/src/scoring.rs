//! A tenant's rules for scores: shown, or replaced.

use crate::show;
use anyhow::Result;
use shared::{App, context::Context, engagement::Scoring, id::TenantId};
use std::{path::PathBuf, time::Duration};

#[derive(clap::Args)]
pub(crate) struct Args {
    tenant: TenantId,
    /// A file of JSON: [{"name": …, "on": <a type of events>, "points": …, "per": "event", "visit" or "lead", "when": <an expression>}, …]
    #[arg(long)]
    from: Option<PathBuf>,
}

/// As long as a function works by the rules that it has read.
const AT_WORK: Duration = Duration::from_secs(65);

pub(crate) async fn run(app: &App, cx: &Context, Args { tenant, from }: Args) -> Result<()> {
    let Some(file) = from else { return show::json(&app.store.settings(&tenant).await?.scoring) };
    let scoring: Scoring = show::read(&file, "holds no rules for scores")?;
    app.store.set_scoring(&tenant, &scoring).await?;
    println!("{} people have another score now", app.rescore(cx, &tenant).await?);
    println!("What was being counted by the old rules is scored anew in a minute …");
    tokio::time::sleep(AT_WORK).await;
    println!("{} more have another score", app.rescore(cx, &tenant).await?);
    Ok(())
}

//! A tenant's rules for scores: shown, or replaced.

use crate::show;
use anyhow::{Context as _, Result};
use shared::{App, context::Context, engagement::Scoring, id::TenantId, settings::Settings};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    tenant: TenantId,
    /// A file of JSON: [{"name": …, "on": <a type of events>, "points": …, "per": "event", "visit" or "lead", "when": <an expression>}, …]
    #[arg(long)]
    from: Option<PathBuf>,
}

pub(crate) async fn run(app: &App, cx: &Context, Args { tenant, from }: Args) -> Result<()> {
    let before = app.store.settings(&tenant).await?;
    let Some(file) = from else { return show::json(&before.scoring) };
    let text = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let scoring: Scoring =
        serde_json::from_str(&text).with_context(|| format!("{} holds no rules for scores", file.display()))?;
    app.store.set_settings(&tenant, &Settings { scoring, ..before }).await?;
    println!("{} people have another score now", app.rescore(cx, &tenant).await?);
    Ok(())
}

//! What the journal could not keep: shown, and kept after all with `--apply`.

use anyhow::{Result, bail, ensure};
use shared::{App, context::Context};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Keep it; without this it is only shown
    #[arg(long)]
    apply: bool,
}

pub(crate) async fn run(app: &App, cx: &Context, Args { apply }: Args) -> Result<()> {
    ensure!(!app.settings.failures.is_empty(), "the environment lacks JOURNAL_FAILURES_BUCKET");
    let keys = app.all_missed().await?;
    let (mut changes, mut left) = (0, 0);
    for key in &keys {
        match one(app, cx, key, apply).await {
            Ok(kept) => changes += kept,
            Err(error) => {
                println!("{key} stays: {error:#}");
                left += 1;
            }
        }
    }
    match (keys.len(), apply) {
        (0, _) => println!("the journal has kept everything"),
        (_, false) => println!("{changes} changes in {} files: keep them with --apply", keys.len() - left),
        (_, true) => println!("{changes} changes are kept"),
    }
    if left > 0 {
        bail!("{left} files stay");
    }
    Ok(())
}

/// How many changes it tells.
async fn one(app: &App, cx: &Context, key: &str, apply: bool) -> Result<usize> {
    let missed = app.missed(key).await?;
    let changes = missed.changes();
    match apply {
        true => app.replay(cx, &missed).await?,
        false => println!(
            "{} {} after {} tries, {changes} changes, request {}: {key}",
            missed.at, missed.condition, missed.tries, missed.request
        ),
    }
    Ok(changes)
}

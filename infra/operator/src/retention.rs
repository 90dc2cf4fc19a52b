//! How long is kept what happened: shown, or changed.

use crate::show;
use anyhow::Result;
use shared::{App, id::TenantId, settings::Retention, store::Setting};
use std::num::NonZeroU16;

#[derive(clap::Args)]
pub(crate) struct Args {
    tenant: TenantId,
    /// History, timeline and exceptions that have ended are kept for so many days, from now on
    #[arg(long)]
    days: Option<NonZeroU16>,
}

pub(crate) async fn run(app: &App, Args { tenant, days }: Args) -> Result<()> {
    if let Some(days) = days {
        app.store.set(&tenant, Setting::Retention(Retention { days }), None).await?;
    }
    show::json(&app.store.settings(&tenant).await?.retention)
}

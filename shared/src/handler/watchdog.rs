//! The schedule: how each connection does.

use super::token_refresh::Tick;
use crate::{app::App, context::Context, error::Result};

pub async fn watchdog(app: &App, cx: &Context, event: Tick) -> Result<()> {
    tracing::info!(tick = event.tick, trace = cx.trace, "looking at every connection");
    app.watch(cx).await
}

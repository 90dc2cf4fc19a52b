//! Ctrl-C, and `cargo dev down` from elsewhere: asked once, everything is ended in order; asked twice, at once.

use anyhow::{Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on a signal only asks us to stop.
pub(crate) fn listen() -> Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&ASKED))?;
        signal_hook::flag::register(signal, Arc::clone(&ASKED))?;
    }
    Ok(())
}

pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

pub(crate) fn check() -> Result<()> {
    if asked() {
        bail!("stopped before it was done");
    }
    Ok(())
}

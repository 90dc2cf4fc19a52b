//! How often which function was invoked, and with how much.

use aws_config::SdkConfig;
use serde::Serialize;
use shared::App;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// Which instance of a function serves an invocation.
#[derive(Clone)]
pub(crate) struct Instances {
    app: Arc<App>,
    aws: SdkConfig,
    cold: Arc<AtomicBool>,
}

impl Instances {
    /// One that serves all of them.
    pub(crate) fn of(app: Arc<App>, aws: SdkConfig) -> Instances {
        Instances { app, aws, cold: Arc::default() }
    }

    /// From now on each invocation has an instance that remembers nothing, as where events are minutes apart.
    pub(crate) fn forget(&self, cold: bool) {
        self.cold.store(cold, Ordering::Relaxed);
    }

    pub(crate) fn one(&self) -> Arc<App> {
        match self.cold.load(Ordering::Relaxed) {
            true => Arc::new(App::new(&self.aws, self.app.settings.clone()).unwrap()),
            false => self.app.clone(),
        }
    }

    /// What an instance keeps in mind is stored by its next invocation at the latest.
    pub(crate) async fn end(&self, app: &App) {
        if self.cold.load(Ordering::Relaxed) {
            app.flush().await;
        }
    }
}

/// Shared with the door, where calls come in.
#[derive(Clone, Default)]
pub(crate) struct Invoked(Arc<Mutex<BTreeMap<&'static str, Work>>>);

/// What one function was given.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Work {
    pub(crate) times: u64,
    /// Messages, changes of the stream, or calls.
    pub(crate) messages: u64,
    /// Calls to SQS by which Lambda fetched them and took them off: ten messages in each.
    pub(crate) polls: u64,
}

impl Invoked {
    pub(crate) fn note(&self, function: &'static str, messages: usize) {
        self.add(function, messages, 0);
    }

    /// With messages of a queue.
    pub(crate) fn by_queue(&self, queue: &str, messages: usize) {
        let function = match queue {
            "pushes" => "outbound",
            "pulls" => "delta-pull",
            "imports" => "import",
            _ => "reconcile",
        };
        self.add(function, messages, 2 * messages.div_ceil(10));
    }

    fn add(&self, function: &'static str, messages: usize, polls: usize) {
        let mut invoked = self.0.lock().unwrap();
        let work = invoked.entry(function).or_default();
        work.times += 1;
        work.messages += messages as u64;
        work.polls += polls as u64;
    }

    /// Since the last time.
    pub(crate) fn take(&self) -> BTreeMap<&'static str, Work> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

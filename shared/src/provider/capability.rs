//! What a CRM can do, so that the rest of the code never asks which one it has before it.

use super::{Ack, Secret, Way, quota::Limits};
use jiff::Timestamp;
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    pub webhooks: Webhooks,
    /// Remotes in one read.
    pub max_read: usize,
    /// Remotes in one write.
    pub max_write: usize,
    /// Records that are looked for at once.
    pub max_find: usize,
    pub finds: Finds,
    pub creates: Creates,
    pub echo: Echo,
    /// `None` where nothing lists them: webhooks tell, and whoever looks.
    pub deletions: Option<Deletions>,
    /// The objects that people are filed under, where there are several: a mapping of one is a mapping of all.
    pub people: &'static [&'static str],
    pub restores: Restores,
    /// Whether it tells how many records there are.
    pub counts: bool,
    /// The field that shows a remote's own id, which nobody sets.
    pub id: &'static str,
    /// How an account is connected without a browser.
    pub ways: &'static [Way],
    /// What a delivery is answered, where its status is not enough.
    pub ack: Option<Ack>,
    pub limits: Limits,
}

/// How deliveries are proved, and where they arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Webhooks {
    /// One URL per app; the account is named in the delivery, the secret is the app's.
    PerApp,
    /// One URL per connection, whose own token comes back in each delivery. The subscription is ours to make, and to renew
    /// before it has lived so long; without that, a person makes it by hand.
    PerConnection { lives: Option<Duration> },
}

/// The subscription a connection should have.
#[derive(Clone, Debug)]
pub struct WatchWish {
    pub channel: String,
    pub url: String,
    pub token: Secret,
    pub now: Timestamp,
    /// Whether the channel exists already.
    pub renew: bool,
    /// Whether it has another token so far.
    pub replaces: bool,
}

/// Whether the answer to a write shows the record as it is afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    Fields,
    /// One read-back per batch supplies it.
    IdOnly,
}

/// How a record is looked for that has several keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finds {
    /// By all of them at once, or by the strongest alone.
    InOneCall,
    /// By one kind after the other, until one matches.
    ByKind,
}

/// What a repeated create does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creates {
    /// It finds the first one by our own id, which the CRM keeps unique.
    Once,
    /// It makes another one. So our intent is recorded first, and after an unknown outcome the record is looked for.
    Guarded,
}

/// Whether a remote that was deleted can be had back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restores {
    /// Another is made in its place, with all that the hub knows of it.
    Anew,
    /// It cannot, and why.
    Never(&'static str),
}

/// How often deletions are asked for; webhooks tell of most of them sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletions {
    pub every: Duration,
}

//! What a CRM allows, as each provider's table says it.

use crate::provider::session::Request;
use reqwest::header::HeaderMap;
use std::time::Duration;

/// The limits of one account.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Batches that one push has under way at the same time.
    pub at_once: usize,
    /// Calls in short, rolling windows.
    pub windows: &'static [Window],
    pub day: Option<Day>,
    pub weigh: fn(&Request) -> Weight,
    /// What an answer's headers tell about them.
    pub told: fn(&HeaderMap) -> Told,
}

/// So many calls in so much time.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub counts: Counts,
    /// In the least plan, until an answer tells more.
    pub calls: u32,
    pub per: Duration,
    /// Whether the customer's other apps draw on it too: then what a connection leaves to them is never lent.
    pub shared: bool,
    /// So many an instance makes without asking, …
    pub free: u32,
    /// … as long as so many are not lent, which is enough for a few that were lent nothing: of a window of our own they never are,
    /// of a shared one where as many are left to others.
    pub spare: u32,
}

/// Which calls a window counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    All,
    Searches,
    AllButSearches,
}

/// A day's budget of the whole account, which other apps draw on.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    /// What the least plan has.
    pub least: u64,
    /// How long it is left alone once it is spent.
    pub wait: Duration,
    /// Nothing tells what is left of it: what we spend is counted, where a connection says how much there is.
    pub metered: bool,
}

/// What one request counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    pub search: bool,
    /// Of a day's budget that is metered.
    pub tokens: u32,
}

/// What the headers of an answer tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Of the window that counts all calls.
    pub most: Option<u32>,
    pub left: Option<u32>,
    pub day_most: Option<u64>,
    pub day_left: Option<u64>,
}

impl Window {
    pub(super) fn takes(&self, weight: Weight) -> bool {
        match self.counts {
            Counts::All => true,
            Counts::Searches => weight.search,
            Counts::AllButSearches => !weight.search,
        }
    }

    /// How long calls are counted after a lease has ended: the last of them may be under way.
    pub(super) fn lingers(&self) -> Duration {
        self.per + self.per / 20
    }

    /// How long the right to calls is lent.
    pub(super) fn lasts(&self) -> Duration {
        self.per.max(Duration::from_secs(4))
    }

    /// Whether it is worth coming back for a single place: in two seconds the whole window is free.
    pub(super) fn is_short(&self) -> bool {
        self.per <= Duration::from_secs(2)
    }
}

/// A number in a header.
pub(in crate::provider) fn number<N: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<N> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

//! The daily token budget and the burst limits (Pipedrive docs: rate limiting).

use super::errors;
use crate::faults::{Burst, CrmFaults};
use crate::wire::{Call, Reply};
use std::collections::VecDeque;

/// 30,000 tokens × plan (Growth: 2) × seats (5).
const BUDGET: u64 = 30_000 * 2 * 5;
const DAY: i64 = 24 * 3600 * 1000;
/// An OAuth app in the Growth plan.
const BURST: Burst = Burst { calls: 160, per_ms: 2_000 };
/// Searches among them, in every plan.
const SEARCHES: Burst = Burst { calls: 10, per_ms: 2_000 };
/// Calls that may follow one another into a 429 before an API token's user is blocked.
const IGNORED: u32 = 20;

#[derive(Debug)]
pub struct Meter {
    pub budget: u64,
    /// Tokens used on the day counted from the epoch; the budget is fresh at midnight.
    used: (i64, u64),
    calls: VecDeque<i64>,
    searches: VecDeque<i64>,
    ignored: u32,
}

impl Default for Meter {
    fn default() -> Self {
        Self { budget: BUDGET, used: (0, 0), calls: VecDeque::new(), searches: VecDeque::new(), ignored: 0 }
    }
}

impl Meter {
    pub fn clear(&mut self) {
        *self = Self { budget: self.budget, ..Self::default() };
    }

    pub fn used(&self, now: i64) -> u64 {
        if self.used.0 == now / DAY { self.used.1 } else { 0 }
    }

    /// Counts a call, or refuses it.
    pub fn admit(&mut self, now: i64, call: &Call, by_api_token: bool, faults: &CrmFaults) -> Result<(), Reply> {
        let search = call.segments.last().is_some_and(|s| s == "search");
        let cost = cost(call);
        let searches = faults.search_burst.unwrap_or(SEARCHES);
        let fits = room(&mut self.calls, now, faults.burst.unwrap_or(BURST))
            && (!search || room(&mut self.searches, now, searches))
            && self.used(now) + cost <= self.budget;
        if !fits {
            self.ignored += 1;
            let blocked = by_api_token && self.ignored > IGNORED;
            return Err(if blocked { errors::blocked() } else { errors::too_many() });
        }
        self.ignored = 0;
        self.calls.push_back(now);
        if search {
            self.searches.push_back(now);
        }
        self.used = (now / DAY, self.used(now) + cost);
        Ok(())
    }

    /// The burst window's headers, on every answer; no header tells what is left of the budget.
    pub fn headers(&self, reply: Reply, faults: &CrmFaults) -> Reply {
        let burst = faults.burst.unwrap_or(BURST);
        let left = burst.calls.saturating_sub(self.calls.len());
        let reply = reply.with("x-ratelimit-limit", &burst.calls).with("x-ratelimit-remaining", &left);
        reply.with("x-ratelimit-reset", &(burst.per_ms / 1000).max(1))
    }
}

fn room(window: &mut VecDeque<i64>, now: i64, burst: Burst) -> bool {
    while window.front().is_some_and(|at| *at <= now - burst.per_ms) {
        window.pop_front();
    }
    window.len() < burst.calls
}

/// `x-token-cost` of the API's own description (Pipedrive API v1 and v2).
fn cost(call: &Call) -> u64 {
    let segments = call.segments();
    match (call.method.as_str(), segments.as_slice()) {
        (_, [.., "merge"]) => 40,
        (_, [.., "search"]) => 20,
        ("GET", ["api", "v2", _]) => 10,
        ("GET", ["api", "v2", ..]) => 1,
        ("DELETE", ["api", "v2", ..]) => 3,
        (_, ["api", "v2", ..]) => 5,
        ("GET", [.., "webhooks"]) => 10,
        ("GET", [.., "v1", _]) => 20,
        ("GET", _) => 2,
        ("DELETE", _) => 6,
        _ => 10,
    }
}

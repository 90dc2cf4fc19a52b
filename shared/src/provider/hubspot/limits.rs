//! What HubSpot allows (HubSpot docs: usage guidelines, CRM search).

use crate::provider::{
    quota::{Counts, Day, Limits, Told, Weight, Window, number},
    session::Request,
};
use reqwest::header::HeaderMap;
use std::time::Duration;

/// OAuth apps have 110 calls in ten seconds to each account and no daily budget; private apps have 100 to 250, and 250,000
/// a day or more. Both are the app's own, the day is the account's. Searches are counted apart: five in a second to the
/// account, whichever app they come from, and no header tells of them. There is no limit of calls at the same time.
pub(super) const LIMITS: Limits = Limits {
    at_once: 10,
    windows: &[
        Window {
            counts: Counts::AllButSearches,
            calls: 100,
            per: Duration::from_secs(10),
            shared: false,
            free: 2,
            spare: 10,
        },
        Window { counts: Counts::Searches, calls: 5, per: Duration::from_secs(1), shared: true, free: 1, spare: 1 },
    ],
    day: Some(Day { least: 250_000, wait: Duration::from_secs(900), metered: false }),
    weigh,
    told,
};

fn weigh(request: &Request) -> Weight {
    Weight { search: request.path.ends_with("/search"), tokens: 0 }
}

/// The day's headers are on the answers to private apps alone.
fn told(headers: &HeaderMap) -> Told {
    Told {
        most: number(headers, "x-hubspot-ratelimit-max"),
        left: number(headers, "x-hubspot-ratelimit-remaining"),
        day_most: number(headers, "x-hubspot-ratelimit-daily"),
        day_left: number(headers, "x-hubspot-ratelimit-daily-remaining"),
    }
}

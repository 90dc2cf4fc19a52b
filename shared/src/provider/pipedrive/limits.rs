//! What Pipedrive allows (Pipedrive docs: Rate limiting).

use crate::provider::{
    quota::{Counts, Day, Limits, Told, Weight, Window, number},
    session::Request,
};
use reqwest::{Method, header::HeaderMap};
use std::time::Duration;

/// Calls in two seconds: 80 to 480 of an OAuth app, 20 to 120 of an API token, by plan; ten searches among them. And tokens for a
/// day of the whole company: 30,000 times the plan's factor, times the seats. No header tells what is left of those.
pub(super) const LIMITS: Limits = Limits {
    at_once: 4,
    windows: &[
        Window { counts: Counts::All, calls: 80, per: TWO_SECONDS, shared: false, free: 2, spare: 8 },
        Window { counts: Counts::Searches, calls: 10, per: TWO_SECONDS, shared: false, free: 0, spare: 0 },
    ],
    day: Some(Day { least: 30_000, wait: Duration::from_secs(900), metered: true }),
    weigh,
    told,
};

const TWO_SECONDS: Duration = Duration::from_secs(2);

/// `x-token-cost` in the API's own description; what is not there costs what its like does.
fn weigh(request: &Request) -> Weight {
    let path = request.path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != "api").collect();
    let search = parts.last() == Some(&"search");
    let second = parts.first() == Some(&"v2");
    let tokens = match (&request.method, second, parts.len()) {
        _ if search => 20,
        (&Method::GET, true, ..=2) => 10,
        (&Method::GET, true, _) => 1,
        (&Method::DELETE, true, _) => 3,
        (_, true, _) => 5,
        (&Method::GET, false, ..=2) => 20,
        (&Method::GET, false, _) => 2,
        (&Method::DELETE, false, _) => 6,
        (_, false, _) => 10,
    };
    Weight { search, tokens }
}

fn told(headers: &HeaderMap) -> Told {
    let (most, left) = (number(headers, "x-ratelimit-limit"), number(headers, "x-ratelimit-remaining"));
    Told { most, left, ..Told::default() }
}

#[cfg(test)]
mod tests {
    use super::{Request, Weight, weigh};
    use serde_json::json;

    #[test]
    fn calls_cost_what_the_vendor_says() {
        let of = |request: Request| (weigh(&request).search, weigh(&request).tokens);
        assert_eq!(of(Request::get("/api/v2/persons/search?term=a%40b.c&fields=email")), (true, 20));
        assert_eq!(of(Request::get("/api/v2/persons?limit=100&ids=1,2")), (false, 10));
        assert_eq!(of(Request::get("/api/v2/persons/7")), (false, 1));
        assert_eq!(of(Request::post("/api/v2/persons", json!({}))), (false, 5));
        assert_eq!(of(Request::get("/v1/webhooks")), (false, 20));
        assert_eq!(of(Request::get("/api/v1/webhooks")), (false, 20));
        assert_eq!(of(Request::get("/api/v1/leads?person_id=7&limit=500")), (false, 20));
        assert_eq!(of(Request::post("/api/v1/leads", json!({}))), (false, 10));
        assert_eq!(weigh(&Request::post("/v1/webhooks", json!({}))), Weight { search: false, tokens: 10 });
    }
}

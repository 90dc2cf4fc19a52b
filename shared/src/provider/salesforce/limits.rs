//! What Salesforce allows (Salesforce docs: API Request Limits and Allocations).

use crate::provider::quota::{Day, Limits, Told, Weight};
use reqwest::header::HeaderMap;
use std::time::Duration;

/// Calls in a rolling day of the whole org: 15,000 in a Developer org, 100,000 and more in the others. There is no limit of calls
/// in a time; calls at the same time are limited where they take twenty seconds, and ours are given up before that.
pub(super) const LIMITS: Limits = Limits {
    at_once: 4,
    windows: &[],
    day: Some(Day { least: 15_000, wait: Duration::from_secs(900), metered: false }),
    weigh: |_| Weight::default(),
    told,
};

/// `Sforce-Limit-Info: api-usage=18/15000`, on every answer.
fn told(headers: &HeaderMap) -> Told {
    let usage = || {
        let info = headers.get("sforce-limit-info")?.to_str().ok()?;
        let usage = info.split([',', ';', ' ']).find_map(|part| part.strip_prefix("api-usage="))?;
        let (used, most) = usage.split_once('/')?;
        Some((used.trim().parse::<u64>().ok()?, most.trim().parse::<u64>().ok()?))
    };
    usage().map_or(Told::default(), |(used, most)| Told {
        day_most: Some(most),
        day_left: Some(most.saturating_sub(used)),
        ..Told::default()
    })
}

#[cfg(test)]
mod tests {
    use super::{Told, told};
    use reqwest::header::{HeaderMap, HeaderValue};

    #[test]
    fn usage_is_read_wherever_it_stands() {
        let of = |info: &'static str| {
            let told =
                told(&HeaderMap::from_iter([("sforce-limit-info".parse().unwrap(), HeaderValue::from_static(info))]));
            (told.day_left, told.day_most)
        };
        assert_eq!(of("api-usage=18/15000"), (Some(14_982), Some(15_000)));
        assert_eq!(of("api-usage=25/5000; per-app-api-usage=17/250(appName=sample)"), (Some(4_975), Some(5_000)));
        assert_eq!(of("api-usage=100001/100000"), (Some(0), Some(100_000)));
        assert_eq!(of("per-app-api-usage=17/250(appName=sample)"), (None, None));
        assert_eq!(told(&HeaderMap::new()), Told::default());
    }
}

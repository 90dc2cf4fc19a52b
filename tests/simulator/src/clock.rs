//! The world's clock (real time plus what was advanced by hand, or none but what it is set to), seeded randomness, and time
//! spellings.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// Time as the CRMs see it, in epoch milliseconds.
#[derive(Debug, Default)]
pub struct Clock {
    pub advanced_ms: i64,
    /// How far the clocks of those who take webhooks are advanced with it.
    pub receivers_ms: i64,
    /// It stands there until it is set again.
    pub stands_at: Option<i64>,
}

impl Clock {
    pub fn now(&self) -> i64 {
        self.stands_at.unwrap_or_else(|| real_now() + self.advanced_ms)
    }

    /// The time that signatures carry: whoever takes them checks it.
    pub fn signed(&self) -> i64 {
        real_now() + self.receivers_ms
    }
}

/// The machine's time.
#[expect(clippy::disallowed_methods, reason = "the simulator is where the world's time comes from")]
pub fn real_now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// A small seeded generator (splitmix64): a run is repeatable from its seed.
#[derive(Debug)]
pub struct Rng(pub u64);

impl Rng {
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True in the given share of calls. A share of zero draws nothing.
    pub fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && ((self.draw() >> 11) as f64) < share * (1u64 << 53) as f64
    }

    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.draw() % n }
    }

    /// Lower hex digits, as many as asked for.
    pub fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.draw()));
        }
        text.truncate(digits);
        text
    }

    pub fn uuid(&mut self) -> String {
        let h = self.hex(32);
        format!("{}-{}-4{}-8{}-{}", &h[0..8], &h[8..12], &h[13..16], &h[17..20], &h[20..32])
    }
}

/// `2026-11-21T09:00:00.123Z`, HubSpot's spelling.
pub fn iso_ms(ms: i64) -> String {
    let t = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    t.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `Sat, 21 Nov 2026 09:00:00 GMT`, as the `Date` of an answer.
pub fn http_date(ms: i64) -> String {
    let t = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    t.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// `2026-11-21T14:30:00+05:30`, Zoho's spelling: whole seconds in the organisation's own offset.
pub fn iso_offset(ms: i64, offset_minutes: i32) -> String {
    let t = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let offset = Offset::from_seconds(offset_minutes * 60).unwrap_or(Offset::UTC);
    t.to_zoned(TimeZone::fixed(offset)).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Epoch milliseconds of an ISO-8601 text with a zone, or of an integer in epoch milliseconds.
pub fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(ms) = text.parse::<i64>() {
        return Some(ms);
    }
    text.parse::<Timestamp>().ok().map(|t| t.as_millisecond())
}

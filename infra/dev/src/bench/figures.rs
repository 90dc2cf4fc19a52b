//! Medians with their spread, as people read them.

use std::fmt;

/// What several rounds came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub(super) low: f64,
    pub(super) median: f64,
    pub(super) high: f64,
}

impl Spread {
    /// `None` of nothing.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Some(Spread { low: *values.first()?, median: at(&values, 0.5)?, high: *values.last()? })
    }
}

/// The value below which a share of sorted values lies.
pub(super) fn at(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((share * last as f64).round() as usize).copied()
}

impl fmt::Display for Spread {
    /// The median, and from where to where the rounds went.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (short(self.low), short(self.high)) {
            (low, high) if low == high => f.write_str(&short(self.median)),
            (low, high) => write!(f, "{} ({low}–{high})", short(self.median)),
        }
    }
}

/// Three digits that count.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 10_000_000.0 => format!("{:.1} M", value / 1e6),
        size if size >= 1_000_000.0 => format!("{:.2} M", value / 1e6),
        size if size >= 100.0 => grouped(value.round() as i64),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn grouped(number: i64) -> String {
    match number / 1000 {
        0 => number.to_string(),
        thousands => format!("{},{:03}", grouped(thousands), number.abs() % 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::{Spread, short};

    #[test]
    fn a_spread_reads_well() {
        let spread = Spread::of([3.0, 1.0, 250.4]).map(|spread| spread.to_string());
        assert_eq!(spread.as_deref(), Some("3.00 (1.00–250)"));
        assert_eq!(Spread::of([2.0, 2.0]).map(|spread| spread.to_string()).as_deref(), Some("2.00"));
        assert!(Spread::of([]).is_none());
    }

    #[test]
    fn numbers_keep_three_digits() {
        let said = [0.123, 12.34, 1234.5, 1_234_567.0, 12_345_678.0].map(short);
        assert_eq!(said, ["0.12", "12.3", "1,235", "1.23 M", "12.3 M"]);
    }
}

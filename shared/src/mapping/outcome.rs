//! What formulas come to, before anybody has a record: tried on made-up ones.

use super::Formula;
use crate::record::{Fields, Kind, Sort, Value, Written};
use std::collections::BTreeSet;

/// Numbers of a formula that fields are tried with; more are those of a table, not of a condition.
const MOST_NUMBERS: usize = 16;

impl Formula {
    /// What it comes to, where that is one thing whoever it is about.
    pub fn sort(&self) -> Option<Sort> {
        if self.is_template() {
            return Some(Sort::Text);
        }
        let mut sorts = self.tried().into_iter().map(|value| match value.kind() {
            Kind::Text => Sort::Text,
            Kind::Number => Sort::Number,
            Kind::Flag => Sort::Flag,
            Kind::List => Sort::List,
        });
        let first = sorts.next()?;
        sorts.all(|sort| sort == first).then_some(first)
    }

    /// Texts that it has of its own and may come to. Where it names texts of the hub's, nobody knows.
    pub fn texts(&self) -> BTreeSet<String> {
        let counts = |name: &&str| matches!(Sort::of(name), Some(Sort::Number | Sort::Flag));
        if self.is_template() || !self.fields().iter().all(counts) {
            return BTreeSet::new();
        }
        let texts = self.tried().into_iter().filter(|value| value.kind() == Kind::Text);
        texts.map(|text| text.to_string()).collect()
    }

    /// What it comes to where all fields are blank, and where they are on either side of each number that it names. Of what the
    /// tenant's own fields hold, a number is tried and a text.
    fn tried(&self) -> Vec<Value> {
        let named = self.source().split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse::<i64>().ok());
        let around = named.take(MOST_NUMBERS).flat_map(|n| [n.saturating_sub(1), n, n.saturating_add(1)]);
        let numbers: BTreeSet<i64> = around.chain([0, 1, 1_000_000]).collect();
        let some = numbers.iter().flat_map(|n| [(*n, true), (*n, false)]);
        let records = some.map(|(number, own_is_text)| self.record(number, own_is_text));
        records.chain([Fields::default()]).filter_map(|fields| self.of(&fields)).collect()
    }

    /// A record that has every field that the formula names.
    fn record(&self, number: i64, own_is_text: bool) -> Fields {
        let value = |name: &str| match Sort::of(name) {
            Some(Sort::Number) => Some(Value::number(number.into())),
            Some(Sort::Flag) => Some(Value::Flag(number != 0)),
            None if !own_is_text => Some(Value::number(number.into())),
            _ => Value::text("a"),
        };
        // A whole name is its two parts.
        let names = self.fields().into_iter().chain(["first_name", "last_name"]);
        let Ok(source) = "workflow".parse() else { return Fields::default() };
        let written = |name: &str| Written::new(value(name), jiff::Timestamp::UNIX_EPOCH, &source);
        names.map(|name| (name.to_owned(), written(name))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(formula: &str, sort: impl Into<Option<Sort>>, texts: &[&str]) {
        let parsed = Formula::parse(formula).unwrap();
        assert_eq!(parsed.sort(), sort.into(), "{formula}");
        assert_eq!(parsed.texts().into_iter().collect::<Vec<_>>(), texts, "{formula}");
    }

    #[test]
    fn what_a_formula_comes_to_is_known_before_it_is_fed() {
        check("{{first_name}} {{last_name}}", Sort::Text, &[]);
        check(
            r#""Hot" if lead_score >= 75 else "Warm" if lead_score > 20 else "Cold""#,
            Sort::Text,
            &["Cold", "Hot", "Warm"],
        );
        check("SUM(opens, clicks)", Sort::Number, &[]);
        check("opens + clicks", Sort::Number, &[]);
        check("lead_score >= 75", Sort::Flag, &[]);
        check(r#""Completed""#, Sort::Text, &["Completed"]);
        check("7", Sort::Number, &[]);
        check(r#""Navy" if last_name == "Hopper" else "Other""#, Sort::Text, &[]);
        check("wheels", None, &[]);
        check(r#""car" if wheels >= 4 else "cycle""#, Sort::Text, &[]);
        check("opens if last_name == 'Hopper'", None, &[]);
    }
}

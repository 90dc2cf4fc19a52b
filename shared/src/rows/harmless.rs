//! Values that a spreadsheet would take for a formula, made harmless in files that we write.

use std::borrow::Cow;

/// What makes a spreadsheet compute a cell (OWASP, CSV Injection).
const BEGINNINGS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// As it is written into a CSV: an apostrophe before what a spreadsheet would compute, and before what has one already, so that
/// [`plain`] finds the way back.
pub fn harmless(value: &str) -> Cow<'_, str> {
    match computes(value) {
        true => Cow::Owned(format!("'{value}")),
        false => Cow::Borrowed(value),
    }
}

/// As it was before [`harmless`].
pub fn plain(value: &str) -> &str {
    value.strip_prefix('\'').filter(|rest| computes(rest)).unwrap_or(value)
}

fn computes(value: &str) -> bool {
    value.trim_start_matches('\'').starts_with(BEGINNINGS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_made_harmless_is_read_back(value in "['=+@a\t-]{0,5}\\PC{0,4}") {
            let written = harmless(&value);
            prop_assert!(!written.starts_with(BEGINNINGS), "{written}");
            prop_assert_eq!(plain(&written), value.as_str());
        }
    }

    #[test]
    fn a_formula_is_text() {
        assert_eq!(harmless("=HYPERLINK(\"http://x\")"), "'=HYPERLINK(\"http://x\")");
        assert_eq!(harmless("+14155550100"), "'+14155550100");
        assert_eq!(harmless("'=1"), "''=1");
        assert_eq!(harmless("O'Neill"), "O'Neill");
        assert_eq!(plain("'quoted'"), "'quoted'");
    }
}

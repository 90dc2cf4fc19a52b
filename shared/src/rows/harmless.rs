//! Values that a spreadsheet would take for formulas, made harmless in files that we write.

use std::borrow::Cow;

/// What makes a spreadsheet compute a cell (OWASP, CSV Injection, <https://owasp.org/www-community/attacks/CSV_Injection>).
const BEGINNINGS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
/// Where another cell begins for a spreadsheet that parts cells otherwise than we do, and takes our quotes for text (same page).
const ENDS: [char; 4] = [';', '\t', '\n', '\r'];

/// As it is written into a CSV: an apostrophe before what a spreadsheet would compute, and before what has one already, so that
/// [`plain`] finds the way back. Also within a value, behind whatever may part cells.
pub fn harmless(value: &str) -> Cow<'_, str> {
    let guarded = |cell: &str| if computes(cell) { format!("'{cell}") } else { cell.to_owned() };
    match cells(value).any(computes) {
        true => Cow::Owned(cells(value).map(guarded).collect()),
        false => Cow::Borrowed(value),
    }
}

/// As it was before [`harmless`].
pub fn plain(value: &str) -> Cow<'_, str> {
    let bare = |cell| str::strip_prefix(cell, '\'').filter(|rest| computes(rest)).unwrap_or(cell);
    match cells(value).any(|cell| bare(cell) != cell) {
        true => Cow::Owned(cells(value).map(bare).collect()),
        false => Cow::Borrowed(value),
    }
}

/// What may become cells of their own, each with what ends it.
fn cells(value: &str) -> impl Iterator<Item = &str> {
    value.split_inclusive(ENDS)
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
        fn what_was_made_harmless_is_read_back(value in "['=+@a;\t\n-]{0,9}\\PC{0,4}") {
            let written = harmless(&value);
            prop_assert!(!written.split(ENDS).any(|cell| cell.starts_with(BEGINNINGS)), "{written}");
            let again = plain(&written);
            prop_assert_eq!(again.as_ref(), value.as_str());
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

    #[test]
    fn a_formula_behind_another_parting_sign_is_text_too() {
        assert_eq!(harmless("x;=1+1"), "x;'=1+1");
        assert_eq!(harmless("x\n@SUM(A1)"), "x\n'@SUM(A1)");
        assert_eq!(harmless("a; b, =c"), "a; b, =c", "no cell begins with it");
        assert_eq!(plain("x;'=1+1"), "x;=1+1");
    }
}

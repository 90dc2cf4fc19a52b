//! What a list view picks, out of its query: `SELECT … FROM Lead USING SCOPE mine WHERE … ORDER BY …` (Salesforce docs: REST API, List View
//! Describe; SOQL, USING SCOPE).

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct View {
    /// What it is a view of.
    pub(super) object: String,
    /// Whose records: `mine`, `team`; empty for everybody's.
    pub(super) scope: String,
    /// Which of them; empty for all.
    pub(super) condition: String,
}

/// The words that begin the parts of a query, in their order.
const PARTS: &[&str] = &["SELECT ", " FROM ", " USING SCOPE ", " WHERE ", " ORDER BY ", " LIMIT "];

/// `None` of what is no query of such a view.
pub(super) fn view_of(object: &str, query: &str) -> Option<View> {
    let plain = plain(query);
    let starts: Vec<Option<usize>> = PARTS.iter().map(|part| plain.find(part)).collect();
    let part = |nth: usize| {
        let from = starts.get(nth).copied().flatten()? + PARTS.get(nth)?.len();
        let until = starts.iter().skip(nth + 1).flatten().copied().filter(|start| *start + 1 >= from).min();
        query.get(from..until.unwrap_or(query.len())).map(str::trim)
    };
    let of = part(1).filter(|of| of.eq_ignore_ascii_case(object))?;
    let scope = part(2).unwrap_or_default().to_owned();
    let word = scope.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    word.then(|| View { object: of.to_owned(), scope, condition: part(3).unwrap_or_default().to_owned() })
}

/// The query in capitals, with blanks for all that stands in quotes or brackets: of the same length.
fn plain(query: &str) -> String {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let blank = |letter: char| " ".repeat(letter.len_utf8());
    let letters = query.chars().map(|letter| {
        let inside = depth > 0 || quoted;
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ if inside => {}
            letter if letter.is_ascii_whitespace() => return " ".to_owned(),
            letter if letter.is_ascii() => return letter.to_ascii_uppercase().to_string(),
            _ => {}
        }
        // A bracket or a quote parts words, and is none.
        if letter.len_utf8() == 1 { "_".to_owned() } else { blank(letter) }
    });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::{View, view_of};
    use proptest::prelude::*;

    fn view(scope: &str, condition: &str) -> View {
        View { object: "Lead".to_owned(), scope: scope.to_owned(), condition: condition.to_owned() }
    }

    #[test]
    fn a_views_scope_and_condition_are_found_whatever_stands_in_quotes_and_brackets() {
        let order = "ORDER BY Name ASC NULLS FIRST, Id ASC NULLS FIRST";
        let cases = [
            (format!("SELECT Name, toLabel(Status), Id FROM Lead {order}"), view("", "")),
            (
                format!("SELECT Id FROM Lead USING SCOPE mine WHERE CreatedDate = THIS_WEEK {order}"),
                view("mine", "CreatedDate = THIS_WEEK"),
            ),
            (
                format!("select Id from Lead where Company = 'Where \\' ORDER BY us' AND (City = 'x' OR City = null) {order}"),
                view("", "Company = 'Where \\' ORDER BY us' AND (City = 'x' OR City = null)"),
            ),
            (
                "SELECT Id, (SELECT Id FROM Tasks WHERE IsClosed = true) FROM Lead WHERE Id IN (SELECT LeadId FROM CampaignMember WHERE CampaignId = '7') LIMIT 5".to_owned(),
                view("", "Id IN (SELECT LeadId FROM CampaignMember WHERE CampaignId = '7')"),
            ),
            ("SELECT Id\nFROM Lead\nWHERE Größe = 1".to_owned(), view("", "Größe = 1")),
        ];
        for (query, expected) in cases {
            assert_eq!(view_of("Lead", &query), Some(expected), "{query}");
        }
        for query in ["", "SELECT Id", "SELECT Id FROM Contact", "SELECT Id FROM Lead USING SCOPE a b WHERE x = 1"] {
            assert_eq!(view_of("Lead", query), None, "{query}");
        }
    }

    proptest! {
        #![proptest_config(crate::planner::cases(1000))]

        #[test]
        fn any_text_is_a_view_or_none(query in "\\PC{0,80}") {
            let _ = view_of("Lead", &query);
        }

        #[test]
        fn a_quoted_text_is_no_part_of_a_query(text in "[A-Z ']{0,30}") {
            let condition = format!("Company = '{}'", text.replace('\'', "\\'"));
            let query = format!("SELECT Id FROM Lead WHERE {condition} ORDER BY Id");
            prop_assert_eq!(view_of("Lead", &query), Some(view("", &condition)));
        }
    }
}

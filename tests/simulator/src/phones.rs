//! How CRMs re-spell telephone numbers.

use serde::{Deserialize, Serialize};

/// A spelling that a CRM (or an add-on in it) turns numbers into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// `(415) 555-0100` for ten national digits, else groups of three.
    National,
    /// `14155550100`
    Digits,
    /// `+1 415-555-0100`
    Dashes,
}

impl Style {
    pub fn spell(self, sent: &str) -> String {
        let digits = digits(sent);
        let national = national(sent);
        if digits.len() < 7 {
            return sent.to_owned();
        }
        let grouped = |open: &str, close: &str| match national.len() {
            10 => format!("{open}{}{close}{}-{}", &national[..3], &national[3..6], &national[6..]),
            _ => national.as_bytes().chunks(3).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" "),
        };
        match self {
            Self::National => grouped("(", ") "),
            Self::Digits => digits,
            Self::Dashes => format!("+{} {}", &digits[..digits.len() - national.len()], grouped("", "-")),
        }
    }
}

pub fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The digits without country code: what HubSpot's `hs_searchable_calculated_phone_number` holds
/// (HubSpot docs: CRM search, searching by phone number).
pub fn national(text: &str) -> String {
    let digits = digits(text);
    let international = text.trim_start().starts_with('+');
    let code = match digits.as_bytes() {
        [b'1', ..] if international || digits.len() == 11 => 1,
        [b'7', ..] if international => 1,
        [a, b, ..] if international && TWO_DIGIT_CODES.contains(&[*a, *b]) => 2,
        _ if international => 3,
        _ => 0,
    };
    digits.get(code..).unwrap_or_default().to_owned()
}

#[rustfmt::skip]
const TWO_DIGIT_CODES: &[[u8; 2]] = &[
    *b"20", *b"27", *b"30", *b"31", *b"32", *b"33", *b"34", *b"36", *b"39", *b"40", *b"41", *b"43", *b"44", *b"45", *b"46", *b"47",
    *b"48", *b"49", *b"51", *b"52", *b"53", *b"54", *b"55", *b"56", *b"57", *b"58", *b"60", *b"61", *b"62", *b"63", *b"64", *b"65",
    *b"66", *b"81", *b"82", *b"84", *b"86", *b"90", *b"91", *b"92", *b"93", *b"94", *b"95", *b"98",
];

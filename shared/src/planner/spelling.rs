//! Tells our own value in a CRM's spelling from an edit, where times cannot.

use crate::record::Value;

/// Where a CRM cuts a text short, it keeps at least this many letters and digits; a shorter beginning is an edit.
const SHORTEST_CUT: usize = 16;

/// A telephone number has at least this many digits where its country is left out.
const SHORTEST_PHONE: usize = 7;

/// Whether `shown` is how a CRM may spell what we sent: the same letters and digits in whatever case and punctuation,
/// perhaps cut short, or without the country of a telephone number; or the same number.
pub(super) fn is_spelling_of(sent: Option<&Value>, shown: Option<&Value>) -> bool {
    let (Some(sent), Some(shown)) = (sent, shown) else { return sent == shown };
    if sent == shown {
        return true;
    }
    if let (Value::Number(_), _) | (_, Value::Number(_)) = (sent, shown) {
        return number(sent).is_some() && number(sent) == number(shown);
    }
    let is_phone = sent.to_string().starts_with('+');
    let (sent, shown) = (letters(sent), letters(shown));
    let length = shown.chars().count();
    let cut = length >= SHORTEST_CUT && sent.starts_with(&shown);
    let national = is_phone && length >= SHORTEST_PHONE && sent.ends_with(&shown);
    cut || national || (!sent.is_empty() && sent == shown)
}

fn number(value: &Value) -> Option<f64> {
    value.to_string().parse().ok()
}

fn letters(value: &Value) -> String {
    let text = value.to_string();
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

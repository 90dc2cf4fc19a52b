//! Forms: how a rule has a value spelt, whatever the CRM's field or the hub's own are like.

use super::rule::{day, moment};
use crate::record::{Kind, Phone, Region, Sort, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a rule makes of a value, on its way out and on its way in. White space around a text is gone in any case.
///
/// To make it twice is to make it once: so what is read back is what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `184` is `"184"`, `true` is `"true"`, a list is joined by semicolons.
    Text,
    /// `"184"` is `184`.
    Number,
    /// `"yes"`, `"true"`, `"on"` and `1` are `true`; `"no"`, `"false"`, `"off"` and `0` are `false`.
    Flag,
    /// The day of a date or of a time: `2026-11-21`.
    Date,
    /// A time in UTC and in whole seconds: `2026-11-21T09:00:00Z`. A day is its midnight.
    Time,
    /// A telephone number as E.164 spells it: `+14155550100`.
    Phone,
    Lower,
    Upper,
    /// Each word with one capital: `Mary Ann King`.
    TitleCase,
    /// Of a whole name: `Mary`.
    FirstWord,
    /// Of a whole name: `King`.
    LastWord,
}

/// What is as good as true, and as false, in any case of letters.
const TRUTHS: [(&str, bool); 8] = [
    ("true", true),
    ("yes", true),
    ("on", true),
    ("1", true),
    ("false", false),
    ("no", false),
    ("off", false),
    ("0", false),
];

impl Form {
    /// The value in this form; `None` where it cannot be had.
    pub fn of(self, value: &Value, region: &Region) -> Option<Value> {
        let text = value.to_string();
        let words = || text.split_whitespace();
        match self {
            Form::Text => value.clone().into_kind(Kind::Text).ok(),
            Form::Number => value.clone().into_kind(Kind::Number).ok(),
            Form::Flag => {
                let truth = TRUTHS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
                truth.map(|(_, is)| Value::Flag(*is))
            }
            Form::Date => Value::text(&day(&text)?),
            Form::Time => Value::text(&moment(&text).or_else(|| Some(format!("{}T00:00:00Z", day(&text)?)))?),
            Form::Phone => Value::text(Phone::parse(&text, region)?.as_str()),
            Form::Lower => Value::text(&text.to_lowercase()),
            Form::Upper => Value::text(&text.to_uppercase()),
            Form::TitleCase => Value::text(&words().map(capitalised).collect::<Vec<_>>().join(" ")),
            Form::FirstWord => Value::text(words().next()?),
            Form::LastWord => Value::text(words().last()?),
        }
    }

    /// Whether what is meant can still be told from it. What has lost capitals or words only goes one way: an edit of the rest would
    /// take them from whoever has them.
    pub fn is_invertible(self) -> bool {
        match self {
            Form::Text | Form::Number | Form::Flag | Form::Date | Form::Time | Form::Phone => true,
            Form::Lower | Form::Upper | Form::TitleCase | Form::FirstWord | Form::LastWord => false,
        }
    }

    /// As a rule says it.
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// What a value in this form is.
    pub fn sort(self) -> Sort {
        match self {
            Form::Number => Sort::Number,
            Form::Flag => Sort::Flag,
            Form::Date => Sort::Date,
            Form::Time => Sort::Time,
            Form::Text
            | Form::Phone
            | Form::Lower
            | Form::Upper
            | Form::TitleCase
            | Form::FirstWord
            | Form::LastWord => Sort::Text,
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters.flat_map(char::to_lowercase)).collect()
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;

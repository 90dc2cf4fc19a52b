//! Values and their kinds.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

/// Text that is not blank: leading and trailing white space is gone, and an empty text does not exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text(String);

impl Text {
    pub fn new(raw: &str) -> Option<Text> {
        let text = raw.trim();
        (!text.is_empty()).then(|| Text(text.to_owned()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Text {
    type Error = &'static str;
    fn try_from(raw: String) -> Result<Text, Self::Error> {
        Text::new(&raw).ok_or("a text value is never empty")
    }
}

impl From<Text> for String {
    fn from(text: Text) -> String {
        text.0
    }
}

/// What a field holds. "Nothing" is not a value: it is the absence of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged, try_from = "serde_json::Value")]
pub enum Value {
    Flag(bool),
    Number(serde_json::Number),
    Text(Text),
    List(Vec<Text>),
}

impl JsonSchema for Value {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["boolean", "number", "string", "array"], "items": {"type": "string"}})
    }
}

/// The kinds of [`Value`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Flag,
    Number,
    Text,
    List,
}

impl Value {
    pub fn text(raw: &str) -> Option<Value> {
        Text::new(raw).map(Value::Text)
    }

    /// A number; one without a fraction is held as an integer, so that `184` and `184.0` are the same.
    pub fn number(n: serde_json::Number) -> Value {
        let whole = n.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9e15);
        match whole {
            #[expect(clippy::cast_possible_truncation, reason = "the number is whole and below 2^53")]
            Some(f) => Value::Number((f as i64).into()),
            None => Value::Number(n),
        }
    }

    /// The value a JSON scalar (or list of texts) stands for; `None` for blank and for null.
    pub fn from_json(json: &serde_json::Value) -> Result<Option<Value>, NotAValue> {
        use serde_json::Value as Json;
        Ok(match json {
            Json::Null => None,
            Json::Bool(flag) => Some(Value::Flag(*flag)),
            Json::Number(n) => Some(stored(n.clone()).ok_or(NotAValue)?),
            Json::String(s) => Value::text(s),
            Json::Array(items) => {
                let texts = items.iter().map(|i| i.as_str().ok_or(NotAValue)).collect::<Result<Vec<_>, _>>()?;
                let texts: Vec<Text> = texts.into_iter().filter_map(Text::new).collect();
                (!texts.is_empty()).then_some(Value::List(texts))
            }
            Json::Object(_) => return Err(NotAValue),
        })
    }

    /// The JSON that a value stands for; null where there is none.
    pub fn plain(value: Option<&Value>) -> serde_json::Value {
        use serde_json::json;
        match value {
            None => serde_json::Value::Null,
            Some(Value::Flag(flag)) => json!(flag),
            Some(Value::Number(number)) => json!(number),
            Some(Value::Text(text)) => json!(text),
            Some(Value::List(texts)) => json!(texts),
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Value::Flag(_) => Kind::Flag,
            Value::Number(_) => Kind::Number,
            Value::Text(_) => Kind::Text,
            Value::List(_) => Kind::List,
        }
    }

    /// This value as the given kind, where nothing is lost: `"184"` is the number 184, the flag `true` the text `"true"`.
    pub fn into_kind(self, kind: Kind) -> Result<Value, Value> {
        match (kind, &self) {
            (k, v) if k == v.kind() => Ok(self),
            (Kind::Text, _) => Value::text(&self.to_string()).ok_or(self),
            (Kind::Number, Value::Text(t)) => serde_json::from_str(t.as_str()).ok().and_then(stored).ok_or(self),
            (Kind::Flag, Value::Text(t)) => t.as_str().parse().map(Value::Flag).map_err(|_| self),
            (Kind::List, Value::Text(t)) => {
                let items: Vec<Text> = t.as_str().split(';').filter_map(Text::new).collect();
                if items.is_empty() { Err(self) } else { Ok(Value::List(items)) }
            }
            _ => Err(self),
        }
    }
}

/// A number that DynamoDB holds: its exponents go from -130 to 125.
fn stored(number: serde_json::Number) -> Option<Value> {
    let size = number.as_f64().map_or(0.0, f64::abs);
    (size == 0.0 || (1e-125..1e125).contains(&size)).then(|| Value::number(number))
}

impl TryFrom<serde_json::Value> for Value {
    type Error = &'static str;
    /// Whatever is read back is as well formed as what was written.
    fn try_from(json: serde_json::Value) -> Result<Value, Self::Error> {
        Value::from_json(&json)
            .ok()
            .flatten()
            .ok_or("a value is a text, a number, true or false, or a list of texts, and never blank")
    }
}

/// A nested object, where a scalar or a list of texts was expected; or a number beyond what can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a field holds a text, a number, true or false, or a list of texts")]
pub struct NotAValue;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::Number(n) => write!(f, "{n}"),
            Value::Text(t) => f.write_str(t.as_str()),
            Value::List(items) => {
                let texts: Vec<&str> = items.iter().map(Text::as_str).collect();
                f.write_str(&texts.join(";"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json() -> impl Strategy<Value = serde_json::Value> {
        prop_oneof![
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<u64>().prop_map(Into::into),
            any::<i32>().prop_map(|n| (f64::from(n) / 1000.0).into()),
            "\\PC{0,8}".prop_map(Into::into),
            "[ \t\u{a0}ab;]{0,6}".prop_map(Into::into),
            prop::collection::vec("[ ab;]{0,3}", 0..4).prop_map(Into::into),
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        json().prop_filter_map("blank", |json| Value::from_json(&json).ok().flatten())
    }

    fn kind() -> impl Strategy<Value = Kind> {
        prop::sample::select(&[Kind::Flag, Kind::Number, Kind::Text, Kind::List][..])
    }

    proptest! {
        #![proptest_config(crate::planner::cases(1000))]

        #[test]
        fn a_value_that_was_stored_is_read_back(value in value()) {
            let json = serde_json::to_value(&value).unwrap();
            prop_assert_eq!(Value::from_json(&json), Ok(Some(value.clone())));
            prop_assert_eq!(serde_json::from_str::<Value>(&json.to_string()).unwrap(), value);
        }

        #[test]
        fn what_is_blank_is_no_value(json in json()) {
            let read = Value::from_json(&json).unwrap();
            prop_assert_eq!(serde_json::from_value::<Value>(json).ok(), read.clone());
            prop_assert!(read.is_none_or(|value| !value.to_string().trim().is_empty()));
        }

        #[test]
        fn text_is_trimmed_once_and_for_all(raw in "[ \t\u{a0}\u{2003}]{0,2}\\PC{0,6}[ \n]{0,2}") {
            if let Some(text) = Text::new(&raw) {
                prop_assert_eq!(Text::new(text.as_str()), Some(text));
            }
        }

        #[test]
        fn a_value_keeps_a_kind_that_it_was_given(value in value(), kind in kind()) {
            match value.clone().into_kind(kind) {
                Ok(fitted) => {
                    prop_assert_eq!(fitted.kind(), kind);
                    prop_assert_eq!(fitted.clone().into_kind(kind), Ok(fitted));
                }
                Err(same) => prop_assert_eq!(same, value),
            }
        }
    }

    #[test]
    fn a_number_has_one_spelling() {
        let number = |json: &str| Value::from_json(&serde_json::from_str(json).unwrap()).unwrap().unwrap();
        assert_eq!(number("184.0"), number("184"));
        assert_eq!(number("-0.0"), number("0"));
        assert_eq!(Value::text("184.0").unwrap().into_kind(Kind::Number), Ok(number("184")));
        assert_ne!(number("184.5"), number("184"));
    }

    #[test]
    fn a_list_of_nothing_is_no_value() {
        let semicolons = Value::text(";;").unwrap();
        assert_eq!(semicolons.clone().into_kind(Kind::List), Err(semicolons));
        assert!(serde_json::from_str::<Value>("[]").is_err());
        assert!(serde_json::from_str::<Value>(r#"[""]"#).is_err());
        assert!(serde_json::from_str::<Value>(r#"" ""#).is_err());
    }
}

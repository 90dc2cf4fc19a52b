//! Values and their kinds.

use serde::{Deserialize, Serialize};
use std::fmt;

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
            Json::Number(n) => Some(Value::number(n.clone())),
            Json::String(s) => Value::text(s),
            Json::Array(items) => {
                let texts = items.iter().map(|i| i.as_str().ok_or(NotAValue)).collect::<Result<Vec<_>, _>>()?;
                let texts: Vec<Text> = texts.into_iter().filter_map(Text::new).collect();
                (!texts.is_empty()).then_some(Value::List(texts))
            }
            Json::Object(_) => return Err(NotAValue),
        })
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
            (Kind::Number, Value::Text(t)) => serde_json::from_str(t.as_str()).map(Value::number).map_err(|_| self),
            (Kind::Flag, Value::Text(t)) => t.as_str().parse().map(Value::Flag).map_err(|_| self),
            (Kind::List, Value::Text(t)) => {
                let items: Vec<Text> = t.as_str().split(';').filter_map(Text::new).collect();
                if items.is_empty() { Err(self) } else { Ok(Value::List(items)) }
            }
            _ => Err(self),
        }
    }
}

impl TryFrom<serde_json::Value> for Value {
    type Error = &'static str;
    /// Whatever is read back is as well formed as what was written.
    fn try_from(json: serde_json::Value) -> Result<Value, Self::Error> {
        Value::from_json(&json).ok().flatten().ok_or("a value is a text, a number, true or false, or a list of texts, and never blank")
    }
}

/// A nested object, where a scalar or a list of texts was expected.
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

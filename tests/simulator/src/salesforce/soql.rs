//! What a SOQL condition means (Salesforce docs: SOQL and SOSL Reference, comparison operators): texts compare whatever
//! their case, ids with it, times in whole seconds, and null is before everything.

use super::Desk;
use super::errors::{error, no_such_column};
use super::fields::{Field, Kind};
use super::ids;
use super::show::{second, value};
use super::soql_parse::{Condition, Operator, Query};
use super::soql_tokens::Literal;
use crate::records::Record;
use crate::wire::Reply;
use serde_json::Value;
use std::cmp::Ordering;

/// A condition whose fields are known to be there and to fit their values.
#[derive(Debug)]
pub enum Filter<'a> {
    Everything,
    All(Vec<Filter<'a>>),
    Any(Vec<Filter<'a>>),
    Not(Box<Filter<'a>>),
    Compare { field: &'a Field, operator: Operator, keys: Vec<Key> },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    Null,
    Number(f64),
    Text(String),
}

impl<'a> Filter<'a> {
    pub fn of(desk: &'a Desk<'_>, object: &str, condition: &Condition) -> Result<Self, Reply> {
        let each = |parts: &[Condition]| parts.iter().map(|c| Self::of(desk, object, c)).collect::<Result<_, _>>();
        Ok(match condition {
            Condition::All(parts) => Self::All(each(parts)?),
            Condition::Any(parts) => Self::Any(each(parts)?),
            Condition::Not(part) => Self::Not(Box::new(Self::of(desk, object, part)?)),
            Condition::Compare { field, operator, values } => {
                let field = column(desk, object, field)?;
                let keys = values.iter().map(|v| key_of(field, *operator, v)).collect::<Result<_, _>>()?;
                Self::Compare { field, operator: *operator, keys }
            }
        })
    }

    pub fn passes(&self, object: &str, record: &Record) -> bool {
        match self {
            Self::Everything => true,
            Self::All(parts) => parts.iter().all(|p| p.passes(object, record)),
            Self::Any(parts) => parts.iter().any(|p| p.passes(object, record)),
            Self::Not(part) => !part.passes(object, record),
            Self::Compare { field, operator, keys } => compare(&key(object, record, field), *operator, keys),
        }
    }
}

/// A field that the connected user sees.
pub fn column<'a>(desk: &'a Desk<'_>, object: &str, name: &str) -> Result<&'a Field, Reply> {
    let field = desk.org.visible(object).find(|f| f.name.eq_ignore_ascii_case(name));
    field.ok_or_else(|| no_such_column(object, name))
}

/// Records in the order that a query wants, by id in the end.
pub fn sort(desk: &Desk<'_>, object: &str, query: &Query, hits: &mut [&Record]) -> Result<(), Reply> {
    let by = query.order.iter().map(|order| Ok((column(desk, object, &order.field)?, order)));
    let by = by.collect::<Result<Vec<_>, Reply>>()?;
    let order = |a: &&Record, b: &&Record| {
        for (field, order) in &by {
            let (a, b) = (key(object, a, field), key(object, b, field));
            let found = match (&a, &b) {
                (Key::Null, Key::Null) => Ordering::Equal,
                (Key::Null, _) => {
                    if order.nulls_last {
                        Ordering::Greater
                    } else {
                        Ordering::Less
                    }
                }
                (_, Key::Null) => {
                    if order.nulls_last {
                        Ordering::Less
                    } else {
                        Ordering::Greater
                    }
                }
                _ if order.descending => a.order(&b).reverse(),
                _ => a.order(&b),
            };
            if found.is_ne() {
                return found;
            }
        }
        a.id.cmp(&b.id)
    };
    hits.sort_by(order);
    Ok(())
}

impl Key {
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }
}

fn compare(own: &Key, operator: Operator, keys: &[Key]) -> bool {
    let Some(first) = keys.first() else { return false };
    let is = |wanted: fn(Ordering) -> bool| *own != Key::Null && *first != Key::Null && wanted(own.order(first));
    match operator {
        Operator::Is | Operator::In => keys.contains(own),
        Operator::IsNot | Operator::NotIn => !keys.contains(own),
        Operator::Less => is(Ordering::is_lt),
        Operator::AtMost => is(Ordering::is_le),
        Operator::More => is(Ordering::is_gt),
        Operator::AtLeast => is(Ordering::is_ge),
        Operator::Like => matches!((own, first), (Key::Text(own), Key::Text(pattern)) if like(own, pattern)),
    }
}

/// `%` stands for anything, `_` for one character; a backslash takes that away.
fn like(text: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('%') => {
            let after = rest.as_str();
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| like(&text[at..], after))
        }
        Some(wanted) => {
            let any = wanted == '_';
            let wanted = if wanted == '\\' { rest.next() } else { Some(wanted) };
            let mut own = text.chars();
            own.next().is_some_and(|c| any || Some(c) == wanted) && like(own.as_str(), rest.as_str())
        }
    }
}

fn key(object: &str, record: &Record, field: &Field) -> Key {
    if field.kind == Kind::Datetime {
        let at = if field.name == "CreatedDate" { record.created } else { record.modified };
        return Key::Number(second(at) as f64);
    }
    match value(object, record, field) {
        Value::Bool(b) => Key::Number(f64::from(u8::from(b))),
        Value::Number(n) => n.as_f64().map_or(Key::Null, Key::Number),
        Value::String(text) if matches!(field.kind, Kind::Id | Kind::Reference) => Key::Text(text),
        Value::String(text) => Key::Text(text.to_lowercase()),
        Value::Null | Value::Array(_) | Value::Object(_) => Key::Null,
    }
}

/// A literal as this field's values compare, or why it cannot.
fn key_of(field: &Field, operator: Operator, literal: &Literal) -> Result<Key, Reply> {
    let invalid = |code: &str, message: String| Err(error(400, code, &message));
    if field.kind == Kind::Area {
        return invalid("INVALID_FIELD", format!("field '{}' can not be filtered in a query call", field.name));
    }
    match (field.kind, literal) {
        (_, Literal::Null) => Ok(Key::Null),
        (Kind::Id | Kind::Reference, Literal::Text(text)) if operator != Operator::Like => match ids::normal(text) {
            Some(id) => Ok(Key::Text(id)),
            None => invalid("INVALID_QUERY_FILTER_OPERATOR", format!("invalid ID field: {text}")),
        },
        (Kind::Datetime, Literal::Time(ms)) => Ok(Key::Number(*ms as f64)),
        (Kind::Date, Literal::Date(day)) => Ok(Key::Text(day.clone())),
        (Kind::Boolean, Literal::Bool(b)) => Ok(Key::Number(f64::from(u8::from(*b)))),
        (Kind::Int | Kind::Currency, Literal::Number(n)) => Ok(Key::Number(*n)),
        (Kind::Text | Kind::Email | Kind::Phone | Kind::Url | Kind::Picklist, Literal::Text(text)) => {
            Ok(Key::Text(text.to_lowercase()))
        }
        (kind, Literal::Text(_)) => {
            let message = format!(
                "value of filter criterion for field '{}' must be of type {} and should not be enclosed in quotes",
                field.name,
                kind.name()
            );
            invalid("INVALID_FIELD", message)
        }
        (kind, _) => {
            let message =
                format!("value of filter criterion for field '{}' must be of type {}", field.name, kind.name());
            invalid("INVALID_FIELD", message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn like_knows_two_wildcards_and_their_escape() {
        for (text, pattern, expected) in [
            ("ada", "a%", true),
            ("ada", "%d%", true),
            ("ada", "a_a", true),
            ("ada", "a_", false),
            ("a%", r"a\%", true),
            ("ab", r"a\%", false),
            ("", "%", true),
        ] {
            assert_eq!(like(text, pattern), expected, "{text} {pattern}");
        }
    }
}

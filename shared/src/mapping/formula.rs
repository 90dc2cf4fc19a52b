//! Values that a rule computes of several fields: text with values in it, conditions, sums.

use super::template::Template;
use crate::record::{Fields, Value};
use minijinja::{Environment, Expression, UndefinedBehavior, value::Rest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

type Computed = minijinja::Value;

/// A template, such as `{{first_name}} {{last_name}}`, or an expression, such as `"Hot" if lead_score >= 75 else "Warm"` or
/// `SUM(opens, clicks)`.
///
/// It is total: whatever it is fed with, it ends soon, with a value or with none.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Formula {
    source: String,
    kind: Arc<Kind>,
}

#[derive(Debug)]
enum Kind {
    Template(Template),
    Expression {
        compiled: Expression<'static, 'static>,
        /// The fields and functions that it names.
        names: BTreeSet<String>,
        /// Whether it computes or compares, so that a text that is a number counts as one however it is written.
        computes: bool,
    },
}

/// What is wrong with a formula, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the formula {formula:?} cannot be read: {what}")]
pub struct FormulaError {
    formula: String,
    what: String,
}

/// In characters; longer ones are programs.
const LONGEST: usize = 1_000;
/// Instructions of one evaluation.
const MOST_INSTRUCTIONS: u64 = 10_000;
/// The longest text that is made, in bytes.
const LONGEST_TEXT: usize = 65_536;

impl Formula {
    pub fn parse(source: &str) -> Result<Formula, FormulaError> {
        let wrong = |what: String| FormulaError { formula: source.chars().take(80).collect(), what };
        if source.chars().count() > LONGEST {
            return Err(wrong(format!("it has more than {LONGEST} characters")));
        }
        let kind = match source.contains("{{") {
            true => Template::parse(source).map(Kind::Template).map_err(|error| wrong(error.to_string())),
            // The engine panics where a brace ends what none began, and where nothing is cut into slices.
            false if source.contains(['{', '}', '[', ']']) => {
                Err(wrong("an expression has neither braces nor square brackets".to_owned()))
            }
            false if repeats(source) => Err(wrong("what multiplies speaks of numbers alone".to_owned())),
            false => {
                let expression = ENGINE.compile_expression_owned(source.to_owned());
                let expression = expression.map_err(|error| wrong(error.to_string()))?;
                let names: BTreeSet<String> = expression.undeclared_variables(false).into_iter().collect();
                let computes =
                    source.contains(['+', '-', '*', '/', '%', '<', '>']) || names.iter().any(|name| is_function(name));
                Ok(Kind::Expression { compiled: expression, names, computes })
            }
        };
        Ok(Formula { source: source.to_owned(), kind: Arc::new(kind?) })
    }

    /// Whether it is a text with values in it, which is never true or false.
    pub fn is_template(&self) -> bool {
        matches!(*self.kind, Kind::Template(_))
    }

    /// The fields that it names.
    pub fn fields(&self) -> BTreeSet<&str> {
        match &*self.kind {
            Kind::Template(template) => template.names().collect(),
            Kind::Expression { names, .. } => {
                names.iter().map(String::as_str).filter(|name| !is_function(name)).collect()
            }
        }
    }

    /// As it is written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it comes to; `None` where that is blank or cannot be told. A text that is a number counts as one, where something is computed or compared. A field that the record does
    /// not have is blank: it is inserted as nothing, is less than anything, and counts for nothing in `SUM`, `COUNT`, `MIN` and `MAX`.
    pub fn of(&self, fields: &Fields) -> Option<Value> {
        match &*self.kind {
            Kind::Template(template) => {
                template.names().any(|name| known(fields, name).is_some()).then_some(())?;
                Value::text(&template.filled(|name| known(fields, name)).ok()?)
            }
            Kind::Expression { compiled, names, computes } => {
                value(&self.computed(compiled, names, *computes, fields)?)
            }
        }
    }

    /// Whether it is true as a condition: of what is blank, zero or cannot be told it is not, and of a template never.
    pub fn holds(&self, fields: &Fields) -> bool {
        match &*self.kind {
            Kind::Template(_) => false,
            Kind::Expression { compiled, names, computes } => self
                .computed(compiled, names, *computes, fields)
                .is_some_and(|computed| value(&computed).is_some() && computed.is_true()),
        }
    }

    fn computed(
        &self,
        expression: &Expression<'_, '_>,
        names: &BTreeSet<String>,
        computes: bool,
        fields: &Fields,
    ) -> Option<Computed> {
        let counts = |value: Value| match computes {
            true => value.into_kind(crate::record::Kind::Number).unwrap_or_else(|value| value),
            // `3.10` stays as it is written.
            false => {
                let number = value.clone().into_kind(crate::record::Kind::Number).ok();
                number.filter(|number| number.to_string() == value.to_string()).unwrap_or(value)
            }
        };
        let named = names.iter().filter_map(|name| Some((name.as_str(), counts(known(fields, name)?))));
        let named: BTreeMap<&str, Value> = named.collect();
        self.can_take(named.values()).then_some(())?;
        expression.eval(named).ok()
    }

    /// What it is fed with makes no text that is too long: where it multiplies there is none, elsewhere each operator adds one at most.
    fn can_take<'a>(&self, values: impl Iterator<Item = &'a Value>) -> bool {
        let texts = values.filter(|value| matches!(value, Value::Text(_) | Value::List(_)));
        let length: usize = texts.map(|text| text.to_string().len()).sum();
        let joints = self.source.matches(['~', '+']).count();
        let repeats = self.source.contains('*') && length > 0;
        !repeats && length.saturating_mul(joints + 1) <= LONGEST_TEXT
    }
}

fn is_function(name: &str) -> bool {
    matches!(name, "SUM" | "COUNT" | "MIN" | "MAX")
}

fn known(fields: &Fields, name: &str) -> Option<Value> {
    fields.told(name).flatten()
}

/// Whether it may multiply something else than numbers: of a text that would make a very long one, in one instruction.
fn repeats(source: &str) -> bool {
    source.contains('*') && source.contains(['"', '\'', '~', '('])
}

fn value(computed: &Computed) -> Option<Value> {
    if computed.is_undefined() || computed.is_none() {
        return None;
    }
    if let Some(text) = computed.as_str() {
        return Value::text(text).filter(|_| text.len() <= LONGEST_TEXT);
    }
    match serde_json::to_value(computed).ok()? {
        serde_json::Value::Bool(flag) => Some(Value::Flag(flag)),
        serde_json::Value::Number(number) => Some(Value::number(number)),
        _ => None,
    }
}

/// It has operators and the functions below, and neither filters nor tests, loops, variables, files or a clock.
static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::empty();
    engine.set_fuel(Some(MOST_INSTRUCTIONS));
    engine.set_undefined_behavior(UndefinedBehavior::Lenient);
    engine.add_function("SUM", |of: Rest<Computed>| numbers(&of).reduce(|a, b| a + b).and_then(held));
    engine.add_function("MIN", |of: Rest<Computed>| numbers(&of).reduce(f64::min).and_then(held));
    engine.add_function("MAX", |of: Rest<Computed>| numbers(&of).reduce(f64::max).and_then(held));
    engine.add_function("COUNT", |of: Rest<Computed>| of.iter().filter(|one| !one.is_undefined()).count());
    engine
});

fn numbers(of: &[Computed]) -> impl Iterator<Item = f64> {
    of.iter().filter_map(|one| f64::try_from(one.clone()).ok())
}

/// A number as the hub holds it: without a fraction as a whole one.
fn held(number: f64) -> Option<Computed> {
    serde_json::Number::from_f64(number).map(|number| Computed::from_serialize(Value::number(number)))
}

impl PartialEq for Formula {
    fn eq(&self, other: &Formula) -> bool {
        self.source == other.source
    }
}

impl TryFrom<String> for Formula {
    type Error = FormulaError;
    fn try_from(source: String) -> Result<Formula, FormulaError> {
        Formula::parse(&source)
    }
}

impl From<Formula> for String {
    fn from(formula: Formula) -> String {
        formula.source
    }
}

#[cfg(test)]
#[path = "formula_tests.rs"]
mod tests;

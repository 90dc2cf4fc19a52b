//! `{{placeholders}}` of sync fields, by minijinja with bounded work.

use crate::record::Value;
use minijinja::{Environment, UndefinedBehavior};
use std::collections::BTreeMap;

/// Why a template gives no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("unknown placeholder {{{{{0}}}}}")]
    UnknownPlaceholder(String),
    #[error("not a template: {0}")]
    Malformed(String),
}

/// Instructions that one template may take.
const FUEL: u64 = 10_000;
/// The longest text a template may give, in bytes.
const LONGEST: usize = 65_536;

/// The template's text, or `None` where a placeholder it uses is known but empty.
pub fn render(template: &str, known: &BTreeMap<String, Option<Value>>) -> Result<Option<String>, TemplateError> {
    let mut environment = Environment::empty();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let malformed = |error: minijinja::Error| TemplateError::Malformed(error.kind().to_string());
    let compiled = environment.template_from_str(template).map_err(malformed)?;
    let mut context = BTreeMap::new();
    for placeholder in compiled.undeclared_variables(false) {
        match known.get(&placeholder) {
            None => return Err(TemplateError::UnknownPlaceholder(placeholder)),
            Some(None) => return Ok(None),
            Some(Some(value)) => context.insert(placeholder, value.to_string()),
        };
    }
    let text = compiled.render(context).map_err(malformed)?;
    if text.len() > LONGEST {
        return Err(TemplateError::Malformed(format!("gives more than {LONGEST} bytes")));
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, expected: Result<Option<&str>, TemplateError>) {
        let known = BTreeMap::from([
            ("callStatus".to_owned(), Value::text("completed")),
            ("duration".to_owned(), Some(Value::Number(184.into()))),
            ("email".to_owned(), None),
        ]);
        assert_eq!(render(template, &known), expected.map(|text| text.map(str::to_owned)));
    }

    #[test]
    fn placeholders_become_the_leads_values() {
        check("{{callStatus}} ({{ duration }} s)", Ok(Some("completed (184 s)")));
        check("no placeholder", Ok(Some("no placeholder")));
    }

    #[test]
    fn a_known_but_empty_placeholder_writes_nothing() {
        check("{{email}}", Ok(None));
        check("{{callStatus}} {{email}}", Ok(None));
    }

    #[test]
    fn an_unknown_placeholder_is_refused_by_name() {
        check("{{callstatus}}", Err(TemplateError::UnknownPlaceholder("callstatus".into())));
    }

    #[test]
    fn endless_work_ends() {
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert!(render(endless, &BTreeMap::new()).is_err());
        assert!(matches!(render("{{", &BTreeMap::new()), Err(TemplateError::Malformed(_))));
    }
}

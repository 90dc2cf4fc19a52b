//! `{{placeholders}}` of sync fields: text with values in it, and nothing that computes.

use crate::record::Value;
use std::collections::BTreeMap;

/// Why a template gives no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("unknown placeholder {{{{{0}}}}}")]
    UnknownPlaceholder(String),
    #[error("not a template: {0}")]
    Malformed(String),
}

/// The longest text a template may give, in bytes.
const LONGEST: usize = 65_536;

/// The template's text, or `None` where a placeholder it uses is known but empty.
pub fn render(template: &str, known: &BTreeMap<String, Option<Value>>) -> Result<Option<String>, TemplateError> {
    let malformed = |what: &str| TemplateError::Malformed(what.to_owned());
    let mut parts = template.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut empty = false;
    for part in parts {
        let (name, rest) = part.split_once("}}").ok_or_else(|| malformed("a placeholder is not closed"))?;
        let name = name.trim();
        let value = known.get(name).ok_or_else(|| TemplateError::UnknownPlaceholder(name.to_owned()))?;
        empty |= value.is_none();
        text.extend(value.as_ref().map(ToString::to_string));
        text.push_str(rest);
        if text.len() > LONGEST {
            return Err(malformed("it gives more than 64 KB"));
        }
    }
    Ok((!empty).then_some(text))
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
        check("{% set a = 1 %}{{duration}} }}", Ok(Some("{% set a = 1 %}184 }}")));
    }

    #[test]
    fn a_known_but_empty_placeholder_writes_nothing() {
        check("{{email}}", Ok(None));
        check("{{callStatus}} {{email}}", Ok(None));
    }

    #[test]
    fn an_unknown_placeholder_is_refused_by_name() {
        check("{{callstatus}}", Err(TemplateError::UnknownPlaceholder("callstatus".into())));
        check("{{email}} {{duration * 2}}", Err(TemplateError::UnknownPlaceholder("duration * 2".into())));
        check("{{}}", Err(TemplateError::UnknownPlaceholder(String::new())));
    }

    #[test]
    fn what_grows_too_long_ends() {
        assert!(matches!(render("{{", &BTreeMap::new()), Err(TemplateError::Malformed(_))));
        let known = BTreeMap::from([("a".to_owned(), Value::text(&"x".repeat(1000)))]);
        assert!(matches!(render(&"{{a}}".repeat(25_000), &known), Err(TemplateError::Malformed(_))));
    }
}

//! Text with `{{placeholders}}`: values are inserted, and nothing is computed.

use crate::record::Value;

/// Why there is no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("a placeholder is not closed")]
    Open,
    #[error("it gives more than 64 KB")]
    TooLong,
}

/// The longest text a template may give, in bytes.
const LONGEST: usize = 65_536;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(String),
}

impl Template {
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let mut split = text.split("{{");
        let mut parts = vec![Part::Text(split.next().unwrap_or_default().to_owned())];
        for part in split {
            let (name, rest) = part.split_once("}}").ok_or(TemplateError::Open)?;
            parts.extend([Part::Value(name.trim().to_owned()), Part::Text(rest.to_owned())]);
        }
        Ok(Template(parts))
    }

    /// The names between the braces.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Value(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text with these values. A blank one leaves no gap behind it: of two spaces around it one goes.
    pub fn filled(&self, value: impl Fn(&str) -> Option<Value>) -> Result<String, TemplateError> {
        let (mut text, mut blank) = (String::new(), false);
        for part in &self.0 {
            match part {
                Part::Text(part) if blank && (text.is_empty() || text.ends_with(' ')) => {
                    text.push_str(part.strip_prefix(' ').unwrap_or(part));
                }
                Part::Text(part) => text.push_str(part),
                Part::Value(name) => {
                    let value = value(name);
                    blank = value.is_none();
                    text.extend(value.map(|value| value.to_string()));
                }
            }
            if text.len() > LONGEST {
                return Err(TemplateError::TooLong);
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> Result<String, TemplateError> {
        let known = |name: &str| match name {
            "callStatus" => Value::text("completed"),
            "duration" => Some(Value::Number(184.into())),
            _ => None,
        };
        Template::parse(template)?.filled(known)
    }

    #[test]
    fn placeholders_become_values() {
        assert_eq!(filled("{{callStatus}} ({{ duration }} s)").unwrap(), "completed (184 s)");
        assert_eq!(filled("no placeholder").unwrap(), "no placeholder");
        assert_eq!(filled("{% set a = 1 %}{{duration}} }}").unwrap(), "{% set a = 1 %}184 }}");
    }

    #[test]
    fn a_blank_leaves_no_gap() {
        assert_eq!(filled("{{nobody}} {{callStatus}} {{nobody}} {{duration}}").unwrap(), "completed 184");
        assert_eq!(filled("[{{nobody}}]").unwrap(), "[]");
    }

    #[test]
    fn what_cannot_be_text_is_refused() {
        assert_eq!(filled("{{callStatus"), Err(TemplateError::Open));
        let grows = "{{callStatus}}".repeat(10_000);
        assert_eq!(filled(&grows), Err(TemplateError::TooLong));
    }
}

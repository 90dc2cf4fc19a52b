//! Rules that name the hub's fields as others do, by the hub's own names.

use super::{Formula, Mapping, Rule};
use crate::record::{Object, canonical};

impl Mapping {
    /// The same rules, with the hub's own names of its fields.
    pub fn canonical(self, object: &Object) -> Mapping {
        let rules = self.rules.into_iter().map(|rule| rule.canonical(object)).collect();
        let include = self.include.map(|include| include.canonical(object));
        Mapping { rules, include, ..self }
    }
}

impl Rule {
    /// The same rule, with the hub's own names of its fields. What is computed goes by any name.
    pub fn canonical(self, object: &Object) -> Rule {
        match self.formula {
            Some(formula) => Rule { formula: Some(formula.canonical(object)), ..self },
            None => Rule { hub: canonical(object, &self.hub).to_owned(), ..self },
        }
    }
}

impl Formula {
    /// The same formula, with the hub's own names of its fields.
    pub fn canonical(self, object: &Object) -> Formula {
        let named = self.fields();
        let rename = |name: &str| match named.contains(name) {
            true => canonical(object, name).to_owned(),
            false => name.to_owned(),
        };
        let renamed =
            if self.is_template() { placeholders(self.source(), rename) } else { names(self.source(), rename) };
        // Longer names may make it too long: then it stays as it is.
        Formula::parse(&renamed).unwrap_or(self)
    }
}

fn placeholders(source: &str, rename: impl Fn(&str) -> String) -> String {
    let mut split = source.split("{{");
    let mut renamed = split.next().unwrap_or_default().to_owned();
    for part in split {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        renamed.extend(["{{", &rename(name.trim()), "}}", rest]);
    }
    renamed
}

/// An expression's names are words outside of its texts.
fn names(source: &str, rename: impl Fn(&str) -> String) -> String {
    let (mut renamed, mut word, mut quote, mut escaped) = (String::new(), String::new(), None, false);
    for c in source.chars() {
        if quote.is_none() && (c.is_alphanumeric() || c == '_') {
            word.push(c);
            continue;
        }
        renamed.push_str(&rename(&std::mem::take(&mut word)));
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => {}
        }
        renamed.push(c);
    }
    renamed + &rename(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(formula: &str, expected: &str) {
        let renamed = Formula::parse(formula).unwrap().canonical(&Object::Person);
        assert_eq!(renamed.source(), expected);
    }

    #[test]
    fn formulas_name_the_hubs_own_fields() {
        check("{{ firstName }} {{lastname}} of {{plate}}", "{{first_name}} {{last_name}} of {{plate}}");
        check(r#""Hot" if leadScore >= 75 else "leadScore""#, r#""Hot" if lead_score >= 75 else "leadScore""#);
        check(r#"'it\'s Title' ~ Title"#, r#"'it\'s Title' ~ job_title"#);
        check("SUM(total_opens, totalClicks)", "SUM(opens, clicks)");
        check("not unsubscribed and organization", "not email_opted_out and company");
    }

    #[test]
    fn rules_do_too() {
        let rule = Rule::both("jobtitle", "Title").canonical(&Object::Person);
        assert_eq!((rule.hub.as_str(), rule.remote.as_str()), ("job_title", "Title"));
        let computed =
            Rule::computed("Title", Formula::parse("{{jobtitle}}").unwrap(), "Title").canonical(&Object::Person);
        assert_eq!((computed.hub.as_str(), computed.formula.unwrap().source()), ("Title", "{{job_title}}"));
    }
}

//! Whether what a rule sends is what the CRM's field takes, and what it hears what the hub's field holds.

use crate::{
    mapping::{Form, Rule},
    provider::Field,
    record::{Kind, Region, Sort, Value},
};
use std::collections::BTreeSet;

/// Options that a person is told of those that there are.
const SOME: usize = 12;

/// What a field's type and its options have against a rule.
pub(super) fn misfits(rule: &Rule, field: &Field) -> Vec<String> {
    let mut wrong = Vec::new();
    if rule.direction.sends() {
        wrong.extend(unsendable(rule, field));
    }
    if rule.direction.receives() {
        wrong.extend(unhearable(rule, field));
    }
    wrong.extend(unlisted(rule, field));
    wrong
}

/// What a rule has to say, before it is in a form; `None` where only records will tell.
fn said(rule: &Rule) -> Option<Sort> {
    match &rule.formula {
        _ if !rule.values.is_empty() => Some(Sort::Text),
        Some(formula) => formula.sort(),
        None => Sort::of(&rule.hub),
    }
}

fn unsendable(rule: &Rule, field: &Field) -> Vec<String> {
    let Field { name, takes, .. } = field;
    let (said, mut wrong) = (said(rule), Vec::new());
    if let Some((form, said)) = rule.form.zip(said).filter(|(form, said)| !could_be(*said, *form)) {
        wrong.push(format!("{} is {}, which \"as\": {:?} never comes to", rule.hub, said.title(), form.name()));
    }
    let sent = rule.form.map(Form::sort).or(said);
    if let Some(sent) = sent.filter(|sent| !takes.is_empty() && !is_taken(*sent, takes)) {
        let form = said.and_then(|said| remedy(said, takes));
        let remedy = form.map_or("they do not fit".to_owned(), |form| format!("say \"as\": {:?}", form.name()));
        let takes: Vec<&str> = takes.iter().map(|sort| sort.title()).collect();
        wrong.push(format!("{name} takes {}, and is sent {}; {remedy}", takes.join(" or "), sent.title()));
    }
    if let Some(default) = rule.default.as_ref().filter(|default| !is_any_of(default, takes)) {
        let takes: Vec<&str> = takes.iter().map(|sort| sort.title()).collect();
        wrong.push(format!("{name} takes {}, which the default {:?} is not", takes.join(" or "), default.to_string()));
    }
    wrong
}

fn unhearable(rule: &Rule, field: &Field) -> Option<String> {
    if !rule.values.is_empty() || field.takes.is_empty() {
        return None;
    }
    let holds = Sort::of(&rule.hub);
    let heard = |shown: &Sort| match (rule.form, holds) {
        (Some(form), holds) => could_be(*shown, form) && holds.is_none_or(|holds| could_hold(holds, form.sort())),
        (None, holds) => holds.is_none_or(|holds| could_hold(holds, *shown)),
    };
    let wants = rule.form.map(Form::sort).or(holds).map_or("something else", Sort::title);
    let shows: Vec<&str> = field.takes.iter().map(|sort| sort.title()).collect();
    let unheard = !field.takes.iter().any(heard);
    unheard.then(|| format!("{} shows {}, of which {} cannot be read", field.name, shows.join(" or "), wants))
}

/// Values that are none of a closed list's.
fn unlisted(rule: &Rule, field: &Field) -> Vec<String> {
    if field.options.is_empty() {
        return Vec::new();
    }
    let spelt = |value: &Value| match rule.form {
        Some(form) => form.of(value, &Region::default()).unwrap_or_else(|| value.clone()),
        None => value.clone(),
    };
    let table = rule.values.values().filter_map(|told| Value::text(told)).map(|told| spelt(&told));
    let computed = rule.formula.iter().flat_map(|formula| formula.texts()).filter_map(|text| Value::text(&text));
    let computed = computed.filter(|_| rule.values.is_empty()).map(|text| spelt(&text));
    let told = table.chain(computed).chain(rule.default.clone()).map(|value| value.to_string());
    let several = field.takes.contains(&Sort::List);
    let is_listed = |told: &str| field.options.iter().any(|option| option == told);
    let unknown: BTreeSet<String> =
        told.filter(|told| !(is_listed(told) || several && told.split(';').all(|one| is_listed(one.trim())))).collect();
    let shown: Vec<&str> = field.options.iter().take(SOME).map(String::as_str).collect();
    let more = if field.options.len() > SOME { ", …" } else { "" };
    let fault = |told| format!("{told:?} is no option of {}: {}{more}", field.name, shown.join(", "));
    unknown.into_iter().map(fault).collect()
}

/// Days and times are texts to whoever takes texts.
fn is_taken(sent: Sort, takes: &[Sort]) -> bool {
    takes.contains(&sent) || (takes.contains(&Sort::Text) && sent.kind() == Kind::Text)
}

/// Whether a value of this sort can be had in a form at all.
fn could_be(said: Sort, form: Form) -> bool {
    could_hold(form.sort(), said)
        || (form == Form::Flag && said == Sort::Number)
        || (form == Form::Time && said == Sort::Date)
}

/// Whether a field that holds one sort can ever hold a value of another.
fn could_hold(holds: Sort, value: Sort) -> bool {
    match holds {
        Sort::Text => true,
        Sort::Number | Sort::Flag | Sort::List => value == holds || value == Sort::Text,
        Sort::Date => value.kind() == Kind::Text,
        Sort::Time => matches!(value, Sort::Time | Sort::Text),
    }
}

/// The form in which it would be taken.
fn remedy(said: Sort, takes: &[Sort]) -> Option<Form> {
    let forms = [Form::Text, Form::Number, Form::Flag, Form::Date, Form::Time];
    forms.into_iter().find(|form| could_be(said, *form) && takes.contains(&form.sort()))
}

fn is_any_of(value: &Value, takes: &[Sort]) -> bool {
    let is = |sort: &Sort| match (sort, value) {
        (Sort::Date, Value::Text(_)) => Form::Date.of(value, &Region::default()).as_ref() == Some(value),
        (Sort::Time, Value::Text(_)) => Form::Time.of(value, &Region::default()).is_some(),
        _ => value.kind() == sort.kind(),
    };
    takes.is_empty() || takes.iter().any(is)
}

#[cfg(test)]
#[path = "fits_tests.rs"]
mod tests;

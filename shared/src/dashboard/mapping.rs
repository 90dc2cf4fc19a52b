//! The rules between the hub's fields and a CRM's: seen, changed, tried on a record, and given.

use super::{
    act::{Form, said},
    desk::{Desk, Listed, route},
    frame::{Page, Shown},
    overview::Connection,
    words::{Notice, title, value},
};
use crate::{
    control::problem::{self, Problem},
    record::{FIELD_NAMES, Value},
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
struct Mapped {
    mapping: Json,
    set_aside: Vec<String>,
}

/// A field of the CRM's.
#[derive(Debug, Deserialize)]
struct Field {
    name: String,
    label: String,
    writable: bool,
}

/// What becomes of a sample.
#[derive(Debug, Deserialize)]
struct Tried {
    faults: Vec<String>,
    included: bool,
    sends: BTreeMap<String, Option<Value>>,
    misfits: Vec<String>,
}

const DIRECTIONS: [(&str, &str); 3] = [("both", "both ways"), ("to_crm", "to the CRM"), ("from_crm", "from the CRM")];
/// Rows for rules that there are not yet.
const NEW: usize = 3;

/// What a form says of the rules: those of that version, changed.
struct Draft {
    version: String,
    rules: Json,
}

pub async fn mapping(desk: &Desk<'_>, connection: &str, object: &str) -> Shown {
    let (mapped, version) = current(desk, connection, object).await?;
    page(desk, connection, object, &Draft { version, rules: mapped.mapping }, &mapped.set_aside, None).await
}

/// Tries what the form says, or gives it to the connection.
pub async fn change(desk: &Desk<'_>, connection: &str, object: &str, form: &Form) -> Shown {
    let (mapped, version) = current(desk, connection, object).await?;
    let given = said(form, "version").unwrap_or_default().to_owned();
    if given != version {
        return Err(Problem::new(problem::CHANGED, "somebody has given it other rules meanwhile"));
    }
    let draft = Draft { version, rules: drafted(mapped.mapping, form) };
    if said(form, "do") == Some("give") {
        let parts = desk.places(&[("connection", connection), ("object", object)]);
        desk.answer(route("giveMapping")?, parts, Some(draft.version), &draft.rules).await?;
        let notice = Notice { did: "giveMapping".to_owned(), done: 1, left: 0, more: false };
        return Ok(desk.told(&desk.path, notice));
    }
    let sample = desk.ask::<Listed<Json>>("records", &[], &[("object", object), ("limit", "1")]).await?;
    let hub: Map<String, Json> =
        sample.items.first().and_then(|record| record["fields"].as_object()).map_or_else(Map::new, |fields| {
            fields.iter().map(|(name, said)| (name.clone(), said["value"].clone())).collect()
        });
    let parts = desk.places(&[("connection", connection), ("object", object)]);
    let body = json!({"mapping": draft.rules, "hub": hub});
    let tried = desk.answer(route("testMapping")?, parts, None, &body).await?.read::<Tried>()?;
    page(desk, connection, object, &draft, &mapped.set_aside, Some(&tried)).await
}

async fn current(desk: &Desk<'_>, connection: &str, object: &str) -> Result<(Mapped, String), Problem> {
    let parts = desk.places(&[("connection", connection), ("object", object)]);
    let answer = desk.answer(route("mapping")?, parts, None, &Json::Null).await?;
    let version = answer.version();
    Ok((answer.read()?, version))
}

/// The rules with what the form says of each; what it cannot say stays.
fn drafted(mut mapping: Json, form: &Form) -> Json {
    let Some(rules) = mapping["rules"].as_array_mut() else { return mapping };
    let text = |what: &str, row: usize| said(form, &format!("{what}.{row}")).map(str::to_owned);
    let known = rules.len();
    rules.resize(known + NEW, json!({}));
    for (row, rule) in rules.iter_mut().enumerate() {
        for what in ["hub", "remote", "direction"] {
            if let (Some(said), Some(rule)) = (text(what, row), rule.as_object_mut()) {
                rule.insert(what.to_owned(), json!(said));
            }
        }
        if let (true, Some(rule)) = (rule["default"].is_null() || rule["default"].is_string(), rule.as_object_mut()) {
            match text("default", row) {
                Some(said) => drop(rule.insert("default".to_owned(), json!(said))),
                None => drop(rule.remove("default")),
            }
        }
    }
    let kept = |row: usize, rule: &Json| {
        text("drop", row).is_none() && (row < known || !rule["hub"].is_null() || !rule["remote"].is_null())
    };
    *rules = std::mem::take(rules)
        .into_iter()
        .enumerate()
        .filter(|(row, rule)| kept(*row, rule))
        .map(|(_, rule)| rule)
        .collect();
    mapping
}

async fn page(
    desk: &Desk<'_>,
    connection: &str,
    object: &str,
    draft: &Draft,
    aside: &[String],
    tried: Option<&Tried>,
) -> Shown {
    let at = [("connection", connection), ("object", object)];
    let (fields, shown) = futures::join!(
        desk.ask::<Vec<Field>>("schema", &at, &()),
        desk.ask::<Connection>("connection", &at[..1], &()),
    );
    let shown = shown?;
    let body = html! {
        p.lead { (shown.display_name) " calls it " code { (draft.rules["object"].as_str().unwrap_or_default()) } ". Other rules make the connection join anew: everything is read by them, and nothing is written before somebody approves that on the overview." }
        @if !aside.is_empty() { p.notice.warn { "The account no longer has " (aside.join(", ")) ": their rules rest until it has." } }
        @if let Some(tried) = tried { (outcome(tried)) }
        @match &fields {
            Ok(fields) => (lists(fields)),
            Err(problem) => p.notice.warn { "The CRM does not tell its fields now: " (problem.detail) "." },
        }
        (table(desk, connection, object, draft))
    };
    Ok(Page::new(format!("{} of {}", title(object), shown.display_name), body))
}

/// What may be chosen of.
fn lists(fields: &[Field]) -> Markup {
    html! {
        datalist #crm-fields { @for field in fields { option value=(field.name) { (field.label) @if !field.writable { " (read only)" } } } }
        datalist #hub-fields { @for name in FIELD_NAMES.iter() { option value=(name); } }
    }
}

fn table(desk: &Desk<'_>, connection: &str, object: &str, draft: &Draft) -> Markup {
    let none = Vec::new();
    let rules = draft.rules["rules"].as_array().unwrap_or(&none);
    let may = desk.may("giveMapping");
    let rows = if may { NEW } else { 0 };
    let inside = html! {
        div.wide tabindex="0" role="region" aria-label="Rules" {
            table.rules {
                thead { tr { th scope="col" { "The hub’s field" } th scope="col" { "The CRM’s field" } th scope="col" { "Goes" } th scope="col" { "Where there is none" } th scope="col" { "Leave out" } } }
                tbody {
                    @for row in 0..rules.len() + rows { (rule(row, rules.get(row).unwrap_or(&Json::Null))) }
                }
            }
        }
        input type="hidden" name="version" value=(draft.version);
        @if may {
            p.actions {
                button type="submit" name="do" value="try" { "Try it on a record" }
                button.main type="submit" name="do" value="give" { "Give it these rules" }
            }
        }
    };
    desk.form(&format!("/connections/{connection}/mappings/{object}"), &[], &inside)
}

fn rule(row: usize, rule: &Json) -> Markup {
    let said = |what: &str| rule[what].as_str().unwrap_or_default();
    let direction = if said("direction").is_empty() { "both" } else { said("direction") };
    let more = ["formula", "values", "as", "only", "needed"]
        .into_iter()
        .filter(|what| !rule[*what].is_null())
        .collect::<Vec<_>>();
    let label = |what: &str| format!("{what}, rule {}", row + 1);
    html! {
        tr {
            td { input name={ "hub." (row) } value=(said("hub")) list="hub-fields" aria-label=(label("The hub’s field")) autocomplete="off" spellcheck="false"; @if !more.is_empty() { span.small { (more.join(", ")) } } }
            td { input name={ "remote." (row) } value=(said("remote")) list="crm-fields" aria-label=(label("The CRM’s field")) autocomplete="off" spellcheck="false"; }
            td { select name={ "direction." (row) } aria-label=(label("Goes")) { @for (name, title) in DIRECTIONS { option value=(name) selected[name == direction] { (title) } } } }
            td { input name={ "default." (row) } value=(said("default")) aria-label=(label("Where there is none")) autocomplete="off" disabled[!rule["default"].is_null() && !rule["default"].is_string()]; }
            td { @if !rule.is_null() { input type="checkbox" name={ "drop." (row) } value="true" aria-label=(label("Leave out")); } }
        }
    }
}

fn outcome(tried: &Tried) -> Markup {
    html! {
        section.card aria-labelledby="tried" {
            h2 id="tried" { "What would become of a record that there is" }
            @if !tried.faults.is_empty() { div.notice.bad { ul { @for fault in &tried.faults { li { (fault) } } } } }
            @if tried.sends.values().all(Option::is_none) { p.blank { "There is no record yet that has any of these fields." } }
            @else if !tried.included { p { "It is not this CRM’s business." } }
            ul.changes {
                @for (field, said) in tried.sends.iter().filter(|(_, said)| said.is_some()) { li { code { (field) } " " ins { (value(said.as_ref())) } } }
            }
            @for misfit in &tried.misfits { p.why { (misfit) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_form_cannot_say_of_a_rule_stays() {
        let mapping = json!({"object": "contacts", "rules": [
            {"hub": "email", "remote": "email", "direction": "both", "needed": true},
            {"hub": "stage", "remote": "dealstage", "values": {"won": "closedwon"}},
            {"hub": "city", "remote": "city"},
        ]});
        let form: Form = [
            ("hub.0", "email"),
            ("remote.0", "work_email"),
            ("direction.0", "to_crm"),
            ("drop.2", "true"),
            ("hub.3", "shoe_size"),
            ("remote.3", "shoe"),
            ("default.3", "44"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        assert_eq!(
            drafted(mapping, &form)["rules"],
            json!([
                {"hub": "email", "remote": "work_email", "direction": "to_crm", "needed": true},
                {"hub": "stage", "remote": "dealstage", "values": {"won": "closedwon"}},
                {"hub": "shoe_size", "remote": "shoe", "default": "44"},
            ])
        );
    }
}

//! Forms: each is a call of one route of the control API, under the same path, by whoever may make it.

use super::{desk::Desk, words::Notice};
use crate::control::{
    problem::{self, Problem},
    routes::ROUTES,
};
use http::Method;
use serde_json::{Map, Value as Json, json};
use std::time::Duration;

/// What a page of a list takes, and some more.
const STRETCH: Duration = Duration::from_secs(12);

/// What a form says.
pub type Form = Vec<(String, String)>;

/// The last word of a form under this name; nothing where it is blank.
pub fn said<'f>(form: &'f Form, name: &str) -> Option<&'f str> {
    form.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
}

/// The routes that have a form, and what of it they take.
const FORMS: &[(&str, &[Takes])] = &[
    ("sync", &[Takes::Several("records")]),
    ("pause", &[Takes::Text("reason")]),
    ("resume", &[]),
    ("release", &[]),
    ("stop", &[Takes::Text("reason")]),
    ("go", &[]),
    ("retry", &[]),
    ("retryAll", &[Takes::Text("code"), Takes::Text("connection")]),
    ("dismiss", &[]),
    ("takeBack", &[]),
    ("decide", &[Takes::Text("take"), Takes::One("exceptions")]),
    ("decideDeletions", &[Takes::Flag("meant")]),
    ("compare", &[Takes::Flag("mend")]),
    ("startImport", &[]),
    ("cancelImport", &[]),
    ("createExport", &[Takes::Text("object"), Takes::Text("format")]),
    ("erase", &[Takes::Flag("in_crms"), Takes::Flag("meant")]),
    (
        "undo",
        &[
            Takes::In("scope", "since"),
            Takes::In("scope", "until"),
            Takes::In("scope", "run"),
            Takes::In("scope", "source"),
            Takes::Text("record"),
            Takes::Flag("meant"),
            Takes::Flag("in_background"),
        ],
    ),
];

enum Takes {
    Text(&'static str),
    /// A list of one; left out, nothing is said of it.
    Several(&'static str),
    /// The same, which is never left out: that would mean all.
    One(&'static str),
    Flag(&'static str),
    /// A text that stands in something of this name.
    In(&'static str, &'static str),
}

/// Does what a form at this path says, and tells what came of it.
pub async fn act(desk: &Desk<'_>, path: &str, form: &Form) -> Result<Notice, Problem> {
    let path = format!("/v1{path}");
    let found = ROUTES.iter().filter(|route| route.method == Method::POST);
    let found = found.filter_map(|route| Some((route, route.matches(&path)?)));
    let (route, parts) = found
        .min_by_key(|(_, parts)| parts.len())
        .ok_or_else(|| Problem::new(problem::NO_ROUTE, "nothing is done under this path"))?;
    let (_, takes) = FORMS
        .iter()
        .find(|(name, _)| *name == route.name)
        .ok_or_else(|| Problem::new(problem::NO_ROUTE, "this is not done in the browser"))?;
    let (mut body, mut notice) =
        (body(takes, form), Notice { did: route.name.to_owned(), done: 0, left: 0, more: false });
    loop {
        let answer = desk.act(route, parts.clone(), &body).await?;
        let number = |names: &[&str]| names.iter().find_map(|name| answer[*name].as_u64());
        let records = answer["records"].as_array();
        let changed = |record: &&Json| {
            record["archived"] == true || ["fields", "sent"].iter().any(|what| record[*what][0].is_object())
        };
        let done = number(&["retried", "ended", "connections"])
            .or_else(|| records.map(|records| size(records.iter().filter(changed))));
        notice.done += done.unwrap_or_else(|| u64::from(answer["done"].as_bool().unwrap_or(true)));
        let stays = records.into_iter().flatten().filter_map(|record| record["left"].as_object());
        notice.left += number(&["left", "unseen"]).unwrap_or_else(|| size(stays.flatten()));
        // What is done a page at a time goes on while there is time for a page.
        match answer["next"].as_str() {
            Some(next) if desk.cx.left() > STRETCH => body["cursor"] = json!(next),
            next => return Ok(Notice { more: next.is_some(), ..notice }),
        }
    }
}

fn size<T>(of: impl Iterator<Item = T>) -> u64 {
    u64::try_from(of.count()).unwrap_or(u64::MAX)
}

fn body(takes: &[Takes], form: &Form) -> Json {
    let mut body = Map::new();
    for one in takes {
        let (name, value) = match one {
            Takes::Text(name) => (name, said(form, name).map(|text| json!(text))),
            Takes::Several(name) => (name, said(form, name).map(|text| json!([text]))),
            Takes::One(name) => (name, Some(json!([said(form, name).unwrap_or_default()]))),
            Takes::Flag(name) => (name, said(form, name).map(|text| json!(text == "true"))),
            Takes::In(outer, name) => {
                let mut inside = body.remove(*outer).unwrap_or_else(|| json!({}));
                if let (Some(text), Some(inside)) = (said(form, name), inside.as_object_mut()) {
                    inside.insert((*name).to_owned(), json!(text));
                }
                (outer, Some(inside))
            }
        };
        body.extend(value.map(|value| ((*name).to_owned(), value)));
    }
    Json::Object(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::desk::route;

    #[test]
    fn every_form_has_its_route() {
        for (name, _) in FORMS {
            assert!(route(name).is_ok_and(|route| route.method == Method::POST), "{name}");
        }
    }

    #[test]
    fn a_form_says_no_more_than_its_route_takes() {
        let form = vec![
            ("take".to_owned(), "ours".to_owned()),
            ("exceptions".to_owned(), "a".to_owned()),
            ("back".to_owned(), "/".to_owned()),
        ];
        let (_, takes) = FORMS.iter().find(|(name, _)| *name == "decide").unwrap();
        assert_eq!(body(takes, &form), json!({"take": "ours", "exceptions": ["a"]}));
        assert_eq!(body(takes, &Form::new()), json!({"exceptions": [""]}), "nothing is not all");
        assert_eq!(body(&[Takes::Text("reason")], &vec![("reason".to_owned(), " ".to_owned())]), json!({}));
    }
}

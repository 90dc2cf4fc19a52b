//! Files: what is imported and exported. A file goes from the browser to the bucket by itself: no function takes one as large as that.

use super::{
    act::{Form, said},
    connecting::OBJECTS,
    desk::{Desk, Listed},
    frame::{Page, Shown},
    import::{Import, stands},
    overview::Connection,
    words::{Tone, ago, many, pill, title},
};
use crate::{connection::State, export, files::Signed};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

#[derive(Debug, Deserialize)]
struct Export {
    id: String,
    object: String,
    format: String,
    state: export::State,
    reason: Option<String>,
    records: u64,
    at: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Upload {
    id: String,
    upload: Signed,
}

/// Which part of the imports is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    cursor: Option<String>,
}

pub async fn files(desk: &Desk<'_>, asked: Asked) -> Shown {
    let exports = async {
        if desk.may("exports") { desk.ask("exports", &[], &()).await } else { Ok(Listed::<Export>::default()) }
    };
    let from: Vec<_> = asked.cursor.iter().map(|cursor| ("cursor", cursor.as_str())).collect();
    let (imports, exports, connections) = futures::try_join!(
        desk.ask::<Listed<Import>>("imports", &[], &from),
        exports,
        desk.ask::<Listed<Connection>>("connections", &[], &()),
    )?;
    let body = html! {
        p.lead { "A file is counted first: you see what would become of each row, and nothing is written before you start it. Files and what became of them are kept for 30 days." }
        @if desk.may("createImport") { (form(desk, &connections.items)) }
        (imported(desk, &imports))
        @if desk.may("createExport") { (exported(desk, &exports.items)) }
    };
    Ok(Page { sends_to: Some(desk.app.files.origin().await?), ..Page::new("Files", body).live() })
}

fn form(desk: &Desk<'_>, connections: &[Connection]) -> Markup {
    let open = connections.iter().filter(|one| one.state != State::Closed);
    let inside = html! {
        label { "A file of yours, of at most 1 GB" input type="file" accept=".csv,.ndjson,.jsonl,text/csv" required; }
        label { "How it holds its rows" select name="format" { option value="csv" { "CSV, a row of headers first" } option value="ndjson" { "NDJSON, an object in every line" } } }
        label { "What its rows are" select name="object" { @for (object, title) in OBJECTS { option value=(object) selected[object == "person"] { (title) } } } }
        label { "Exported from" select name="connection" { option value="" { "none of the connected CRMs" } @for one in open { option value=(one.id) { (one.display_name) " (" (one.id) ")" } } } }
        details {
            summary { "Columns of other names" }
            label { "One a line: Header = field; without a field it is left out" textarea name="columns" rows="3" placeholder="Lead Status = lead_status" spellcheck="false" {} }
            label.check { input type="checkbox" name="keep" value="true"; " Keep all others under their own names" }
        }
        noscript { p.why { "Sending a file takes JavaScript. " code { "operator import" } " does without." } }
        progress value="0" max="1" aria-label="Sent" hidden {}
        p role="status" {}
        button.main type="submit" { "Send it, and count" }
    };
    html! {
        details.card.new {
            summary { "Import a file…" }
            form method="post" action=(desk.at("/imports")) data-file { (desk.proof()) (inside) }
        }
    }
}

fn imported(desk: &Desk<'_>, imports: &Listed<Import>) -> Markup {
    let now = desk.cx.now();
    html! {
        section aria-labelledby="imports" {
            h2 id="imports" { "Imports" }
            @if imports.items.is_empty() { div.empty { p { strong { "Nothing was imported yet." } } p { "A CRM's own export is taken as it is: its headers, dates and encoding are known." } } }
            @else {
                ul.rows { @for one in &imports.items { li.row {
                    div {
                        p.reason { a href=(desk.at(&format!("/imports/{}", one.id))) { (one.title()) } }
                        p.small { (title(&one.object)) ", " (ago(now, one.at)) @if let Some(counts) = one.latest() { ", " (many(counts.rows, "row")) } }
                    }
                    @let (tone, word) = stands(one.state);
                    (pill(tone, word))
                } } }
            }
            @if let Some(next) = &imports.next { p { a.action href={ (desk.at("/files")) "?cursor=" (next) } { "Earlier" } } }
        }
    }
}

fn exported(desk: &Desk<'_>, exports: &[Export]) -> Markup {
    let now = desk.cx.now();
    html! {
        section aria-labelledby="exports" {
            h2 id="exports" { "Exports" }
            @if !exports.is_empty() {
                ul.rows { @for one in exports { li.row {
                    div {
                        p.reason { (title(&one.object)) ", " (one.format.to_uppercase()) @if let Some(reason) = &one.reason { ": " (reason) } }
                        p.small { (many(one.records, "record")) ", " (ago(now, one.at)) }
                    }
                    @match one.state {
                        export::State::Done => a.action href=(desk.at(&format!("/exports/{}/file", one.id))) { "Save" },
                        export::State::Running => (pill(Tone::Busy, "being written")),
                        export::State::Cancelled => (pill(Tone::Idle, "cancelled")),
                        export::State::Failed => (pill(Tone::Bad, "failed")),
                    }
                } } }
            }
            (desk.form("/exports", &[], &html! {
                div.find {
                    label { "All" select name="object" { @for (object, title) in OBJECTS { option value=(object) selected[object == "person"] { (title) } } } }
                    label { "as" select name="format" { option value="csv" { "CSV" } option value="ndjson" { "NDJSON" } } }
                    button type="submit" { "Export" }
                }
            }))
        }
    }
}

/// Makes an import as the form says; the page tells where its file goes.
pub async fn import_file(desk: &Desk<'_>, form: &Form) -> Shown {
    let Upload { id, upload } = desk.call_of("createImport", &asked(form)).await?;
    let headers = serde_json::to_string(&upload.headers).unwrap_or_default();
    let body = html! {
        p { "Its file is expected. " a href=(desk.at(&format!("/imports/{id}"))) data-put=(upload.url) data-headers=(headers) { "To the import" } }
    };
    Ok(Page::new("A file is on its way", body))
}

fn asked(form: &Form) -> Json {
    let mut asked = Map::new();
    let texts = ["name", "format", "object", "connection"].into_iter();
    asked.extend(texts.filter_map(|name| Some((name.to_owned(), json!(said(form, name)?)))));
    // A form without a script says no size: the route refuses that.
    let bytes = said(form, "bytes").and_then(|bytes| bytes.parse::<u64>().ok()).unwrap_or_default();
    asked.insert("bytes".to_owned(), json!(bytes));
    asked.insert("keep".to_owned(), json!(said(form, "keep").is_some()));
    asked.insert("columns".to_owned(), columns(said(form, "columns").unwrap_or_default()));
    Json::Object(asked)
}

/// `Header = field` a line. A header may hold the sign, a field never does.
fn columns(text: &str) -> Json {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let pairs = lines.map(|line| {
        let (header, field) = line.rsplit_once('=').unwrap_or((line, ""));
        (
            header.trim().to_owned(),
            Some(field.trim()).filter(|field| !field.is_empty()).map_or(Json::Null, |field| json!(field)),
        )
    });
    Json::Object(pairs.collect())
}

/// A file that somebody saves: they are sent on to where it lies.
pub async fn saved(desk: &Desk<'_>, route: &str, places: &[(&'static str, &str)]) -> Shown {
    let signed: Signed = desk.ask(route, places, &()).await?;
    Ok(Page { to: Some(signed.url), ..Page::new("", html! {}) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_told_line_by_line() {
        let told = columns("Lead Status = lead_status\r\n\n A = B = c \nNothing\nEmpty =");
        assert_eq!(told, json!({"Lead Status": "lead_status", "A = B": "c", "Nothing": null, "Empty": null}));
        assert_eq!(columns(""), json!({}));
    }
}

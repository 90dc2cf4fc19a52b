//! Connecting a CRM: an admin makes a link, and whoever opens it lets us in.

use super::{
    act::{Form, said},
    desk::Desk,
    frame::{Page, Shown},
    overview::Connection,
};
use crate::{connection::State, provider::Crm};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value as Json, json};

#[derive(Debug, Deserialize)]
struct Link {
    url: String,
}

pub const OBJECTS: [(&str, &str); 3] = [("person", "People"), ("company", "Companies"), ("deal", "Deals")];

/// What an admin may connect.
pub fn offers(desk: &Desk<'_>, connections: &[Connection]) -> Markup {
    let is_there = |crm: &Crm| connections.iter().any(|one| one.crm == crm.name() && one.state != State::Closed);
    html! {
        @if desk.may("link") {
            section.offers aria-labelledby="offers" {
                h2 id="offers" { "Connect a CRM" }
                ul.cards {
                    @for crm in Crm::ALL { li.card {
                        details {
                            summary { (if is_there(&crm) { "Another account of " } else { "" }) (crm.title()) }
                            (ask(desk, crm, &format!("{}-{crm}", desk.tenant)))
                        }
                    } }
                }
            }
        }
    }
}

fn ask(desk: &Desk<'_>, crm: Crm, name: &str) -> Markup {
    desk.form("/links", &[("crm", crm.name())], &html! {
        label { "What the connection is called, for good" input name="connection" value=(name) required maxlength="64" autocomplete="off" spellcheck="false"; }
        label { "Country of phone numbers that name none" input name="region" placeholder="US" maxlength="2" autocomplete="off"; }
        fieldset {
            legend { "Keep in step" }
            @for (object, title) in OBJECTS { label.check { input type="checkbox" name="objects" value=(object) checked[object == "person"]; " " (title) } }
        }
        button.main type="submit" { "Make the link" }
    })
}

/// For a connection whose grant is dead.
pub fn again(desk: &Desk<'_>, connection: &Connection) -> Markup {
    let mut fields = vec![("crm", connection.crm.as_str()), ("connection", connection.id.as_str())];
    fields.extend(connection.objects.iter().map(|object| ("objects", object.as_str())));
    html! { @if desk.may("link") { (desk.button("Connect again", "/links", &fields, "main")) } }
}

/// The link, to be opened here or handed to whoever may log in there. It is in no address of ours, and shown once.
pub async fn linked(desk: &Desk<'_>, form: &Form) -> Shown {
    let objects: Vec<&str> =
        form.iter().filter(|(name, _)| name == "objects").map(|(_, object)| object.as_str()).collect();
    let mut asked = json!({"crm": said(form, "crm"), "connection": said(form, "connection"), "objects": objects});
    if let (Some(region), Json::Object(asked)) = (said(form, "region"), &mut asked) {
        asked.insert("region".to_owned(), json!(region));
    }
    let Link { url } = desk.call_of("link", &asked).await?;
    let body = html! {
        p.lead { "Whoever opens this link within a quarter of an hour, and may log in to the CRM, connects the account. It works once." }
        p { a.action.main #connect href=(url) rel="noreferrer" { "Open it here" } }
        label { "Or hand it to somebody else" input readonly value=(url); }
        p.next { a href=(desk.at("")) { "Back to the overview" } }
    };
    Ok(Page::new("The link is made", body))
}

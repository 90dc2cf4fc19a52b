//! Outbound messages (Salesforce docs: SOAP API, Outbound Messaging).
//!
//! They are not signed. What proves one is a token of ours in the URL that an admin enters for the message, and the org
//! that it must be from.

use crate::{
    change::{Hinted, Tells},
    id::{AccountId, RemoteId},
    provider::{
        Delivery, Forged, Hint, Secret, Unreadable, Verified,
        signature::{Ack, proved},
    },
    record::Value,
};
use jiff::Timestamp;
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

/// What Salesforce takes for success: anything else is sent again for a day, whatever the status.
pub(super) const ACK: Ack = Ack {
    content_type: "text/xml; charset=utf-8",
    body: concat!(
        r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>"#,
        r#"<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>"#,
        "</soapenv:Body></soapenv:Envelope>"
    ),
};

/// There is no API for them (Salesforce help: Define an Outbound Message; record-triggered flows).
pub(super) fn clicks(url: &str, token: &Secret) -> String {
    format!(
        "So that changes are told at once: in Setup open Outbound Messages and make one for Lead and one for Contact, and for \
         Account, Opportunity and Task as far as they are kept in step, each with the fields Id, SystemModstamp and LastModifiedById and the endpoint URL {url}?token={}. Then open Flows and make a \
         record-triggered flow for each object, for records that are created or updated, which sends its message.",
        token.reveal()
    )
}

/// The token is the URL's `token`.
pub(super) fn verify<'d>(delivery: &'d Delivery, secrets: &[Secret]) -> Result<Verified<'d>, Forged> {
    let query = delivery.url.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let mut tokens = query.split('&').filter_map(|pair| pair.strip_prefix("token="));
    let (Some(token), None) = (tokens.next(), tokens.next()) else { return Err(Forged::Missing) };
    let in_force = secrets.iter().map(Secret::reveal).filter(|secret| !secret.is_empty());
    let expected: Vec<Vec<u8>> = in_force.map(|secret| secret.as_bytes().to_vec()).collect();
    proved(delivery, token.as_bytes(), &expected)
}

/// The records of a message. What it says of their fields is how they were when it was sent, without what is blank: it is
/// believed only as far as to know the echo of our own write, and only where it says how old it is, and whose.
pub(super) fn hints(delivery: &Verified<'_>) -> Result<Vec<Hint>, Unreadable> {
    let unreadable = |_| Unreadable("an outbound message that is no XML");
    let mut reader = Reader::from_reader(delivery.body());
    let (mut org, mut told, mut path) = (None, Vec::<Told>::new(), Vec::<String>::new());
    loop {
        match reader.read_event().map_err(unreadable)? {
            // Nothing of a document type is ever resolved, and a genuine message has none.
            Event::DocType(_) => return Err(Unreadable("an outbound message with a document type")),
            Event::Start(tag) => {
                path.push(local(&tag));
                if is(&path, &["sObject", "Notification"]) {
                    told.push(Told { filed: type_of(&tag), fields: Vec::new() });
                }
                if is(&path[..path.len() - 1], &["sObject", "Notification"]) {
                    told.last_mut().into_iter().for_each(|one| one.fields.push((local(&tag), String::new())));
                }
            }
            Event::End(_) => drop(path.pop()),
            event @ (Event::Text(_) | Event::GeneralRef(_)) => {
                let text = plain(&event);
                if is(&path, &["OrganizationId", "notifications"]) {
                    org = text.trim().parse::<AccountId>().ok();
                } else if path.len() > 1 && is(&path[..path.len() - 1], &["sObject", "Notification"]) {
                    let field = told.last_mut().and_then(|one| one.fields.last_mut());
                    field.into_iter().for_each(|(_, value)| value.push_str(&text));
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let Some(account) = org else { return Err(Unreadable("an outbound message of no org")) };
    let hint = |one: Told| {
        let (account, filed) = (Some(account.clone()), one.filed.clone());
        Some(Hint { account, by: one.text(BY).map(str::to_owned), filed, of: one.hinted()? })
    };
    Ok(told.into_iter().filter_map(hint).collect())
}

/// What a message tells of one record.
struct Told {
    /// The type of its `sObject`, without the name space.
    filed: String,
    fields: Vec<(String, String)>,
}

/// Who changed the record last.
const BY: &str = "LastModifiedById";

impl Told {
    fn text(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.trim())
    }

    fn hinted(self) -> Option<Hinted> {
        let remote: RemoteId = self.text("Id")?.parse().ok()?;
        super::records::is_id(remote.as_str()).then_some(())?;
        let as_of: Option<Timestamp> =
            self.text("SystemModstamp").and_then(|at| at.parse().ok()).filter(|_| self.text(BY).is_some());
        let fields = self.fields.iter().filter_map(|(field, value)| Some((field, Value::text(value)?)));
        let tells = Tells(fields.flat_map(|(field, value)| Tells::field(field, Some(&value)).0).collect());
        Some(Hinted { as_of, ..Hinted::telling(remote, as_of.map(|_| tells)) })
    }
}

/// Whether a path of elements ends so, the innermost first.
fn is(path: &[String], inner: &[&str]) -> bool {
    path.len() >= inner.len() && path.iter().rev().zip(inner).all(|(element, name)| element == name)
}

/// Text as it was before it was escaped.
fn plain(event: &Event<'_>) -> String {
    match event {
        Event::GeneralRef(named) => match named.resolve_char_ref() {
            Ok(Some(character)) => character.to_string(),
            _ => quick_xml::escape::resolve_predefined_entity(named).unwrap_or_default().to_owned(),
        },
        Event::Text(text) => (**text).to_owned(),
        _ => String::new(),
    }
}

/// `xsi:type="sf:Lead"` is a `Lead`.
fn type_of(tag: &BytesStart<'_>) -> String {
    let is_type = |name: &str| name.rsplit(':').next() == Some("type");
    let mut attributes = tag.attributes().flatten();
    let of = attributes.find(|attribute| is_type(attribute.key.as_ref()));
    let name = of.map(|of| of.value.into_owned()).unwrap_or_default();
    name.rsplit(':').next().unwrap_or_default().to_owned()
}

fn local(tag: &BytesStart<'_>) -> String {
    tag.name().local_name().into_inner().to_owned()
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;

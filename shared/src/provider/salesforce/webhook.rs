//! Outbound messages (Salesforce docs: SOAP API, Outbound Messaging).
//!
//! They are not signed. What proves one is a token of ours in the URL that an admin enters for the message, and the org
//! that it must be from.

use crate::{
    change::Hinted,
    id::{AccountId, RemoteId},
    provider::{
        Delivery, Forged, Hint, Secret, Unreadable, Verified,
        signature::{Ack, proved},
    },
};
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

/// The token is the URL's `token`.
pub(super) fn verify<'d>(delivery: &'d Delivery, secrets: &[Secret]) -> Result<Verified<'d>, Forged> {
    let query = delivery.url.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let mut tokens = query.split('&').filter_map(|pair| pair.strip_prefix("token="));
    let (Some(token), None) = (tokens.next(), tokens.next()) else { return Err(Forged::Missing) };
    let in_force = secrets.iter().map(Secret::reveal).filter(|secret| !secret.is_empty());
    let expected: Vec<Vec<u8>> = in_force.map(|secret| secret.as_bytes().to_vec()).collect();
    proved(delivery, token.as_bytes(), &expected)
}

/// The ids of a message's records. What it says of their fields is how they were when it was sent, without what is
/// blank: nothing to go by.
pub(super) fn hints(delivery: &Verified<'_>) -> Result<Vec<Hint>, Unreadable> {
    let unreadable = |_| Unreadable("an outbound message that is no XML");
    let mut reader = Reader::from_reader(delivery.body());
    reader.config_mut().trim_text(true);
    let (mut org, mut remotes, mut path) = (None, Vec::new(), Vec::<String>::new());
    loop {
        match reader.read_event().map_err(unreadable)? {
            // Nothing of a document type is ever resolved, and a genuine message has none.
            Event::DocType(_) => return Err(Unreadable("an outbound message with a document type")),
            Event::Start(tag) => path.push(local(&tag)),
            Event::End(_) => drop(path.pop()),
            Event::Text(text) => match path.iter().rev().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["OrganizationId", "notifications", ..] => org = text.trim().parse::<AccountId>().ok(),
                ["Id", "sObject", "Notification", ..] => remotes.extend(text.trim().parse::<RemoteId>().ok()),
                _ => {}
            },
            Event::Eof => break,
            _ => {}
        }
    }
    let Some(account) = org else { return Err(Unreadable("an outbound message of no org")) };
    let hint = |remote| Hint { account: Some(account.clone()), of: Hinted::plain(remote) };
    Ok(remotes.into_iter().filter(|id| super::records::object_of(id.as_str()).is_some()).map(hint).collect())
}

fn local(tag: &BytesStart<'_>) -> String {
    tag.name().local_name().into_inner().to_owned()
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;

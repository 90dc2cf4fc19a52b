//! Outbound messages (Salesforce docs: SOAP API, outbound messaging): what a record is, never what changed.

use super::Desk;
use super::fields::Kind;
use super::ids;
use super::show::{second, value};
use crate::calls::Crm;
use crate::webhooks::Item;
use jiff::Timestamp;
use serde_json::Value;

const NAMESPACE: &str = "http://soap.sforce.com/2005/09/outbound";
/// What a message carries beside the id, if nobody says otherwise.
const FIELDS: [&str; 3] = ["Email", "LastName", "SystemModstamp"];

impl Desk<'_> {
    /// Puts a message into the outbox; there is none about deletes.
    pub fn tell(&mut self, object: &str, id: u64) {
        self.relay_saved(object, id);
        let Some(url) = self.org.webhook_url.clone() else { return };
        let notification = ids::seal("04l", self.rng.below(62u64.pow(10)));
        let xml = self.message(object, id, &notification);
        let item = Item::post(Crm::Salesforce, url, None, vec![Value::String(xml)]);
        self.outbox.emit(&item, &self.faults.webhooks, self.rng);
    }

    fn message(&self, object: &str, id: u64, notification: &str) -> String {
        let org = &self.org.id;
        let short = org.get(..15).unwrap_or(org);
        let host = "https://sim.my.salesforce.com/services/Soap";
        let action = ids::seal("04k", object.len() as u64);
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><notifications xmlns="{NAMESPACE}"><OrganizationId>{org}</OrganizationId><ActionId>{action}</ActionId><SessionId xsi:nil="true"/><EnterpriseUrl>{host}/c/67.0/{short}</EnterpriseUrl><PartnerUrl>{host}/u/67.0/{short}</PartnerUrl><Notification><Id>{notification}</Id><sObject xsi:type="sf:{object}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">{}</sObject></Notification></notifications></soapenv:Body></soapenv:Envelope>"#,
            self.elements(object, id)
        )
    }

    /// The id and the fields that have a value.
    fn elements(&self, object: &str, id: u64) -> String {
        let mut xml = format!("<sf:Id>{}</sf:Id>", ids::text(object, id));
        let Some(record) = self.org.objects.get(object).and_then(|table| table.records.get(&id)) else { return xml };
        let listed = self.org.message_fields.iter().flatten().map(String::as_str);
        let names: Vec<&str> = if self.org.message_fields.is_some() { listed.collect() } else { FIELDS.to_vec() };
        for field in names.iter().filter_map(|name| self.org.field(object, name)).filter(|f| f.name != "Id") {
            let text = match (field.kind, value(object, record, field)) {
                (_, Value::Null) => continue,
                (Kind::Datetime, _) if field.name == "CreatedDate" => time(record.created),
                (Kind::Datetime, _) => time(record.modified),
                (_, Value::String(text)) => text,
                (_, other) => other.to_string(),
            };
            xml.push_str(&format!("<sf:{0}>{1}</sf:{0}>", field.name, escape(&text)));
        }
        xml
    }
}

/// `2026-11-21T09:00:00.000Z`, as SOAP spells a time.
fn time(ms: i64) -> String {
    let t = Timestamp::from_millisecond(second(ms)).unwrap_or(Timestamp::UNIX_EPOCH);
    t.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

fn escape(text: &str) -> String {
    let escapes = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&apos;")];
    escapes.iter().fold(text.to_owned(), |text, (plain, escape)| text.replace(*plain, escape))
}

/// Whether an answer is the exact acknowledgement: any other body is a failure, even with HTTP 200.
pub fn acknowledges(body: &str) -> bool {
    let response = element(body, "Envelope")
        .and_then(|e| element(e.1, "Body"))
        .and_then(|b| element(b.1, "notificationsResponse"));
    let ours = body.contains(NAMESPACE);
    ours && response.and_then(|r| element(r.1, "Ack")).is_some_and(|ack| ack.1.trim() == "true")
}

/// The attributes and the content of the first element with this local name.
fn element<'a>(xml: &'a str, local: &str) -> Option<(&'a str, &'a str)> {
    for (at, _) in xml.match_indices('<') {
        let tag = &xml[at + 1..];
        let length = tag.find(|c: char| c.is_whitespace() || c == '>' || c == '/')?;
        let (name, rest) = tag.split_at(length);
        if name.rsplit(':').next() != Some(local) {
            continue;
        }
        let (attributes, rest) = rest.split_once('>')?;
        let content = rest.split_once(&format!("</{name}>"))?.0;
        return Some((attributes, content));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::acknowledges;

    fn check(ack: &str, expected: bool) {
        let xml = format!(
            r#"<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound">{ack}</notificationsResponse></soapenv:Body></soapenv:Envelope>"#
        );
        assert_eq!(acknowledges(&xml), expected, "{ack}");
    }

    #[test]
    fn only_the_exact_word_acknowledges() {
        check("<Ack>true</Ack>", true);
        check("<Ack> true </Ack>", true);
        check("<Ack>false</Ack>", false);
        check("<Ack/>", false);
        assert!(!acknowledges(""));
        assert!(!acknowledges("<Ack>true</Ack>"));
        assert!(!acknowledges(r#"{"Ack": true}"#));
    }
}

//! One record as the product reads it: to greet somebody by name, or to decide what they are shown.

use crate::{
    app::App,
    error::Result,
    id::{ConnectionId, RecordId, RemoteId, TenantId},
    provider::Crm,
    record::{Email, FieldName, Key, Object, Phone, Record, Region, Value},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of somebody, or of a company, a deal, ….
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Profile {
    pub record_id: RecordId,
    pub object: Object,
    /// The product's own id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<Value>,
    /// The hub's fields that have a value: score and totals too, as far as events told of any.
    pub fields: BTreeMap<FieldName, Value>,
    /// Where it is, by connection.
    pub crms: BTreeMap<ConnectionId, RemoteId>,
    pub engagement: Engaged,
    /// They want no e-mails. Of whom nothing was said, nothing is known either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_opted_out: Option<bool>,
}

/// What a person's events come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Engaged {
    pub events: u64,
    /// The sum of what they scored; the field `lead_score` may be the product's own.
    pub score: i64,
    pub totals: BTreeMap<String, i64>,
    /// When the last of them happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_event: Option<Timestamp>,
}

/// By what a record is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    Record(RecordId),
    /// Keys of which one at most is anybody's: a CRM's id may be spelt in two ways.
    By(Vec<Key>),
}

impl Known {
    /// `email`, `phone`, `id` (the product's own), `record` (ours), or a connection's name with `_id`, such as `hubspot_id` and
    /// `hubspot_contact_id`, for the CRM's. `None` where that is no such value.
    pub fn read(object: &Object, field: &str, value: &str, region: &Region) -> Option<Known> {
        let value = value.trim();
        let key = match field {
            "record" => return value.parse().ok().map(Known::Record),
            "id" => (1..=512).contains(&value.len()).then(|| Key::Own(value.to_owned())),
            "email" => Email::parse(value).map(Key::Email),
            "phone" => Phone::parse(value, region).map(Key::Phone),
            _ => return remote(object, field, value),
        };
        key.map(|key| Known::By(vec![key]))
    }
}

/// The connection need not be asked for: its name is in the field, and its CRM's way of writing ids is one of few.
fn remote(object: &Object, field: &str, value: &str) -> Option<Known> {
    let name = field.strip_suffix("_id")?;
    let kinds = object.names();
    let of_kind = kinds.iter().filter_map(|kind| name.strip_suffix(kind)?.strip_suffix('_'));
    let connections = [name].into_iter().chain(of_kind).filter_map(|name| name.parse::<ConnectionId>().ok());
    let spelt: BTreeSet<RemoteId> = Crm::ALL.into_iter().filter_map(|crm| crm.remote_id(value)).collect();
    let keys = connections.flat_map(|id| spelt.iter().map(move |remote| Key::Remote(id.clone(), remote.clone())));
    Some(Known::By(keys.collect())).filter(|_| !spelt.is_empty())
}

impl Profile {
    pub fn of(record: &Record) -> Profile {
        let fields = record.fields.iter().filter_map(|(name, written)| Some((name.clone(), written.value.clone()?)));
        let fields: BTreeMap<FieldName, Value> = fields.collect();
        let linked = record.links.iter().filter(|(_, link)| link.gone.is_none());
        let engagement = record.engagement.clone();
        Profile {
            record_id: record.id.clone(),
            object: record.object.clone(),
            product_id: fields.get("id").cloned(),
            email_opted_out: fields.get("email_opted_out").map(|said| *said == Value::Flag(true)),
            fields,
            crms: linked.filter_map(|(id, link)| Some((id.clone(), link.remote.clone()?))).collect(),
            engagement: Engaged {
                events: engagement.events,
                score: engagement.score,
                totals: engagement.totals,
                last_event: engagement.last,
            },
        }
    }
}

impl App {
    /// A record by one of its keys, in two reads, or by our own id, in one; one more where it became one with another since. `None` of what is
    /// nobody's, or several people's.
    pub async fn profile(&self, tenant: &TenantId, object: &Object, known: &Known) -> Result<Option<Profile>> {
        let id = match known {
            Known::Record(id) => id.clone(),
            Known::By(keys) => {
                let holders = self.store.holders(tenant, object, keys).await?;
                let mut ids: BTreeSet<RecordId> = holders.into_values().flatten().collect();
                match (ids.pop_first(), ids.is_empty()) {
                    (Some(id), true) => id,
                    _ => return Ok(None),
                }
            }
        };
        let record = self.store.record(tenant, &id).await?;
        let record = match record.as_ref().and_then(|record| record.merged_into.as_ref()) {
            Some(survivor) => self.store.record(tenant, survivor).await?,
            None => record,
        };
        let is_one = |record: &Record| record.object == *object && record.deleted.is_none();
        Ok(record.filter(is_one).map(|record| Profile::of(&record)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Known, Object, Region};

    fn read(field: &str, value: &str) -> Option<Known> {
        Known::read(&Object::Person, field, value, &Region::default())
    }

    #[test]
    fn a_person_is_asked_for_by_whatever_they_are_known_by() {
        let own = Known::By(vec![Key::Own("lead-7".to_owned())]);
        assert_eq!(read("id", " lead-7 "), Some(own));
        assert_eq!(read("phone", "(415) 555-0100"), read("phone", "+14155550100"));
        assert_eq!(read("email", "ADA@example.com"), read("email", "ada@example.com"));
        for (field, value) in
            [("id", ""), ("email", "ada"), ("phone", "x"), ("record", "#"), ("name", "Ada"), ("hubspot_id", "a b")]
        {
            assert_eq!(read(field, value), None, "{field}");
        }
    }

    #[test]
    fn a_crms_own_id_is_known_under_the_connections_name_and_in_every_spelling() {
        let by = |field, value| match read(field, value) {
            Some(Known::By(keys)) => keys.iter().map(|key| format!("{key:?}")).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(by("eu-hubspot_id", "501").len(), 1);
        let named = by("hubspot_contact_id", "501");
        assert!(named.len() == 2 && named.iter().any(|key| key.contains("\"hubspot\"")), "{named:?}");
        assert_eq!(by("salesforce_id", "00Qxx0000004TmiEAE"), by("salesforce_id", "00Qxx0000004Tmi"));
    }
}

//! A person ends a conflict.

use super::pending::wanted;
use crate::{
    id::ConnectionId,
    mapping::Mapping,
    mutant,
    record::{Agreed, FieldName, Fields, Link, RemoteField, Value, Written, WrongKind},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which side of a conflict is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// What the hub says; it is pushed.
    Ours,
    /// What the CRM shows.
    Theirs,
}

/// A parked field that a person has decided about, with what the CRM shows of it now.
#[expect(clippy::too_many_arguments, reason = "a conflict with both its sides")]
pub fn resolve(
    hub: &Fields,
    link: &Link,
    field: &RemoteField,
    shown: Option<&Value>,
    take: Take,
    connection: &ConnectionId,
    mapping: &Mapping,
    now: Timestamp,
) -> Result<(Fields, Link), WrongKind> {
    let (mut hub, mut next) = (hub.clone(), link.clone());
    let rule = mapping.inbound(field);
    let (theirs, misfit) = match (shown, rule) {
        (Some(value), Some(rule)) => rule.heard(value, &hub, &mapping.region),
        (shown, _) => (shown.cloned(), None),
    };
    let taken = match take {
        // As if we had wanted what they show: ours, being another, is pushed.
        Take::Ours => theirs.as_ref().or(shown).cloned(),
        Take::Theirs => {
            next.overrides.remove(field);
            if let Some(misfit) = misfit {
                return Err(misfit);
            }
            if let Some(rule) = rule {
                hub.write(&rule.hub, Written::new(theirs, now, &connection.into()))?;
            }
            wanted(&hub, &next, mapping).remove(field).flatten()
        }
    };
    if !mutant::lives("what_is_decided_waits_on") {
        next.parked.remove(field);
    }
    next.agreed.insert(field.clone(), Agreed::new(taken.as_ref(), shown));
    next.rev += 1;
    Ok((hub, next))
}

/// What a decision took and what it set aside, in the hub's own terms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    pub take: Take,
    pub hub: FieldName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Written>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Value>,
}

impl Decided {
    /// What a decision about a field is about to be; `None` where the hub hears nothing of that field, so that nothing is set aside.
    pub fn of(hub: &Fields, field: &str, shown: Option<&Value>, take: Take, mapping: &Mapping) -> Option<Decided> {
        let rule = mapping.inbound(field)?;
        let theirs = shown.and_then(|shown| rule.heard(shown, hub, &mapping.region).0);
        Some(Decided { take, hub: rule.hub.clone(), ours: hub.said(&rule.hub), theirs })
    }

    /// Takes the other side after all: the fields, and the decision as it is now. `None` where somebody has written the field since.
    pub fn taken_back(
        &self,
        hub: &Fields,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> Option<Result<(Fields, Decided), WrongKind>> {
        let ours = self.ours.as_ref().and_then(|ours| ours.value.clone());
        let (stands, take) = match self.take {
            Take::Ours => (&ours, Take::Theirs),
            Take::Theirs => (&self.theirs, Take::Ours),
        };
        if hub.told(&self.hub).flatten() != *stands {
            return None;
        }
        let other = match (take, &self.ours) {
            (Take::Ours, Some(ours)) => Written { at: now, after: None, ..ours.clone() },
            (Take::Ours, None) => Written::new(None, now, &connection.into()),
            (Take::Theirs, _) => Written::new(self.theirs.clone(), now, &connection.into()),
        };
        let mut fields = hub.clone();
        Some(fields.write(&self.hub, other).map(|_| (fields, Decided { take, ..self.clone() })))
    }
}

//! A person ends a conflict.

use super::pending::wanted;
use crate::{
    id::ConnectionId,
    mapping::Mapping,
    record::{Agreed, Fields, Link, RemoteField, Value, Written, WrongKind},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which side of a conflict is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    let theirs = shown.and_then(|value| rule.map_or(Some(value.clone()), |rule| rule.invert(value, &mapping.region)));
    let taken = match take {
        // As if we had wanted what they show: ours, being another, is pushed.
        Take::Ours => theirs.as_ref().or(shown).cloned(),
        Take::Theirs => {
            next.overrides.remove(field);
            if let Some(rule) = rule {
                hub.write(&rule.hub, Written::new(theirs, now, &connection.into()))?;
            }
            wanted(&hub, &next, mapping).remove(field).flatten()
        }
    };
    if !cfg!(feature = "mutant_what_is_decided_waits_on") {
        next.parked.remove(field);
    }
    next.agreed.insert(field.clone(), Agreed::new(taken.as_ref(), shown));
    next.rev += 1;
    Ok((hub, next))
}

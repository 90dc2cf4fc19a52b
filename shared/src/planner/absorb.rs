//! Remote → hub: what a look brings in.

use super::{Policy, Seen, Verdict, pending::wanted, policy::Conflict};
use crate::{
    cause::{Overruled, Side},
    id::{ConnectionId, Source},
    mapping::{Mapping, Rule},
    record::{Agreed, Fields, Flips, Link, RemoteField, Value, WrongKind},
};
use jiff::{SignedDuration, Timestamp};

/// What a look did.
#[derive(Clone, Debug, PartialEq)]
pub struct Absorbed {
    pub hub: Fields,
    pub link: Link,
    /// Values that lost, to be kept in the audit.
    pub overruled: Vec<Overruled>,
    /// Fields that now wait for a person.
    pub parked: Vec<Parked>,
    /// Values of a kind that the hub's field does not hold; they stay where they are.
    pub misfits: Vec<WrongKind>,
}

/// A conflict that a person decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Parked {
    pub field: RemoteField,
    pub base: Option<Value>,
    pub ours: Option<Value>,
    pub theirs: Option<Value>,
}

/// Folds what a CRM shows now into the hub. Only fresh looks may come here: see [`super::freshness`].
pub fn absorb(hub: &Fields, link: &Link, seen: &Seen, connection: &ConnectionId, mapping: &Mapping, policy: &Policy) -> Absorbed {
    let (overruled, parked, misfits) = (Vec::new(), Vec::new(), Vec::new());
    let mut done = Absorbed { hub: hub.clone(), link: link.clone(), overruled, parked, misfits };
    let look = Look { at: (link.modified, seen.modified), connection, source: connection.into(), mapping, policy };
    for (field, shown) in &seen.fields {
        let agreed = link.agreed.get(field).cloned().unwrap_or_default();
        if *field != mapping.id_field && !agreed.theirs_is(shown.as_ref()) {
            look.field(&mut done, field, shown.as_ref(), &agreed);
        }
    }
    done.link.modified = seen.modified.max(link.modified);
    if done.link != *link {
        done.link.rev += 1;
    }
    done
}

struct Look<'a> {
    at: (Option<Timestamp>, Option<Timestamp>),
    connection: &'a ConnectionId,
    source: Source,
    mapping: &'a Mapping,
    policy: &'a Policy,
}

impl Look<'_> {
    /// One field that is shown otherwise than agreed.
    fn field(&self, done: &mut Absorbed, field: &RemoteField, shown: Option<&Value>, agreed: &Agreed) {
        let ours = wanted(&done.hub, &done.link, self.mapping).remove(field).flatten();
        let ours_changed = !agreed.ours_is(ours.as_ref());
        let Some(rule) = self.mapping.inbound(field) else {
            return leave(done, field, shown, agreed, ours.as_ref(), ours_changed);
        };
        let theirs = shown.and_then(|value| rule.invert(value, &self.mapping.region));
        let kept = theirs.is_none() && !rule.clears && !cfg!(feature = "mutant_blank_clears");
        if kept {
            return leave(done, field, shown, agreed, ours.as_ref(), ours_changed);
        }
        if theirs.as_ref() == done.hub.get(&rule.hub) && !done.link.overrides.contains_key(field) {
            return agree(done, field, ours.as_ref(), shown);
        }
        let flips = self.flips(agreed, shown);
        let verdict = match (&flips, ours_changed, done.hub.written(&rule.hub)) {
            (Some(f), ..) if f.count > MOST_FLIPS => Verdict::Park,
            (_, true, Some(written)) => self.policy.judge(&Conflict {
                ours: written,
                theirs: theirs.as_ref(),
                theirs_source: &self.source,
                after: self.at.0,
                until: self.at.1,
            }),
            _ => Verdict::Take,
        };
        self.apply(done, verdict, rule, Facts { field, shown, theirs, ours, ours_changed, agreed });
        if let (Some(agreed), Some(flips)) = (done.link.agreed.get_mut(field), flips) {
            agreed.flips = Some(flips);
        }
    }

    fn apply(&self, done: &mut Absorbed, verdict: Verdict, rule: &Rule, facts: Facts<'_>) {
        let Facts { field, shown, theirs, ours, ours_changed, agreed } = facts;
        let lost = |loser, value| Overruled { connection: self.connection.clone(), field: field.clone(), loser, value };
        match verdict {
            Verdict::Take => {
                let at = self.at.1.unwrap_or(Timestamp::UNIX_EPOCH);
                if let Err(misfit) = done.hub.put(&rule.hub, theirs, at, &self.source) {
                    done.misfits.push(misfit);
                    return leave(done, field, shown, agreed, ours.as_ref(), ours_changed);
                }
                done.link.overrides.remove(field);
                let now = wanted(&done.hub, &done.link, self.mapping).remove(field).flatten();
                let rendered = if rule.direction.sends() { now } else { None };
                agree(done, field, rendered.as_ref(), shown);
                if ours_changed && ours.is_some() {
                    done.overruled.push(lost(Side::Hub, ours));
                }
            }
            Verdict::Restore => {
                // Ours stays wanted: what is agreed becomes theirs, which is not what we want.
                agree(done, field, theirs.as_ref().or(shown), shown);
                done.overruled.push(lost(Side::Remote, theirs));
            }
            Verdict::Leave => leave(done, field, shown, agreed, ours.as_ref(), ours_changed),
            Verdict::Park => {
                done.link.parked.insert(field.clone());
                done.parked.push(Parked { field: field.clone(), base: agreed.ours.clone(), ours: ours.clone(), theirs });
                leave(done, field, shown, agreed, ours.as_ref(), ours_changed);
            }
        }
    }

    /// Counts a return to what the CRM showed before our last write; four in an hour are borne.
    fn flips(&self, agreed: &Agreed, shown: Option<&Value>) -> Option<Flips> {
        let flips = agreed.flips.as_ref()?;
        let now = self.at.1?;
        let returned = Agreed::new(None, shown).theirs == flips.before;
        let same_hour = now.duration_since(flips.since) <= SignedDuration::from_hours(1);
        Some(match (returned, same_hour) {
            (true, true) => Flips { count: flips.count + 1, ..flips.clone() },
            (true, false) => Flips { count: 1, since: now, ..flips.clone() },
            (false, _) => flips.clone(),
        })
    }
}

/// A field that returns more often than this in an hour is fought over by two machines.
const MOST_FLIPS: u32 = 4;

struct Facts<'a> {
    field: &'a RemoteField,
    shown: Option<&'a Value>,
    theirs: Option<Value>,
    ours: Option<Value>,
    ours_changed: bool,
    agreed: &'a Agreed,
}

/// Both sides are known to stand as they are; nothing moves until one of them changes.
fn agree(done: &mut Absorbed, field: &RemoteField, ours: Option<&Value>, shown: Option<&Value>) {
    done.link.agreed.insert(field.clone(), Agreed::new(ours, shown));
    done.link.parked.remove(field);
}

/// Remembers what they show; what we meant to push stays to be pushed, and nothing else does.
fn leave(done: &mut Absorbed, field: &RemoteField, shown: Option<&Value>, agreed: &Agreed, ours: Option<&Value>, ours_changed: bool) {
    let kept = if ours_changed { agreed.ours.as_ref() } else { ours };
    let next = Agreed { flips: agreed.flips.clone(), ..Agreed::new(kept, shown) };
    done.link.agreed.insert(field.clone(), next);
}

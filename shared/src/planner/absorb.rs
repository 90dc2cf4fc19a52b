//! Remote → hub: what a look brings in.

use super::{
    Judge, Seen, Verdict,
    pending::{in_force, wanted},
    policy::Difference,
    spelling::is_spelling_of,
};
use crate::{
    cause::{Denied, Overruled, Side},
    id::Source,
    mapping::{Direction, Mapping, Rule},
    mutant,
    record::{Agreed, Fields, Flips, Link, RemoteField, Value, Written, WrongKind},
};
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;

/// What a look did.
#[derive(Clone, Debug, PartialEq)]
pub struct Absorbed {
    pub hub: Fields,
    pub link: Link,
    /// Values that lost, to be kept in the audit.
    pub overruled: Vec<Overruled>,
    /// Values that are not this CRM's to write, likewise.
    pub denied: Vec<Denied>,
    /// Fields that wait for a person, as they now stand.
    pub parked: Vec<Parked>,
    /// Values of a kind that the hub's field does not hold; they stay where they are.
    pub misfits: Vec<WrongKind>,
}

/// A conflict that a person decides: to end it with ours, the field is taken out of `link.parked`; to end it with
/// theirs, that is put into the hub as well.
#[derive(Clone, Debug, PartialEq)]
pub struct Parked {
    pub field: RemoteField,
    /// What was last agreed; of a field that was parked already, what the CRM showed before.
    pub base: Option<Value>,
    pub ours: Option<Value>,
    pub theirs: Option<Value>,
}

/// Folds what a CRM shows now into the hub. Only fresh looks may come here: see [`super::freshness`].
pub fn absorb(hub: &Fields, link: &Link, seen: &Seen, mapping: &Mapping, judge: Judge<'_>) -> Absorbed {
    let counts = under(link, seen, mapping);
    let mut done = absorb_since(counts.modified, hub, &counts, seen, mapping, judge);
    done.link.mapped = mapping.since();
    if done.link != *link {
        done.link.rev += 1;
    }
    done
}

/// What counts of a link under these rules: where they have changed since its last look, the two sides meet anew. What is never
/// shown is never met.
pub(super) fn under<'a>(link: &'a Link, seen: &Seen, mapping: &Mapping) -> Cow<'a, Link> {
    let void = |field: &RemoteField| {
        let is_another = mapping.changed.get(field).is_some_and(|since| link.mapped < *since);
        is_another && seen.fields.contains_key(field) && !mutant::lives("old_rules_count")
    };
    if !link.agreed.keys().chain(&link.parked).any(void) {
        return Cow::Borrowed(link);
    }
    let mut counts = link.clone();
    counts.agreed.retain(|field, _| !void(field));
    counts.parked.retain(|field| !void(field));
    Cow::Owned(counts)
}

/// Absorbs edits that were made after `since`.
pub(super) fn absorb_since(
    since: Option<Timestamp>,
    hub: &Fields,
    link: &Link,
    seen: &Seen,
    mapping: &Mapping,
    judge: Judge<'_>,
) -> Absorbed {
    let (overruled, denied, parked, misfits) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut done = Absorbed { hub: hub.clone(), link: link.clone(), overruled, denied, parked, misfits };
    let after = since.unwrap_or(Timestamp::UNIX_EPOCH);
    let look = Look { after, at: seen.modified.unwrap_or(after), source: judge.connection.into(), mapping, judge };
    let nothing = Agreed::default();
    for (field, shown) in shown(seen, mapping) {
        let agreed = link.agreed.get(field).unwrap_or(&nothing);
        if concerns(link, mapping, field) && (agreed.unseen || !agreed.theirs_is(shown)) {
            look.field(&mut done, field, shown, agreed);
        }
    }
    done.link.modified = seen.modified.max(link.modified);
    done
}

/// Whether a remote field means anything to us.
pub(super) fn concerns(link: &Link, mapping: &Mapping, field: &RemoteField) -> bool {
    let mapped = || mapping.rules.iter().any(|rule| rule.remote == *field);
    *field != mapping.id_field && (mapped() || link.overrides.contains_key(field) || link.agreed.contains_key(field))
}

/// The fields that a look shows, and no others: one that was not shown is not blank.
fn shown<'a>(seen: &'a Seen, mapping: &'a Mapping) -> impl Iterator<Item = (&'a RemoteField, Option<&'a Value>)> {
    let missing = mapping.rules.iter().map(|rule| &rule.remote).filter(|field| !seen.fields.contains_key(*field));
    let missing = missing.filter(|_| mutant::lives("not_shown_is_blank")).map(|field| (field, None));
    seen.fields.iter().map(|(field, shown)| (field, shown.as_ref())).chain(missing)
}

struct Look<'a> {
    /// Edits that it shows were made after this …
    after: Timestamp,
    /// … and not after this.
    at: Timestamp,
    source: Source,
    mapping: &'a Mapping,
    judge: Judge<'a>,
}

/// One field that is shown otherwise than agreed.
struct Facts<'a> {
    field: &'a RemoteField,
    shown: Option<&'a Value>,
    agreed: &'a Agreed,
    /// The rule by which it flows into the hub.
    rule: Option<&'a Rule>,
    /// What we want the CRM to show, in its own fields.
    ours: Option<Value>,
    ours_changed: bool,
    /// It is the link's own value rather than the hub's.
    own: bool,
    /// The write behind `ours`: the link's own value or the hub's.
    said: Option<Written>,
    /// Its value, as it would be heard from the CRM.
    standing: Option<Value>,
    /// What the CRM shows, in the hub's terms.
    theirs: Option<Value>,
    misfit: Option<WrongKind>,
}

impl Look<'_> {
    fn field(&self, done: &mut Absorbed, field: &RemoteField, shown: Option<&Value>, agreed: &Agreed) {
        let facts = self.facts(done, field, shown, agreed);
        if facts.says_what_we_say() {
            done.link.parked.remove(field);
            return agree(done, &facts, facts.ours.as_ref());
        }
        let flips = self.flips(&facts);
        let fought_over =
            flips.as_ref().is_some_and(|f| f.returns.len() > MOST_RETURNS) && !mutant::lives("fights_go_on");
        let theirs = Written { after: Some(self.after), ..Written::new(facts.theirs.clone(), self.at, &self.source) };
        // A field that we do not send has nothing that could lose, and neither has a filler that nobody wrote.
        let sends = facts.own || facts.rule.is_none_or(|rule| rule.direction != Direction::FromCrm);
        let verdict = self.judge.judge(&Difference {
            heard: facts.is_heard(),
            disputed: done.link.parked.contains(field) || fought_over,
            first: !done.link.agreed.contains_key(field) && facts.ours.is_some() && facts.theirs.is_some(),
            hub: facts.rule.map(|rule| rule.hub.as_str()),
            ours: facts.said.as_ref().filter(|_| sends),
            ours_changed: facts.ours_changed,
            theirs: &theirs,
        });
        self.carry_out(done, verdict, &facts, theirs);
        if let (Some(agreed), Some(flips)) = (done.link.agreed.get_mut(field), flips) {
            agreed.flips = Some(flips);
        }
    }

    fn facts<'a>(
        &'a self,
        done: &Absorbed,
        field: &'a RemoteField,
        shown: Option<&'a Value>,
        agreed: &'a Agreed,
    ) -> Facts<'a> {
        let rule = self.mapping.inbound(field);
        let ours = wanted(&done.hub, &done.link, self.mapping).remove(field).flatten();
        let own = in_force(&done.hub, &done.link, self.mapping, field);
        let said = own.cloned().or_else(|| done.hub.said(&rule?.hub));
        let region = &self.mapping.region;
        let (theirs, misfit) = match (shown, rule) {
            (Some(value), Some(rule)) => rule.heard(value, &done.hub, region),
            (shown, _) => (shown.cloned(), None),
        };
        // What we say, as it would be heard.
        let standing = said.as_ref().and_then(|said| said.value.as_ref()).and_then(|value| match rule {
            Some(rule) if own.is_some() => rule.invert(value, region),
            Some(rule) => rule.heard(&rule.spelt(value, region)?, &done.hub, region).0,
            None => Some(value.clone()),
        });
        Facts {
            ours_changed: !agreed.ours_is(ours.as_ref()),
            own: own.is_some(),
            field,
            shown,
            agreed,
            rule,
            ours,
            said,
            standing,
            theirs,
            misfit,
        }
    }

    fn carry_out(&self, done: &mut Absorbed, verdict: Verdict, facts: &Facts<'_>, theirs: Written) {
        let lost = |loser, value| Overruled {
            connection: self.judge.connection.clone(),
            field: facts.field.clone(),
            loser,
            value,
        };
        match (verdict, facts.misfit.clone()) {
            (Verdict::Take, Some(misfit)) => {
                done.misfits.push(misfit);
                agree(done, facts, facts.ours.as_ref());
            }
            (Verdict::Take, None) => {
                done.link.overrides.remove(facts.field);
                if let Some(rule) = facts.rule
                    && let Err(misfit) = done.hub.write(&rule.hub, theirs)
                {
                    done.misfits.push(misfit);
                }
                let rendered = wanted(&done.hub, &done.link, self.mapping).remove(facts.field).flatten();
                agree(done, facts, rendered.as_ref());
                if facts.ours_changed && facts.ours.is_some() {
                    done.overruled.push(lost(Side::Hub, facts.ours.clone()));
                }
            }
            (Verdict::Restore, _) => {
                disagree(done, facts);
                match self.denied(facts) {
                    Some(denied) => done.denied.push(denied),
                    None => done.overruled.push(lost(Side::Remote, facts.theirs.clone())),
                }
            }
            (Verdict::Leave, _) => match self.denied(facts).filter(|_| facts.is_heard()) {
                // Not even a filler of ours takes the place of what is there.
                Some(denied) => {
                    agree(done, facts, facts.ours.as_ref());
                    done.denied.push(denied);
                }
                None => agree(done, facts, facts.agreed.ours.as_ref()),
            },
            (Verdict::Park, _) => {
                let (ours, theirs) = (facts.ours.clone(), facts.theirs.clone());
                done.link.parked.insert(facts.field.clone());
                done.parked.push(Parked { field: facts.field.clone(), base: facts.agreed.ours.clone(), ours, theirs });
                disagree(done, facts);
            }
        }
    }

    /// What is not this CRM's to write.
    fn denied(&self, facts: &Facts<'_>) -> Option<Denied> {
        let rule = facts.rule.filter(|rule| !self.judge.owns(Some(&rule.hub)))?;
        Some(Denied { field: rule.hub.clone(), source: self.source.clone(), value: facts.theirs.clone() })
    }

    /// Counts a return to what the CRM showed before our last write.
    fn flips(&self, facts: &Facts<'_>) -> Option<Flips> {
        let mut flips = facts.agreed.flips.clone()?;
        if Agreed::new(None, facts.shown).theirs == flips.before {
            flips.returns.retain(|earlier| self.at.duration_since(*earlier) <= SignedDuration::from_hours(1));
            flips.returns.push(self.at);
        }
        Some(flips)
    }
}

/// A field that returns more often than this in an hour is fought over by two machines.
const MOST_RETURNS: usize = 4;

impl Facts<'_> {
    /// The CRM shows what we want it to: another hand wrote the same, or our own did and did not live to tell.
    fn says_what_we_say(&self) -> bool {
        if (self.ours_changed || self.agreed.unseen)
            && self.ours.is_some()
            && is_spelling_of(self.ours.as_ref(), self.shown)
        {
            return true;
        }
        let filler_is_missing = self.shown.is_none() && self.ours.is_some();
        self.misfit.is_none() && self.theirs == self.standing && !filler_is_missing
    }

    fn is_heard(&self) -> bool {
        let clears = self.rule.is_none_or(|rule| rule.clears) || mutant::lives("blank_clears");
        (self.rule.is_some() || self.own) && (self.theirs.is_some() || clears)
    }
}

/// `ours` and what they show are known to stand; nothing moves until one of them changes.
fn agree(done: &mut Absorbed, facts: &Facts<'_>, ours: Option<&Value>) {
    let agreed = Agreed { flips: facts.agreed.flips.clone(), ..Agreed::new(ours, facts.shown) };
    done.link.agreed.insert(facts.field.clone(), agreed);
}

/// As if we had wanted what they show: ours, being another, is to be pushed.
fn disagree(done: &mut Absorbed, facts: &Facts<'_>) {
    agree(done, facts, facts.theirs.as_ref().or(facts.shown));
}

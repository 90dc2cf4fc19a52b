//! What a push achieved.

use super::{Absorbed, Change, Judge, Seen, absorb::absorb_since, spelling::is_spelling_of};
use crate::{
    mapping::Mapping,
    mutant,
    record::{Agreed, Fields, Flips, Link, Said, Value},
};
use jiff::Timestamp;

/// How a remote was seen after a write of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// In the answer to the write itself: nobody came between.
    Echoed,
    /// By a later look, or not at all; with the time of the write, as its answer gives it.
    After(Option<Timestamp>),
}

/// Records a push: for each field that was sent, what we meant and what the CRM now shows.
///
/// Fields we did not send keep their agreement, and one that someone edited between the write and the look keeps what
/// we sent as theirs, so that the next look still sees the edit.
pub fn settle(link: &Link, sent: &[Change], seen: &Seen, shown: Shown) -> Link {
    let mut next = link.clone();
    let race = Race::of(shown, seen.modified);
    for Change { field, value } in sent {
        let before = link.agreed.get(field).cloned().unwrap_or_default();
        // A CRM that ignores a field goes on showing what it did before our write.
        let ignored = |shown: &Option<Value>| link.modified < seen.modified && before.theirs_is(shown.as_ref());
        let spared = |shown: &Option<Value>| match race {
            Race::None => true,
            Race::Unknown => is_spelling_of(value.as_ref(), shown.as_ref()) || ignored(shown),
            Race::Lost => is_spelling_of(value.as_ref(), shown.as_ref()),
        };
        let shown = seen.fields.get(field).filter(|shown| spared(shown));
        let agreed = match shown {
            _ if mutant::lives("base_is_sent") => Agreed::new(value.as_ref(), value.as_ref()),
            Some(shown) if mutant::lives("base_is_seen") => Agreed::new(shown.as_ref(), shown.as_ref()),
            Some(shown) => Agreed::new(value.as_ref(), shown.as_ref()),
            None => Agreed { unseen: true, ..Agreed::new(value.as_ref(), value.as_ref()) },
        };
        let flips = match before.flips {
            kept if agreed.theirs == before.theirs => kept,
            flips => Some(Flips { before: before.theirs, returns: flips.unwrap_or_default().returns }),
        };
        next.agreed.insert(field.clone(), Agreed { flips, ..agreed });
    }
    if mutant::lives("settle_all") {
        for (field, shown) in &seen.fields {
            let ours = next.agreed.get(field).and_then(|a| a.ours.clone());
            next.agreed.insert(field.clone(), Agreed::new(ours.as_ref(), shown.as_ref()));
        }
    }
    let written = if let Shown::After(written) = shown { written } else { None };
    next.modified = if race == Race::Lost { written } else { seen.modified.or(written) }.max(link.modified);
    next.refused = None;
    (next.intent, next.said) = (None, Said::default());
    next.rev += 1;
    next
}

/// Settles a push and absorbs, from the same read-back, what others edited meanwhile.
///
/// Only for a link that has not moved since the write was sent; one that has is settled alone and looked at again.
pub fn read_back(
    hub: &Fields,
    link: &Link,
    sent: &[Change],
    seen: &Seen,
    shown: Shown,
    mapping: &Mapping,
    judge: Judge<'_>,
) -> Absorbed {
    let settled = settle(link, sent, seen, shown);
    let rev = settled.rev;
    let mut done = absorb_since(link.modified, hub, &settled, seen, mapping, judge);
    done.link.rev = rev;
    done
}

/// Whether someone may have edited the remote between our write and the look that follows it.
#[derive(Clone, Copy, PartialEq)]
enum Race {
    /// The look shows the write's own time.
    None,
    /// It does, but in whole seconds, or the write's time is not known.
    Unknown,
    /// It shows a later time.
    Lost,
}

impl Race {
    fn of(shown: Shown, modified: Option<Timestamp>) -> Race {
        let Shown::After(written) = shown else { return Race::None };
        match (written, modified) {
            _ if mutant::lives("race_is_swallowed") => Race::None,
            (Some(written), Some(modified)) if modified > written => Race::Lost,
            (Some(written), _) if written.subsec_nanosecond() != 0 => Race::None,
            _ => Race::Unknown,
        }
    }
}

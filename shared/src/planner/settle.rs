//! What a push achieved.

use super::{Change, Seen};
use crate::record::{Agreed, Flips, Link, Value};
use jiff::Timestamp;

/// Records a push: for each field that was sent, what we meant and what the CRM now shows.
///
/// `written` is the remote's modification time as the write's own answer gives it. Fields we did not send keep their
/// agreement, and one that someone edited between the write and the read-back keeps what we sent as theirs, so the
/// next look still sees the edit.
pub fn settle(link: &Link, sent: &[Change], seen: &Seen, written: Option<Timestamp>) -> Link {
    let mut next = link.clone();
    let raced = written.is_some() && seen.modified > written && !cfg!(feature = "mutant_race_is_swallowed");
    for Change { field, value } in sent {
        let shown = match seen.fields.get(field) {
            Some(shown) if !raced || is_spelling_of(value.as_ref(), shown.as_ref()) => shown.as_ref(),
            _ => value.as_ref(),
        };
        let before = link.agreed.get(field);
        let flips = before.filter(|agreed| !agreed.theirs_is(shown)).map(|agreed| Flips {
            before: agreed.theirs.clone(),
            count: agreed.flips.as_ref().map_or(0, |f| f.count),
            since: agreed.flips.as_ref().map(|f| f.since).or(seen.modified).unwrap_or(Timestamp::UNIX_EPOCH),
        });
        next.agreed.insert(field.clone(), Agreed { flips, ..Agreed::new(value.as_ref(), shown) });
    }
    if cfg!(feature = "mutant_settle_all") {
        for (field, shown) in &seen.fields {
            let ours = next.agreed.get(field).and_then(|a| a.ours.clone());
            next.agreed.insert(field.clone(), Agreed::new(ours.as_ref(), shown.as_ref()));
        }
    }
    next.modified = if raced { written } else { seen.modified.or(written) }.max(link.modified);
    next.refused = None;
    next.intent = None;
    next.rev += 1;
    next
}

/// Whether `shown` is how a CRM may spell what we sent: the same letters and digits, perhaps cut short.
fn is_spelling_of(sent: Option<&Value>, shown: Option<&Value>) -> bool {
    let plain = |v: &Value| -> String { v.to_string().chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    match (sent, shown) {
        (None, None) => true,
        (Some(sent), Some(shown)) => {
            let (sent, shown) = (plain(sent), plain(shown));
            !shown.is_empty() && (sent.starts_with(&shown) || sent.ends_with(&shown))
        }
        _ => false,
    }
}

//! Deleting, which HubSpot calls archiving: contacts can be restored for 90 days (HubSpot docs: CRM objects, archive). And deleting for
//! good, one contact in a call (HubSpot docs: CRM contacts, permanently delete a contact).

use super::{call, failure, failure::Refusal};
use crate::{
    error::Result,
    mapping::Mapping,
    provider::{Outcome, Session, Write, session::Request},
};
use serde_json::{Value as Json, json};

/// The answer is empty, also where some were archived before. A refused batch is sent again in halves.
pub(super) async fn archive(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
    let mut outcomes: Vec<Outcome> = vec![Outcome::Later; writes.len()];
    let all = 0..writes.len();
    let mut left = vec![all];
    while let Some(range) = left.pop() {
        let (Some(rows), Some(told)) = (writes.get(range.clone()), outcomes.get_mut(range.clone())) else { continue };
        if rows.is_empty() {
            continue;
        }
        let inputs: Vec<Json> = rows.iter().map(|write| json!({"id": write.remote})).collect();
        let request = Request::post(format!("{}/batch/archive", call::objects(mapping)), json!({"inputs": inputs}));
        let answer = session.send(&request, failure::of_rows).await?;
        match (answer.status.is_success(), rows) {
            (true, rows) => {
                for (outcome, write) in told.iter_mut().zip(rows) {
                    let deleted = |remote| Outcome::Written { remote, modified: None, seen: None };
                    *outcome = write.remote.clone().map_or(Outcome::Missing, deleted);
                }
            }
            (false, [_]) => told.fill(Refusal::of_answer(&answer).updated()),
            (false, _) => {
                let middle = range.start + rows.len() / 2;
                left.extend([middle..range.end, range.start..middle]);
            }
        }
    }
    Ok(outcomes)
}

/// Deletes contacts for good, with what is associated with them; whoever is not there is answered as if they had been.
pub(super) async fn forget(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(writes.len());
    for write in writes {
        let Some(remote) = write.remote.clone() else {
            outcomes.push(Outcome::Missing);
            continue;
        };
        let path = format!("{}/gdpr-delete", call::objects(mapping));
        let answer = session.send(&Request::post(path, json!({"objectId": remote})), failure::of_rows).await?;
        outcomes.push(match answer.status.is_success() {
            true => Outcome::Written { remote, modified: None, seen: None },
            false => Refusal::of_answer(&answer).updated(),
        });
    }
    Ok(outcomes)
}

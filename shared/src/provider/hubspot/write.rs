//! Creates and updates, in batches from which refused rows are taken out.
//!
//! One bad row makes HubSpot refuse a whole upsert or update, and the answer need not say which row it was. So a refused
//! batch is sent again in parts. After an error in the middle the rows without an outcome come later: an upsert by our id
//! and an update by the remote's can be repeated.

use super::{
    call, failure,
    failure::Refusal,
    records::{self, id, rows},
};
use crate::{
    error::{Error, Result},
    mapping::Mapping,
    provider::{Outcome, Session, Write, session::Request},
    record::Value,
};
use serde_json::{Value as Json, json};

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Create,
    Update,
}

/// Rows of one call, by their place among the writes.
type Places = Vec<usize>;

pub(super) async fn write(session: &Session, mapping: &Mapping, kind: Kind, writes: &[Write]) -> Result<Vec<Outcome>> {
    let batch = Batch { mapping, kind, writes };
    let mut outcomes: Vec<Option<Outcome>> = vec![None; writes.len()];
    let mut left: Vec<Places> = vec![(0..writes.len()).collect()];
    while let Some(places) = left.pop() {
        if places.is_empty() {
            continue;
        }
        let answer = match session.send(&batch.request(&places), failure::of_rows).await {
            Err(_) if outcomes.iter().any(Option::is_some) => break,
            answer => answer?,
        };
        if answer.status.is_success() {
            batch.note(&answer.body, &mut outcomes);
            let untold: Places =
                places.iter().copied().filter(|place| outcomes.get(*place).is_some_and(Option::is_none)).collect();
            left.extend(batch.untold(untold, places.len(), &mut outcomes)?);
            continue;
        }
        let refusal = Refusal::of_answer(&answer);
        if kind == Kind::Create && refusal.blames_account(&mapping.id_field) {
            return Err(Error::Config {
                reason: format!(
                    "HubSpot does not take {} as a property with unique values: {}",
                    mapping.id_field, refusal.code
                ),
            });
        }
        let Parts { refused, others } = batch.part(&refusal, places);
        for place in refused {
            batch.set(&mut outcomes, place, batch.outcome(Refusal::of_answer(&answer)));
        }
        left.extend(others);
    }
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::Later)).collect())
}

struct Batch<'a> {
    mapping: &'a Mapping,
    kind: Kind,
    writes: &'a [Write],
}

/// A refused call's rows: those that are to blame, and the calls to make of the others.
struct Parts {
    refused: Places,
    others: Vec<Places>,
}

impl Batch<'_> {
    /// At most 100 rows, each with a trace id of its own, which a 207 then names (HubSpot docs: error handling,
    /// "multi-status errors").
    fn request(&self, places: &[usize]) -> Request {
        let input = |place: &usize| {
            let write = self.writes.get(*place)?;
            let mut properties = records::write(&write.changes);
            Some(match (self.kind, &write.remote) {
                (Kind::Create, _) => {
                    properties.insert(self.mapping.id_field.clone(), json!(write.record));
                    json!({"idProperty": self.mapping.id_field, "id": write.record, "objectWriteTraceId": place.to_string(), "properties": properties})
                }
                (Kind::Update, remote) => {
                    json!({"id": remote, "objectWriteTraceId": place.to_string(), "properties": properties})
                }
            })
        };
        let inputs: Vec<Json> = places.iter().filter_map(input).collect();
        let verb = if self.kind == Kind::Create { "upsert" } else { "update" };
        Request::post(format!("{}/batch/{verb}", call::objects(self.mapping)), json!({"inputs": inputs}))
    }

    /// Notes what an answer says of each row. Its order is nobody's promise.
    fn note(&self, body: &Json, outcomes: &mut [Option<Outcome>]) {
        for row in rows(body) {
            if let (Some(place), Some(remote)) = (self.place(row), id(row)) {
                let changed = self
                    .writes
                    .get(place)
                    .into_iter()
                    .flat_map(|write| &write.changes)
                    .map(|change| change.field.as_str());
                let seen = records::read(row, self.mapping.remote_fields().into_iter().chain(changed));
                self.set(outcomes, place, Outcome::Written { remote, modified: seen.modified, seen: Some(seen) });
            }
        }
        for error in body.get("errors").and_then(Json::as_array).into_iter().flatten() {
            for place in self.blamed(error) {
                self.set(outcomes, place, self.outcome(Refusal::of(error)));
            }
        }
    }

    /// The write that a result is of: by its trace id, by our id in it, or by its own.
    fn place(&self, row: &Json) -> Option<usize> {
        let traced = row.get("objectWriteTraceId").and_then(Json::as_str).and_then(|trace| trace.parse().ok());
        let remote = id(row);
        let ours = records::text(row, &self.mapping.id_field);
        let is = |write: &Write| match self.kind {
            Kind::Create => ours == Some(write.record.as_str()),
            Kind::Update => remote.is_some() && write.remote == remote,
        };
        traced.filter(|place| *place < self.writes.len()).or_else(|| self.writes.iter().position(is))
    }

    /// The rows that an error of a 207 names, by their trace ids or by their ids.
    fn blamed(&self, error: &Json) -> Places {
        let named =
            |at: &str| error.pointer(at).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        let traced = named("/context/objectWriteTraceId")
            .filter_map(|trace| trace.parse().ok())
            .filter(|place| *place < self.writes.len());
        let by_id = named("/context/ids").chain(named("/context/id"));
        let is = |write: &Write, id: &str| match self.kind {
            Kind::Create => write.record.as_str() == id,
            Kind::Update => write.remote.as_ref().is_some_and(|remote| remote.as_str() == id),
        };
        traced.chain(by_id.filter_map(|id| self.writes.iter().position(|write| is(write, id)))).collect()
    }

    fn outcome(&self, refusal: Refusal) -> Outcome {
        match self.kind {
            Kind::Create => refusal.created(&self.mapping.id_field),
            Kind::Update => refusal.updated(),
        }
    }

    fn set(&self, outcomes: &mut [Option<Outcome>], place: usize, outcome: Outcome) {
        if let Some(slot) = outcomes.get_mut(place) {
            *slot = Some(outcome);
        }
    }

    /// Rows of which a good answer says nothing are asked for one by one; one that was alone is not there.
    fn untold(&self, untold: Places, sent: usize, outcomes: &mut [Option<Outcome>]) -> Result<Vec<Places>> {
        match (untold.as_slice(), sent, self.kind) {
            ([only], 1, Kind::Update) => self.set(outcomes, *only, Outcome::Missing),
            ([_], 1, Kind::Create) => return Err(Error::retryable("HubSpot says nothing of a row it took")),
            _ => return Ok(untold.into_iter().map(|place| vec![place]).collect()),
        }
        Ok(Vec::new())
    }

    /// Divides a refused call's rows as well as its answer allows.
    fn part(&self, refusal: &Refusal, places: Places) -> Parts {
        if places.len() <= 1 {
            return Parts { refused: places, others: Vec::new() };
        }
        let (suspects, innocents): (Places, Places) =
            places.iter().partition(|place| self.sent(refusal, **place).is_some());
        if let Some(first) = suspects.first().and_then(|place| self.sent(refusal, *place)) {
            let alike = suspects.iter().all(|place| self.sent(refusal, *place) == Some(first));
            if refusal.of_property() || (alike && (refusal.of_value() || suspects.len() == 1)) {
                return Parts { refused: suspects, others: vec![innocents] };
            }
            let quoted = |place: &usize| {
                let value = self.sent(refusal, *place).and_then(Option::as_ref);
                value.is_some_and(|value| refusal.message.contains(&value.to_string()))
            };
            let (quoted, others): (Places, Places) = places.iter().copied().partition(quoted);
            if !quoted.is_empty() && !others.is_empty() {
                return Parts { refused: Vec::new(), others: vec![others, quoted] };
            }
        }
        let half = places.len() / 2;
        let (first, second) = places.split_at(half);
        Parts { refused: Vec::new(), others: vec![second.to_vec(), first.to_vec()] }
    }

    /// What a row sends in the refused field; `None` where it sends nothing there.
    fn sent(&self, refusal: &Refusal, place: usize) -> Option<&Option<Value>> {
        let field = refusal.field.as_ref()?;
        self.writes.get(place)?.changes.iter().find(|change| change.field == *field).map(|change| &change.value)
    }
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;

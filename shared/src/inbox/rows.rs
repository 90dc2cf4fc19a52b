//! Requests that are the rows of a file: done as those of the queue are, and told row by row rather than to a person.

use super::{End, Letter, Way, digest, of_tenant, plan::Plan};
use crate::{
    app::App,
    context::Context,
    error::{Error, Result},
    id::{RecordId, TenantId},
    record::Object,
    request::SyncRequest,
    store::Became,
};
use std::collections::{BTreeMap, VecDeque};

/// What became of one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Done {
        /// `None` in a rehearsal that would make one.
        record: Option<RecordId>,
        became: Became,
        /// Values that could not be used; the others were.
        odd: Vec<(String, String)>,
    },
    /// A stable code, and why.
    Refused(String, String),
}

/// Applies the rows of one tenant, each once however often it comes; or, as a `rehearsal`, only says what would become of them: two rows
/// about somebody new are two people then. What became of each, in their order. An error where one of them must wait: those before it may be done.
pub async fn apply_rows(
    app: &App,
    cx: &Context,
    tenant: &TenantId,
    rows: Vec<SyncRequest>,
    rehearsal: bool,
) -> Result<Vec<Outcome>> {
    let count = rows.len();
    let mut by_object: BTreeMap<Object, VecDeque<Letter<usize>>> = BTreeMap::new();
    for (slip, request) in rows.into_iter().enumerate() {
        let body = serde_json::to_string(&request).map_err(|e| Error::bug("a request that is no JSON").because(e))?;
        let letter = Letter { slip, digest: digest(&body), rounds: 0, request };
        by_object.entry(letter.request.object.clone()).or_default().push_back(letter);
    }
    let way = if rehearsal { Way::Rehearsal } else { Way::Rows };
    let mut outcomes: Vec<Option<Outcome>> = vec![None; count];
    for (object, letters) in by_object {
        for (place, end) in of_tenant(app, cx, tenant, &object, letters, way).await? {
            match end {
                End::Done(plan) => outcomes[place] = Some(outcome(&plan, rehearsal)),
                End::Later(why) => return Err(why),
            }
        }
    }
    outcomes.into_iter().map(|outcome| outcome.ok_or_else(|| Error::bug("a row without an end"))).collect()
}

fn outcome(plan: &Plan, rehearsal: bool) -> Outcome {
    match plan {
        Plan::Refuse(exception) => Outcome::Refused(exception.code.clone(), exception.reason.clone()),
        Plan::Repeat { done, .. } => {
            Outcome::Done { record: Some(done.record.clone()), became: done.became, odd: Vec::new() }
        }
        Plan::Change { before, after, odd, .. } => {
            let became = Became::of(before.as_deref(), after);
            let record = Some(after.id.clone()).filter(|_| !(rehearsal && became == Became::Created));
            let odd = odd.iter().map(|exception| (exception.code.clone(), exception.reason.clone()));
            let denied = after.cause.denied.iter().map(|denied| {
                let reason = format!("{}: it is not for {} to write", denied.field, denied.source);
                ("not_owner".to_owned(), reason)
            });
            let odd = odd.chain(denied).collect();
            Outcome::Done { record, became, odd }
        }
    }
}

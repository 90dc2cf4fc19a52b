//! What was written and what was deleted in a time (Salesforce docs: REST API, sObject Get Updated, Get Deleted).

use super::Desk;
use super::errors;
use super::ids;
use super::show::{second, time};
use crate::clock::parse_time;
use crate::records::Record;
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

const MINUTE: i64 = 60_000;
const REACH: i64 = 30 * 24 * 60 * MINUTE;

pub fn updated(desk: &Desk<'_>, object: &str, call: &Call) -> Result<Reply, Reply> {
    let span = Span::of(desk, call)?;
    let live = records(desk, object).filter(|r| r.archived.is_none() && span.holds(r.modified));
    let ids: Vec<String> = live.map(|r| ids::text(object, r.id)).collect();
    Ok(Reply::json(200, json!({"ids": ids, "latestDateCovered": time(span.covered)})))
}

pub fn deleted(desk: &Desk<'_>, object: &str, call: &Call) -> Result<Reply, Reply> {
    let span = Span::of(desk, call)?;
    let gone = records(desk, object).filter_map(|r| Some((r.archived.filter(|at| span.holds(*at))?, r)));
    let gone: Vec<Value> =
        gone.map(|(at, r)| json!({"id": ids::text(object, r.id), "deletedDate": time(at)})).collect();
    let earliest = time(desk.now - REACH);
    Ok(Reply::json(
        200,
        json!({"deletedRecords": gone, "earliestDateAvailable": earliest, "latestDateCovered": time(span.covered)}),
    ))
}

fn records<'a>(desk: &'a Desk<'_>, object: &str) -> impl Iterator<Item = &'a Record> {
    desk.org.objects.get(object).into_iter().flat_map(|table| table.records.values())
}

/// Whole minutes: seconds are ignored.
struct Span {
    start: i64,
    end: i64,
    covered: i64,
}

impl Span {
    fn of(desk: &Desk<'_>, call: &Call) -> Result<Self, Reply> {
        let minute = |name: &str| {
            let at = call.param(name).and_then(parse_time).ok_or_else(|| {
                errors::error(400, "INVALID_FIELD", &format!("{name}: a date and time with a zone is expected"))
            });
            at.map(floor)
        };
        let (start, end) = (minute("start")?, minute("end")?);
        let refused = |message: &str| Err(errors::error(400, "INVALID_REPLICATION_DATE", message));
        if start < floor(desk.now - REACH) {
            return refused("startDate before org replication enabled date");
        }
        if end - start < MINUTE {
            return refused("endDate must be at least one minute greater than startDate");
        }
        Ok(Self { start, end, covered: end.min(floor(desk.now)) })
    }

    fn holds(&self, at: i64) -> bool {
        (self.start..self.end).contains(&second(at))
    }
}

fn floor(ms: i64) -> i64 {
    ms.div_euclid(MINUTE) * MINUTE
}

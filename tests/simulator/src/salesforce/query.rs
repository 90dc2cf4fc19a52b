//! `query`, `queryAll` and their further batches (Salesforce docs: REST API, Query, Query Options header).

use super::Desk;
use super::errors::{error, no_such_column};
use super::ids;
use super::show::root;
use super::soql::{self, Filter};
use super::soql_parse::{Query, parse};
use crate::records::Record;
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

/// Records in one batch, at least and at most; the most if nobody says otherwise.
const BATCH: std::ops::RangeInclusive<usize> = 200..=2_000;
/// Open queries of a user; the oldest goes when one more opens (Salesforce docs: SOAP API, QueryLocator).
const OPEN: usize = 10;
const IDLE: i64 = 15 * 60_000;

/// The rest of a query, as it was when it was asked.
#[derive(Debug)]
pub struct Cursor {
    id: String,
    records: Vec<Value>,
    size: usize,
    used: i64,
}

/// `?q=…`; with the deleted ones if `all`.
pub fn run(desk: &mut Desk<'_>, call: &Call, all: bool) -> Result<Reply, Reply> {
    let text = call.param("q").unwrap_or_default();
    let query = parse(text).map_err(|message| error(400, "MALFORMED_QUERY", &message))?;
    let object = ids::object(&query.object)
        .ok_or_else(|| error(400, "INVALID_TYPE", &format!("sObject type '{}' is not supported.", query.object)))?;
    let (records, total) = answer(desk, object, &query, all, &root(call))?;
    let id = ids::seal("01g", desk.rng.below(62u64.pow(10)));
    let cursor = Cursor { id, records, size: size(desk, call), used: desk.now };
    let reply = cursor.page(0, total, &root(call));
    if cursor.size < cursor.records.len() {
        desk.org.cursors.push_back(cursor);
        if desk.org.cursors.len() > OPEN {
            desk.org.cursors.pop_front();
        }
    }
    Ok(reply)
}

/// The batch that `nextRecordsUrl` leads to.
pub fn more(desk: &mut Desk<'_>, call: &Call, locator: &str) -> Result<Reply, Reply> {
    let now = desk.now;
    desk.org.cursors.retain(|cursor| now - cursor.used < IDLE);
    let found = locator.rsplit_once('-').and_then(|(id, from)| {
        let cursor = desk.org.cursors.iter_mut().find(|cursor| cursor.id == id)?;
        Some((cursor, from.parse::<usize>().ok()?))
    });
    let (cursor, from) = found.ok_or_else(|| error(400, "INVALID_QUERY_LOCATOR", "invalid query locator"))?;
    cursor.used = now;
    Ok(cursor.page(from, cursor.records.len(), &root(call)))
}

/// The records as they are shown, and how many they are: `COUNT()` shows none.
pub fn answer(
    desk: &Desk<'_>,
    object: &str,
    query: &Query,
    all: bool,
    root: &str,
) -> Result<(Vec<Value>, usize), Reply> {
    let asked = query.fields.iter().map(String::as_str);
    let names = desk.columns(object, asked).map_err(|name| no_such_column(object, name))?;
    let filter = query.condition.as_ref().map_or(Ok(Filter::Everything), |c| Filter::of(desk, object, c))?;
    let records = desk.org.objects.get(object).into_iter().flat_map(|table| table.records.values());
    let records = records.filter(|r| all || r.archived.is_none());
    let mut hits: Vec<&Record> = records.filter(|r| filter.passes(object, r)).collect();
    soql::sort(desk, object, query, &mut hits)?;
    hits.truncate(query.limit.unwrap_or(usize::MAX));
    let shown = if names.is_empty() { &[][..] } else { &hits[..] };
    Ok((shown.iter().map(|r| desk.show(object, r, &names, root)).collect(), hits.len()))
}

/// What the call asks for, and what the org gives.
fn size(desk: &Desk<'_>, call: &Call) -> usize {
    let options = call.header("sforce-query-options").unwrap_or_default().to_lowercase();
    let asked = options.split(',').find_map(|o| o.trim().strip_prefix("batchsize=")?.trim().parse().ok());
    let asked = asked.unwrap_or(*BATCH.end()).clamp(*BATCH.start(), *BATCH.end());
    asked.min(desk.org.batch_size.unwrap_or(asked)).max(1)
}

impl Cursor {
    fn page(&self, from: usize, total: usize, root: &str) -> Reply {
        let records: Vec<&Value> = self.records.iter().skip(from).take(self.size).collect();
        let next = from + records.len();
        let done = next >= self.records.len();
        let mut body = json!({"totalSize": total, "done": done, "records": records});
        if !done {
            body["nextRecordsUrl"] = json!(format!("{root}/query/{}-{next}", self.id));
        }
        Reply::json(200, body)
    }
}

//! Several records of one object by their ids (Salesforce docs: REST API, Get Records Using sObject Collections).

use super::Desk;
use super::errors;
use super::ids;
use super::show::root;
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

const RECORDS: usize = 2_000;

/// `{"ids", "fields"}`, or the same as parameters; null stands for what there is not.
pub fn retrieve(desk: &Desk<'_>, object: &str, call: &Call) -> Result<Reply, Reply> {
    let (ids, fields) = (list(call, "ids")?, list(call, "fields")?);
    if ids.len() > RECORDS {
        let message = format!("record limit reached. cannot submit more than {RECORDS} records into this call");
        return Err(errors::error(400, "EXCEEDED_ID_LIMIT", &message));
    }
    let asked = std::iter::once("Id").chain(fields.iter().map(String::as_str));
    let names = desk.columns(object, asked).map_err(|name| errors::no_such_column(object, name))?;
    let table = desk.org.objects.get(object).ok_or_else(errors::not_found)?;
    let shown = ids.iter().map(|id| {
        let record = ids::parse(object, id).and_then(|id| table.live(id));
        record.map_or(Value::Null, |record| desk.show(object, record, &names, &root(call)))
    });
    Ok(Reply::json(200, shown.collect()))
}

fn list(call: &Call, name: &str) -> Result<Vec<String>, Reply> {
    if let Some(text) = call.param(name) {
        return Ok(text.split(',').map(|s| s.trim().to_owned()).collect());
    }
    let list = call.json().and_then(|body| body[name].as_array());
    let texts = list.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    texts.ok_or_else(|| {
        Reply::json(400, json!([{"message": format!("{name} is required"), "errorCode": "MISSING_ARGUMENT"}]))
    })
}

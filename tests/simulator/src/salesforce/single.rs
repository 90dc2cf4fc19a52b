//! One record at a time, by id or by a key (Salesforce docs: REST API, sObject Rows, sObject Rows by External ID).

use super::Desk;
use super::errors::{self, Refusal};
use super::fields::Field;
use super::ids;
use super::show::root;
use super::store::Writer;
use crate::records::Source;
use crate::wire::{Call, Reply};
use serde_json::{Map, Value, json};

pub fn create(desk: &mut Desk<'_>, object: &str, call: &Call) -> Result<Reply, Reply> {
    let id = desk.save(object, None, sent(call)?, writer(call))?;
    desk.tell(object, id);
    Ok(made(object, id))
}

pub fn read(desk: &Desk<'_>, object: &str, id: &str, call: &Call) -> Result<Reply, Reply> {
    let id = in_address(desk, object, id)?;
    shown(desk, object, id, call)
}

pub fn update(desk: &mut Desk<'_>, object: &str, id: &str, call: &Call) -> Result<Reply, Reply> {
    let id = in_address(desk, object, id)?;
    desk.save(object, Some(id), sent(call)?, writer(call))?;
    desk.tell(object, id);
    Ok(Reply::empty(204))
}

pub fn delete(desk: &mut Desk<'_>, object: &str, id: &str) -> Result<Reply, Reply> {
    let id = in_address(desk, object, id)?;
    desk.bin(object, id, None, Source::App)?;
    desk.relay_moved(object, id, "DELETE");
    Ok(Reply::empty(204))
}

pub fn read_by(desk: &Desk<'_>, object: &str, key: &str, value: &str, call: &Call) -> Result<Reply, Reply> {
    let field = key_field(desk, object, key)?;
    let id = only(&desk.matching(object, &field, value), object, call)?.ok_or_else(errors::not_found)?;
    shown(desk, object, id, call)
}

pub fn delete_by(desk: &mut Desk<'_>, object: &str, key: &str, value: &str, call: &Call) -> Result<Reply, Reply> {
    let field = key_field(desk, object, key)?;
    let id = only(&desk.matching(object, &field, value), object, call)?.ok_or_else(errors::not_found)?;
    desk.bin(object, id, None, Source::App)?;
    desk.relay_moved(object, id, "DELETE");
    Ok(Reply::empty(204))
}

/// 201 when it made the record, 200 when it found one, 300 when it found several.
pub fn upsert(desk: &mut Desk<'_>, object: &str, key: &str, value: &str, call: &Call) -> Result<Reply, Reply> {
    let field = key_field(desk, object, key)?;
    let mut fields = sent(call)?.clone();
    if fields.keys().any(|name| name.eq_ignore_ascii_case(&field.name)) {
        let message = format!("The {} field should not be specified in the sobject data.", field.name);
        return Err(errors::error(400, "INVALID_FIELD", &message));
    }
    let found = only(&desk.matching(object, &field, value), object, call)?;
    if found.is_none() {
        if field.name == "Id" || call.param("updateOnly") == Some("true") {
            return Err(errors::not_found());
        }
        fields.insert(field.name, json!(value));
    }
    let id = desk.save(object, found, &fields, writer(call))?;
    desk.tell(object, id);
    let mut reply = Reply::json(
        if found.is_some() { 200 } else { 201 },
        json!({"id": ids::text(object, id), "success": true, "errors": [], "created": found.is_none()}),
    );
    if found.is_none() {
        reply = reply.with("Location", &format!("{}/sobjects/{object}/{}", root(call), ids::text(object, id)));
    }
    Ok(reply)
}

impl Desk<'_> {
    /// Live records whose key has this value.
    pub fn matching(&self, object: &str, field: &Field, value: &str) -> Vec<u64> {
        if field.name == "Id" {
            return self.locate(object, value).into_iter().collect();
        }
        self.org.objects.get(object).map(|table| table.all(&field.name, value)).unwrap_or_default()
    }
}

/// A field that records can be found by: an external id, or one with the `idLookup` property.
pub fn key_field(desk: &Desk<'_>, object: &str, name: &str) -> Result<Field, Reply> {
    let field = desk.org.visible(object).find(|f| f.name.eq_ignore_ascii_case(name));
    field.filter(|f| f.external_id || f.id_lookup).cloned().ok_or_else(|| errors::no_such_key(name))
}

pub fn writer(call: &Call) -> Writer {
    let rule = call.header("sforce-duplicate-rule-header").unwrap_or_default().replace(' ', "").to_lowercase();
    Writer { source: Source::App, duplicates: rule.contains("allowsave=true") }
}

fn sent(call: &Call) -> Result<&Map<String, Value>, Reply> {
    call.json()
        .and_then(Value::as_object)
        .ok_or_else(|| errors::unreadable("The HTTP entity body is required, but this request has no entity body."))
}

fn made(object: &str, id: u64) -> Reply {
    Reply::json(201, json!({"id": ids::text(object, id), "success": true, "errors": []}))
}

/// The live record of an address; what cannot be an id is taken for the name of a key.
fn in_address(desk: &Desk<'_>, object: &str, text: &str) -> Result<u64, Reply> {
    if !matches!(text.len(), 15 | 18) {
        return Err(errors::no_such_key(text));
    }
    desk.locate(object, text).map_err(|refusal: Refusal| match refusal.code.as_str() {
        "INVALID_CROSS_REFERENCE_KEY" => errors::not_found(),
        _ => refusal.into(),
    })
}

fn only(found: &[u64], object: &str, call: &Call) -> Result<Option<u64>, Reply> {
    match found {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        several => {
            let urls: Vec<_> = several
                .iter()
                .map(|id| format!("{}/sobjects/{object}/{}", root(call), ids::text(object, *id)))
                .collect();
            Err(Reply::json(300, json!(urls)))
        }
    }
}

fn shown(desk: &Desk<'_>, object: &str, id: u64, call: &Call) -> Result<Reply, Reply> {
    let names = match call.param("fields") {
        Some(asked) => desk
            .columns(object, asked.split(',').map(str::trim))
            .map_err(|name| errors::no_such_column(object, name))?,
        None => desk.org.visible(object).map(|f| f.name.clone()).collect(),
    };
    let record = desk.org.objects.get(object).and_then(|table| table.live(id)).ok_or_else(errors::not_found)?;
    Ok(Reply::json(200, desk.show(object, record, &names, &root(call))))
}

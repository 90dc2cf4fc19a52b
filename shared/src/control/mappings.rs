//! Mappings: shown and replaced; the fields that a CRM has for them; what would be written by them.

use super::{
    call::{Call, Reply, Told},
    page::cursor,
    problem::{self, Problem},
    route::Nothing,
    settings::Stretch,
};
use crate::{
    connection::{Connection, State},
    mapping::Mapping,
    preview::Preview,
    provider::Field,
    record::{Object, RemoteField, Sort},
    remap::Rules,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// The rules of a connection for one object.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Mapping")]
pub struct Mapped {
    /// The hub's name for it.
    object: Object,
    /// As it is given back, changed or not.
    mapping: Rules,
    /// Fields that the account no longer has: their rules rest until they are back.
    set_aside: BTreeSet<RemoteField>,
}

fn mapped(object: &Object, mapping: &Mapping) -> Mapped {
    let Mapping { object: name, id_field, include, rules, set_aside, .. } = mapping.clone();
    Mapped { object: object.clone(), mapping: Rules { object: name, id_field, include, rules }, set_aside }
}

pub async fn list(call: &Call<'_>, _: Nothing) -> Told<Vec<Mapped>> {
    let connection = call.connection().await?;
    Ok(connection.mappings.iter().map(|(object, mapping)| mapped(object, mapping)).collect::<Vec<_>>().into())
}

pub async fn show(call: &Call<'_>, _: Nothing) -> Told<Mapped> {
    let (connection, object) = (call.connection().await?, call.object()?);
    let mapping = connection.mappings.get(&object).ok_or_else(|| Problem::not_found("mapping"))?;
    Ok(Reply::at(mapped(&object, mapping), mapping.version))
}

/// Rules as a person writes them: read by [`Rules::parse`], which tells every fault at once.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Written(Json);

impl JsonSchema for Written {
    fn inline_schema() -> bool {
        Rules::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        Rules::schema_name()
    }
    fn schema_id() -> Cow<'static, str> {
        Rules::schema_id()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        Rules::json_schema(schemas)
    }
}

impl Written {
    pub(super) fn read(&self) -> Result<Rules, Problem> {
        Rules::parse(&self.0.to_string()).map_err(|unfit| Problem::faults(unfit.0))
    }
}

/// What giving a connection other rules came to. It joins anew: everything is read by them, and nothing is written before it is resumed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MappingGiven")]
pub struct Given {
    #[serde(flatten)]
    mapped: Mapped,
    state: State,
    /// What an admin of the CRM must do, because its API does not let us.
    to_do: Vec<String>,
}

pub async fn give(call: &Call<'_>, written: Written) -> Told<Given> {
    let (connection, object, version) = (open(call).await?, call.object()?, call.meant_for()?);
    let rules = written.read()?;
    if connection.mappings.get(&object).map_or(0, |mapping| mapping.version) != version {
        return Err(Problem::new(problem::CHANGED, "it is not what your If-Match names any more"));
    }
    let done = call.app.remap(call.cx, &connection, &object, rules, &call.origin).await?;
    let opened = done.map_err(|unfit| Problem::faults(unfit.0))?;
    let to_do = opened.to_do();
    let Connection { state, mappings, .. } = opened.connection;
    let mapping = mappings.get(&object).ok_or_else(|| Problem::not_found("mapping"))?;
    Ok(Reply::at(Given { mapped: mapped(&object, mapping), state, to_do }, mapping.version))
}

/// A connection that is not at its end.
pub(super) async fn open(call: &Call<'_>) -> Result<Connection, Problem> {
    let connection = call.connection().await?;
    match connection.state {
        State::Closed => Err(Problem::new(problem::CONFLICT, "it was disconnected")),
        _ => Ok(connection),
    }
}

/// Which object's fields are asked for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Named {
    /// As the CRM's API names it, such as `Vehicle__c`; left out, what the object is mapped to.
    of: Option<String>,
}

/// A field of the CRM, as our token sees it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CrmField {
    name: RemoteField,
    label: String,
    writable: bool,
    unique: bool,
    /// What it takes of us. Empty: whatever we have, or nobody knows.
    takes: Vec<Sort>,
    /// Of a closed list, what is in it.
    options: Vec<String>,
}

pub async fn schema(call: &Call<'_>, Named { of }: Named) -> Told<Vec<CrmField>> {
    let (connection, object) = (open(call).await?, call.object()?);
    let known = connection.mappings.get(&object).cloned().or_else(|| connection.crm.default_mapping(&object));
    let mapping = match (of, known) {
        (Some(of), Some(known)) => Mapping { object: of, ..known },
        (Some(of), None) => Mapping::new(&of, "", Vec::new()),
        (None, known) => known.ok_or_else(|| Problem::not_found("mapping"))?,
    };
    let fields = call.app.schema(call.cx, &connection, &mapping).await?;
    let shown = |Field { name, label, writable, unique, takes, options }| CrmField {
        name,
        label,
        writable,
        unique,
        takes: takes.to_vec(),
        options,
    };
    Ok(fields.into_iter().map(shown).collect::<Vec<_>>().into())
}

/// A stretch of what a connection would write.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Previewed {
    /// By object; the counts of all stretches together are those of everybody.
    objects: BTreeMap<Object, Preview>,
    /// Where to go on; null at the end.
    next: Option<String>,
}

pub async fn preview(call: &Call<'_>, Stretch { cursor: from }: Stretch) -> Told<Previewed> {
    let connection = call.connection().await?;
    let from = call.walks_from(from.as_deref())?;
    let (objects, next) = call.app.preview_from(&connection, from, || call.has_time()).await?;
    Ok(Previewed { objects, next: next.as_ref().map(cursor) }.into())
}

//! Rules, tried on samples: nothing is written, and the CRM is asked for no more than its fields.

use super::{
    call::{Call, Told},
    mappings::{Written, open},
    problem::Problem,
};
use crate::{
    connection::Connection,
    mapping::Mapping,
    record::{Fields, Object, RemoteField, Value, canonical},
    remap::Rules,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Rules, and samples to try them on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Left out, those that the connection has.
    #[serde(default)]
    mapping: Option<Written>,
    /// Fields as the hub might have them.
    #[serde(default)]
    hub: BTreeMap<String, Json>,
    /// Fields as the CRM might show them.
    #[serde(default)]
    crm: BTreeMap<String, Json>,
}

/// What would become of the samples.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TrialOutcome")]
pub struct Tried {
    /// What the account's own fields have against the rules.
    faults: Vec<String>,
    /// Whether such a record is this CRM's business.
    included: bool,
    /// What a new record would be sent as; null clears nothing, for there is nothing.
    sends: BTreeMap<RemoteField, Option<Value>>,
    /// What the hub would take of what the CRM shows.
    takes: BTreeMap<String, Option<Value>>,
    /// Values of the samples that cannot be had, and why.
    misfits: Vec<String>,
}

pub async fn test(call: &Call<'_>, Trial { mapping, hub, crm }: Trial) -> Told<Tried> {
    let (connection, object) = (open(call).await?, call.object()?);
    let known = connection.mappings.get(&object).cloned();
    let (mapping, faults) = match mapping.map(|written| written.read()).transpose()? {
        Some(rules) => {
            let Rules { object: name, id_field, include, rules: listed } = rules.clone();
            let mapping =
                Mapping { include, region: connection.region.clone(), ..Mapping::new(&name, &id_field, listed) };
            let mapping = mapping.canonical(&object);
            let schema = call.app.schema(call.cx, &connection, &mapping).await?;
            let others = connection.mappings.keys().chain([&object]).cloned().collect();
            (mapping, rules.faults(&object, &schema, &others))
        }
        None => (known.ok_or_else(|| Problem::not_found("mapping"))?, Vec::new()),
    };
    Ok(tried(call, &connection, &mapping, &object, (&hub, &crm), faults).into())
}

fn tried(
    call: &Call<'_>,
    connection: &Connection,
    mapping: &Mapping,
    object: &Object,
    (hub, crm): (&BTreeMap<String, Json>, &BTreeMap<String, Json>),
    faults: Vec<String>,
) -> Tried {
    let (mut fields, mut misfits, mut takes) = (Fields::default(), Vec::new(), BTreeMap::new());
    let sample = (&connection.id).into();
    for (field, json) in hub {
        match Value::from_json(json) {
            Ok(value) => {
                let put = fields.put(canonical(object, field), value, call.cx.now(), &sample);
                misfits.extend(put.err().map(|misfit| misfit.to_string()));
            }
            Err(_) => misfits.push(format!("{field}: no text, number, flag or list of texts")),
        }
    }
    for (field, json) in crm {
        let Some(rule) = mapping.inbound(field) else {
            misfits.push(format!("{field}: no rule reads it"));
            continue;
        };
        match Value::from_json(json) {
            Ok(Some(shown)) => {
                let (heard, misfit) = rule.heard(&shown, &fields, &mapping.region);
                misfits.extend(misfit.map(|misfit| misfit.to_string()));
                takes.insert(rule.hub.clone(), heard);
            }
            Ok(None) if rule.clears => drop(takes.insert(rule.hub.clone(), None)),
            Ok(None) => {}
            Err(_) => misfits.push(format!("{field}: no text, number, flag or list of texts")),
        }
    }
    Tried { faults, included: mapping.includes(&fields), sends: mapping.render(&fields, None), takes, misfits }
}

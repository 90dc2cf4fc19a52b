//! Other rules for a connection: custom objects and fields, owners, pipelines, by the names that the CRM's own API has for them.

mod fits;
mod rules;
mod wrong;

pub use rules::Rules;

use crate::{
    app::App,
    connection::{Connection, State},
    context::Context,
    error::{Error, Result},
    mapping::{Mapping, Rule},
    provider::{Field, Session},
    provision::Opened,
    record::{Object, RemoteField},
};
use std::collections::BTreeSet;
use wrong::wrong;

impl Rules {
    /// What an account's fields have against these rules, each with its place. `mapped` are the objects that the connection knows.
    pub fn faults(&self, object: &Object, schema: &[Field], mapped: &BTreeSet<Object>) -> Vec<String> {
        let mapping = Mapping::new(&self.object, &self.id_field, self.rules.clone());
        wrong(object, &mapping, None, schema, mapped)
    }
}

/// What is wrong with rules, each with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Unfit(pub Vec<String>);

impl App {
    /// The fields that an account has for the object of a mapping, as our token sees them.
    pub(crate) async fn schema(&self, cx: &Context, connection: &Connection, mapping: &Mapping) -> Result<Vec<Field>> {
        self.ask(connection, cx, async |session: &Session| connection.crm.schema(session, mapping).await).await
    }

    /// The rules without those that need a field which the account does not have, and those fields.
    pub async fn spared(
        &self,
        cx: &Context,
        connection: &Connection,
        rules: Rules,
    ) -> Result<(Rules, Vec<RemoteField>)> {
        let mapping = Mapping::new(&rules.object, &rules.id_field, rules.rules.clone());
        let schema = self.schema(cx, connection, &mapping).await?;
        let lacks = |rule: &Rule| {
            let here = rule.only.as_ref().is_none_or(|only| only.object == mapping.object);
            here && !schema.iter().any(|field| field.name == rule.remote || field.label == rule.remote)
        };
        let (lacking, there): (Vec<Rule>, Vec<Rule>) = rules.rules.iter().cloned().partition(lacks);
        Ok((Rules { rules: there, ..rules }, lacking.into_iter().map(|rule| rule.remote).collect()))
    }

    /// Gives a connection other rules for an object. It joins anew: everything is read and matched by them, and nothing is
    /// written before a person approves.
    pub async fn remap(
        &self,
        cx: &Context,
        connection: &Connection,
        object: &Object,
        rules: Rules,
        origin: &str,
    ) -> Result<Result<Opened, Unfit>> {
        let Rules { object: name, id_field, include, rules } = rules;
        let mapping = Mapping { include, region: connection.region.clone(), ..Mapping::new(&name, &id_field, rules) };
        let mapping = mapping.canonical(object);
        let schema = self.schema(cx, connection, &mapping).await?;
        let mapped: BTreeSet<Object> = connection.mappings.keys().chain([object]).cloned().collect();
        let before = connection.mappings.get(object);
        let mut wrong = wrong(object, &mapping, before, &schema, &mapped);
        let lacks_room = connection.crm.default_mapping(object).is_some_and(|usual| !usual.has_room());
        if !mapping.has_room() && !lacks_room {
            wrong.push(format!("id_field: name a text field of {name} that takes no value twice"));
        }
        if !wrong.is_empty() {
            return Ok(Err(Unfit(wrong)));
        }
        let (mapping, by_hand) = self.provision_one(cx, connection, mapping).await?;
        if !by_hand.is_empty() {
            return Ok(Err(Unfit(by_hand.into_iter().map(|(field, what)| format!("{field}: {what}")).collect())));
        }
        let mapping = match before {
            Some(before) => before.succeeded_by(mapping),
            None => mapping,
        };
        let mut next = Connection { state: State::Joining, approved: false, watch: None, ..connection.clone() };
        next.mappings.insert(object.clone(), mapping);
        next.cursors.remove(object);
        if !self.store.update_connection(connection, &next).await? {
            return Err(Error::retryable("the connection changed meanwhile"));
        }
        let next = Connection { version: connection.version + 1, ..next };
        let opened = self.finish(cx, next, Vec::new(), origin).await?;
        self.read(cx, &opened.connection).await?;
        Ok(Ok(opened))
    }
}

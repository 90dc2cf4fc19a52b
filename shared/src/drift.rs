//! A CRM's fields come and go. One that is mapped and gone is set aside, and the rest goes on; when it is back, so is the rule.

use crate::{
    app::App,
    connection::Connection,
    context::Context,
    error::Result,
    mapping::Mapping,
    provider::Field,
    record::{Object, RemoteField},
    store::Exception,
};
use std::{collections::BTreeSet, time::Duration};

/// How long an answer about the fields is good enough.
const GOOD_FOR: Duration = Duration::from_secs(60);

impl App {
    /// After a refusal: whether mapped fields came or went, unless that was asked just now.
    pub async fn inspect_if_due(&self, cx: &Context, connection: &Connection) -> Result<bool> {
        // A crowd of refusals is one question.
        match self.lately.is_due(&connection.id, GOOD_FOR) {
            true => self.inspect(cx, connection).await,
            false => Ok(false),
        }
    }

    /// After a refusal of a whole call: whether the mappings are others by now than those that it was made by. Of calls that are
    /// refused beside each other one asks, and all hear what came of it.
    pub(crate) async fn is_mapped_anew(&self, cx: &Context, connection: &Connection) -> Result<bool> {
        let _doing = self.lately.doing.lock().await;
        if self.inspect_if_due(cx, connection).await? {
            return Ok(true);
        }
        let stored = self.store.connection(&connection.tenant, &connection.id).await?;
        let is_other = |(object, mapping): (&Object, &Mapping)| {
            stored
                .as_ref()
                .and_then(|stored| stored.mappings.get(object))
                .is_none_or(|now| now.version != mapping.version)
        };
        Ok(connection.mappings.iter().any(is_other))
    }

    /// Sets aside the mapped fields that the account no longer has, and takes back those that it has again. Whether there
    /// were any: then everything pending is looked through once more.
    pub async fn inspect(&self, cx: &Context, connection: &Connection) -> Result<bool> {
        let mut changed = false;
        for object in connection.mappings.keys() {
            changed |= self.inspect_one(cx, connection, object).await?;
        }
        Ok(changed)
    }

    async fn inspect_one(&self, cx: &Context, connection: &Connection, object: &Object) -> Result<bool> {
        let crm = connection.crm;
        let Some(stored) = self.store.connection(&connection.tenant, &connection.id).await? else { return Ok(false) };
        let mapping = stored.mapping(object)?.clone();
        let schema = self.ask(&stored, cx, async |session| crm.schema(session, &mapping).await).await?;
        let gone = gone(&mapping, &schema);
        // Without our own field there is nothing to go on with.
        if gone.contains(&mapping.id_field) || gone == mapping.set_aside {
            return Ok(false);
        }
        for field in gone.difference(&mapping.set_aside) {
            let reason = format!("{crm} no longer has the field {field}, or does not let us see it; its rule rests");
            let about = format!("{}:{field}", stored.id);
            let exception = Exception::new(&stored.tenant, "field_gone", &about, reason, cx);
            self.store.raise(&exception.on(&stored).field(field)).await?;
        }
        tracing::warn!(connection.id = %stored.id, %crm, gone = gone.len(), trace = cx.trace, "mapped fields came or went");
        let mapping = Mapping { set_aside: gone, version: mapping.version + 1, ..mapping };
        let mut next = Connection { owes_sweep: true, due_at: cx.now(), ..stored.clone() };
        next.mappings.insert(object.clone(), mapping);
        self.store.update_connection(&stored, &next).await
    }
}

/// The mapped fields that a schema does not have. What only another object has is not looked for here.
fn gone(mapping: &Mapping, schema: &[Field]) -> BTreeSet<RemoteField> {
    let here = mapping.rules.iter().filter(|rule| rule.only.as_ref().is_none_or(|only| only.object == mapping.object));
    let mapped = here.map(|rule| &rule.remote).chain(mapping.has_room().then_some(&mapping.id_field));
    mapped.filter(|name| !schema.iter().any(|field| field.name == **name)).cloned().collect()
}

//! What a connection would write if it were approved now. Nothing is called and nothing is written.

use crate::{
    app::App,
    connection::Connection,
    error::Result,
    planner::pending,
    record::{Link, Object, Record},
    store::Place,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Records by what would become of them in a connection's CRM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Preview {
    /// In the CRM, and known to the hub from elsewhere too.
    pub matched: usize,
    /// In the CRM alone.
    pub only_there: usize,
    /// Not in the CRM: they would be made.
    pub create: usize,
    /// In the CRM, where something that is blank there would be filled in.
    pub fill: usize,
    /// In the CRM, where something that it shows otherwise would be overwritten.
    pub overwrite: usize,
    /// In the CRM, where a person must decide about a field first.
    pub waits: usize,
}

impl Preview {
    fn add(&mut self, record: &Record, connection: &Connection) {
        let is_there = record.merged_into.is_none() && record.deleted.is_none();
        let Some(mapping) = connection.mappings.get(&record.object).filter(|_| is_there) else {
            return;
        };
        let nothing = Link::default();
        let link = record.links.get(&connection.id).unwrap_or(&nothing);
        let changes = pending(&record.fields, link, mapping);
        if link.remote.is_none() {
            self.create += usize::from(!changes.is_empty());
            return;
        }
        let ours = (&connection.id).into();
        let elsewhere = record.links.iter().any(|(id, other)| *id != connection.id && other.remote.is_some());
        let said = record.fields.iter().any(|(_, written)| written.source != ours);
        let shown = |field: &str| link.agreed.get(field).is_some_and(|agreed| agreed.theirs.is_some());
        *(if elsewhere || said { &mut self.matched } else { &mut self.only_there }) += 1;
        self.overwrite += usize::from(changes.iter().any(|change| shown(&change.field)));
        self.fill += usize::from(changes.iter().any(|change| !shown(&change.field)));
        self.waits += usize::from(!link.parked.is_empty());
    }
}

impl App {
    /// Counts over all records of the tenant, by object. They are those of the last complete pull.
    pub async fn preview(&self, connection: &Connection) -> Result<BTreeMap<Object, Preview>> {
        Ok(self.preview_from(connection, (0, None), || true).await?.0)
    }

    /// The same, from some place on and for as long as there is time; where to go on, where that is not the end.
    pub async fn preview_from(
        &self,
        connection: &Connection,
        from: Place,
        has_time: impl Fn() -> bool,
    ) -> Result<(BTreeMap<Object, Preview>, Option<Place>)> {
        let mapped = connection.mappings.keys().map(|object| (object.clone(), Preview::default()));
        let mut preview: BTreeMap<Object, Preview> = mapped.collect();
        let mut place = Some(from);
        while let Some(at) = place.take_if(|_| has_time()) {
            let (records, next) = self.store.walk(&connection.tenant, &at, PAGE).await?;
            for record in &records {
                preview.entry(record.object.clone()).or_default().add(record, connection);
            }
            place = next;
        }
        Ok((preview, place))
    }
}

/// Records of one read.
const PAGE: i32 = 500;

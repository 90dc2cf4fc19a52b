//! What begins because nothing happens: conditions that speak of `quiet_days` come to hold by time alone, so people are looked through
//! once a day.

use crate::{
    app::App, cause::By, connection::Connection, context::Context, error::Result, record::Record, sync::Pushes,
};
use jiff::{SignedDuration, Timestamp};

/// How often people are looked through.
pub const EVERY: SignedDuration = SignedDuration::from_hours(24);

impl App {
    /// Lets begin what has come to hold for these records since `then`, and hands it on.
    pub async fn begin_in_quiet(
        &self,
        cx: &Context,
        connection: &Connection,
        records: Vec<Record>,
        then: Timestamp,
        pushes: &mut Pushes,
    ) -> Result<()> {
        for record in records.into_iter().filter(|record| record.erased.is_none()) {
            if let Some(after) = self.begin_of(cx, connection, record, then).await? {
                pushes.note(after);
            }
        }
        Ok(())
    }

    /// The record after it; `None` where nothing begins.
    async fn begin_of(
        &self,
        cx: &Context,
        connection: &Connection,
        record: Record,
        then: Timestamp,
    ) -> Result<Option<Record>> {
        let begun = |record: &Record| {
            let by = By::Rules { what: "time went by".to_owned() };
            let cause = cx.cause(by);
            let mut after = Record { cause, version: record.version + 1, ..record.clone() };
            connection.settings.fire_since(then, record, &mut after, cx.now());
            (!after.cause.fired.is_empty()).then_some(after)
        };
        let done = self.store.recommit(record, &connection.region, cx.now(), begun).await;
        let (record, changed) = done.map_err(|lost| lost.error("a record keeps moving while it is looked through"))?;
        Ok(changed.then_some(record))
    }
}

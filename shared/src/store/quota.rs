//! What is left of each connection's limits: until when nobody calls, and who may make how many calls.

use super::{Store, attribute, keys, number, text, trouble, where_it_held};
use crate::{
    context::plus,
    error::{Error, Result},
    id::{ConnectionId, TenantId},
    provider::quota::{Answered, Ask, Ledger},
};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Default, Serialize, Deserialize)]
struct Quota {
    #[serde(default)]
    paused_until: Option<Timestamp>,
    /// Seconds that the last pause took.
    #[serde(default)]
    lasted: i64,
    #[serde(default)]
    ledger: Ledger,
    /// Counts the changes of the ledger.
    #[serde(default)]
    rev: u64,
}

/// A pause that begins within this after another is its continuation.
const SOON: Duration = Duration::from_secs(60);
/// The longest that a pause grows by itself.
const LONGEST: Duration = Duration::from_secs(900);
/// How often a ledger that someone else changed meanwhile is read again.
const ROUNDS: usize = 8;

impl Store {
    /// Until when nobody may call this connection's CRM.
    pub async fn paused_until(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let quota: Option<Quota> = self.get(&keys::quota(tenant, connection)).await?;
        Ok(quota.and_then(|q| q.paused_until).filter(|until| *until > now))
    }

    /// Nobody calls this connection's CRM for a while; until when. A longer pause stays. One that comes soon after
    /// another, with no call `answered` between, is twice as long as that was: a limit of hours may be told as one of seconds.
    /// What was under way when the other began does not make it longer.
    pub async fn pause(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        asked: Duration,
        answered: bool,
        now: Timestamp,
    ) -> Result<Timestamp> {
        let at = keys::quota(tenant, connection);
        let Quota { paused_until, lasted, .. } = self.get(&at).await?.unwrap_or_default();
        if let Some(until) = paused_until.filter(|until| *until >= plus(now, asked)) {
            return Ok(until);
        }
        let soon = !answered && paused_until.is_some_and(|until| until <= now && plus(until, SOON) > now);
        let twice = if soon { Duration::from_secs(2 * lasted.unsigned_abs()).min(LONGEST) } else { Duration::ZERO };
        let pause = asked.max(twice);
        let until = plus(now, pause);
        let runs = paused_until.is_some_and(|until| until > now);
        let lasted = i64::try_from(pause.as_secs()).unwrap_or_default().max(if runs { lasted } else { 0 });
        let call = self.client.update_item().table_name(&self.table).set_key(Some(at.attributes()));
        call.update_expression("SET paused_until = :until, lasted = :lasted, kind = :kind")
            .expression_attribute_values(":until", attribute(&until)?)
            .expression_attribute_values(":lasted", number(lasted))
            .expression_attribute_values(":kind", text("quota"))
            .send()
            .await
            .map_err(trouble)?;
        Ok(until)
    }

    /// Asks a connection's ledger, which changes by that. One read and one small write, unless others ask at the same time.
    pub async fn ask(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        ask: &Ask,
        now: Timestamp,
    ) -> Result<Answered> {
        let at = keys::quota(tenant, connection);
        for _ in 0..ROUNDS {
            let Quota { mut ledger, rev, .. } = self.get(&at).await?.unwrap_or_default();
            let before = ledger.clone();
            let answered = ledger.answer(ask, now);
            if ledger == before {
                return Ok(answered);
            }
            let call = self.client.update_item().table_name(&self.table).set_key(Some(at.attributes()));
            let call = call
                .update_expression("SET ledger = :ledger, rev = :next, kind = :kind")
                .expression_attribute_values(":ledger", attribute(&ledger)?)
                .expression_attribute_values(":next", number(rev + 1))
                .expression_attribute_values(":kind", text("quota"));
            let call = match rev {
                0 => call.condition_expression("attribute_not_exists(rev)"),
                _ => call
                    .condition_expression("rev = :rev")
                    .expression_attribute_values(":rev", AttributeValue::N(rev.to_string())),
            };
            if where_it_held(call.send().await)?.is_some() {
                return Ok(answered);
            }
        }
        Err(Error::retryable("everyone asks for calls at once"))
    }
}

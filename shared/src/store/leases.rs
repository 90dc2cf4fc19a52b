//! Leases on refreshing tokens, and what ends its function.

use super::{Store, attribute, keys, number, read, text, trouble, where_it_held};
use crate::{
    error::{Error, Result},
    id::{ConnectionId, TenantId},
};
use aws_sdk_dynamodb::types::ReturnValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The right to refresh a connection's token, until it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    pub owner: String,
    /// When tokens of this connection were last asked for, this time not yet among them.
    pub recent: Vec<Timestamp>,
}

#[derive(Default, Serialize, Deserialize)]
struct LeaseItem {
    #[serde(default)]
    recent: Vec<Timestamp>,
}

/// The exception's code for what ends its function.
pub const KILLS: &str = "kills_its_function";
/// What ended its function so often is not tried again.
pub const MOST_KILLS: u32 = 2;
impl Store {
    /// The lease, unless someone else has it.
    pub async fn take_lease(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        lasts: SignedDuration,
        now: Timestamp,
    ) -> Result<Option<Lease>> {
        let owner = ulid::Ulid::new().to_string();
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::lease(tenant, connection).attributes()))
            .update_expression("SET lease_owner = :owner, lease_until = :until, kind = :kind")
            .condition_expression("attribute_not_exists(lease_until) OR lease_until <= :now")
            .expression_attribute_values(":owner", text(&owner))
            .expression_attribute_values(":until", number((now + lasts).as_millisecond()))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":kind", text("lease"))
            .return_values(ReturnValue::AllNew);
        let Some(done) = where_it_held(call.send().await)? else { return Ok(None) };
        let LeaseItem { recent } = done.attributes.map(read).transpose()?.unwrap_or_default();
        Ok(Some(Lease { owner, recent }))
    }

    /// Gives a lease back, with the times of the last token requests. One that has ended already stays with its new owner.
    pub async fn return_lease(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        lease: &Lease,
        recent: &[Timestamp],
    ) -> Result<()> {
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::lease(tenant, connection).attributes()))
            .update_expression("SET recent = :recent REMOVE lease_until, lease_owner")
            .condition_expression("lease_owner = :owner")
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":recent", attribute(&recent)?);
        where_it_held(call.send().await).map(drop)
    }

    /// Notes that work on something begins, and tells how often it began before without an end. `scope` is a queue or a
    /// connection, `what` a message of it or a record.
    pub async fn begin_suspect(&self, scope: &str, what: &str, now: Timestamp) -> Result<u32> {
        let day = (now + SignedDuration::from_hours(24)).as_second();
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keys::suspect(scope, what).attributes()))
            .update_expression("SET #ttl = :ttl, kind = :kind ADD begun :one")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", number(day))
            .expression_attribute_values(":kind", text("suspect"))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew);
        let done = call.send().await.map_err(trouble)?;
        let begun = done.attributes.as_ref().and_then(|a| a.get("begun")?.as_n().ok()?.parse::<u32>().ok());
        begun.map(|n| n - 1).ok_or_else(|| Error::bug("a counter without a count"))
    }

    pub async fn clear_suspect(&self, scope: &str, what: &str) -> Result<()> {
        let call = self.client.delete_item().table_name(&self.table);
        call.set_key(Some(keys::suspect(scope, what).attributes())).send().await.map_err(trouble)?;
        Ok(())
    }
}

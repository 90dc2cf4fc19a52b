//! What a person must decide or fix.

use super::{Store, attribute, item, keys, keys::Pk, number, read, where_it_held};
use crate::{
    cause::Step,
    error::Result,
    id::{ConnectionId, RecordId, TenantId},
    planner::Decided,
    record::Value,
    request::Asker,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One open question to a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exception {
    pub tenant: TenantId,
    /// The same failure has the same id, so that a repeated message raises it once.
    pub id: String,
    /// A stable code, such as `unknown_placeholder`.
    pub code: String,
    /// What happened, for a person.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
    pub at: Timestamp,
    pub state: Open,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The message as it came, where it never became a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// How a person ended a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
    /// Of a conflict: what both sides had agreed on before, where they had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed: Option<Value>,
    pub trace: String,
    /// Sync requests that end with this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// The fetch that ends with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch: Option<Asker>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Open {
    #[default]
    Open,
    Resolved,
}

impl Store {
    /// Raises an exception, once; one that was resolved is open again.
    pub async fn raise(&self, exception: &Exception) -> Result<()> {
        tracing::warn!(code = exception.code, tenant = %exception.tenant, exception = exception.id, trace = exception.trace, "a person is needed");
        let at = keys::exception(&exception.tenant, &exception.id);
        let call = self.client.put_item().table_name(&self.table).set_item(Some(item(&at, "exception", exception)?));
        let call = call
            .condition_expression("attribute_not_exists(pk) OR #state = :resolved")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":resolved", attribute(&Open::Resolved)?);
        where_it_held(Box::pin(call.send()).await).map(drop)
    }

    /// Notes that a person has seen to it. It is kept as long as history is.
    pub async fn resolve(&self, tenant: &TenantId, id: &str, now: Timestamp) -> Result<()> {
        self.close(tenant, id, None, now).await
    }

    /// As [`Store::resolve`], with what was decided.
    pub async fn decided(&self, tenant: &TenantId, id: &str, decided: &Decided, now: Timestamp) -> Result<()> {
        self.close(tenant, id, Some(decided), now).await
    }

    async fn close(&self, tenant: &TenantId, id: &str, decided: Option<&Decided>, now: Timestamp) -> Result<()> {
        let ends = self.settings(tenant).await?.retention.ends(now);
        let call = self.client.update_item().table_name(&self.table);
        let call = call
            .set_key(Some(keys::exception(tenant, id).attributes()))
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", number(ends.as_second()))
            .expression_attribute_values(":resolved", attribute(&Open::Resolved)?);
        let call = match decided {
            Some(decided) => call
                .condition_expression("attribute_exists(pk)")
                .update_expression("SET #state = :resolved, #ttl = :ttl, decided = :decided")
                .expression_attribute_values(":decided", attribute(decided)?),
            // What has ended once is not kept for longer by being ended again.
            None => call
                .condition_expression("attribute_exists(pk) AND (#state <> :resolved OR attribute_not_exists(#ttl))")
                .update_expression("SET #state = :resolved, #ttl = :ttl"),
        };
        where_it_held(call.send().await).map(drop)
    }

    /// Removes these as if they had never been.
    pub async fn forget_exceptions(&self, tenant: &TenantId, ids: &[String]) -> Result<()> {
        self.forget(ids.iter().map(|id| keys::exception(tenant, id)).collect()).await
    }

    pub async fn exception(&self, tenant: &TenantId, id: &str) -> Result<Option<Exception>> {
        self.get(&keys::exception(tenant, id)).await
    }

    /// A page of a tenant's exceptions, and the id after which the next one begins.
    pub async fn exception_page(
        &self,
        tenant: &TenantId,
        after: Option<&str>,
        limit: i32,
    ) -> Result<(Vec<Exception>, Option<String>)> {
        let after = after.map(|id| keys::exception(tenant, id));
        let page = self.page(&keys::exceptions(tenant), "", after.as_ref(), limit).await?;
        let next = page.last_evaluated_key.as_ref().and_then(Pk::of).map(|at| at.sk);
        Ok((page.items.unwrap_or_default().into_iter().map(read).collect::<Result<_>>()?, next))
    }

    /// A tenant's exceptions, oldest id first.
    pub async fn exceptions(&self, tenant: &TenantId) -> Result<Vec<Exception>> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.page(&keys::exceptions(tenant), "", after.as_ref(), 200).await?;
            for item in page.items.unwrap_or_default() {
                all.push(read(item)?);
            }
            let Some(last) = page.last_evaluated_key else { return Ok(all) };
            let sk = last.get("sk").and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
            after = Some(keys::exception(tenant, &sk));
        }
    }
}

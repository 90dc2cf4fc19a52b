//! What a person must decide or fix.

use super::{Store, attribute, item, keys, read, where_it_held};
use crate::{
    cause::Step,
    error::Result,
    id::{ConnectionId, RecordId, TenantId},
};
use jiff::Timestamp;
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
    pub trace: String,
    /// Sync requests that end with this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Open {
    #[default]
    Open,
    Resolved,
}

impl Store {
    /// Raises an exception, once; one that was resolved is open again.
    pub async fn raise(&self, exception: &Exception) -> Result<()> {
        tracing::warn!(code = exception.code, exception = exception.id, trace = exception.trace, "a person is needed");
        let at = keys::exception(&exception.tenant, &exception.id);
        let call = self.client.put_item().table_name(&self.table).set_item(Some(item(&at, "exception", exception)?));
        let call = call
            .condition_expression("attribute_not_exists(pk) OR #state = :resolved")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":resolved", attribute(&Open::Resolved)?);
        where_it_held(call.send().await).map(drop)
    }

    /// Notes that a person has seen to it.
    pub async fn resolve(&self, tenant: &TenantId, id: &str) -> Result<()> {
        let call = self.client.update_item().table_name(&self.table);
        let call = call
            .set_key(Some(keys::exception(tenant, id).attributes()))
            .update_expression("SET #state = :resolved")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":resolved", attribute(&Open::Resolved)?);
        where_it_held(call.send().await).map(drop)
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

//! Who our tenants are. Whoever ever had a connection is among them.

use super::{Store, attribute, keys, keys::Pk, read, text, where_it_held};
use crate::{
    error::{Error, Result},
    id::TenantId,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// That there is a tenant, and since when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Tenant")]
pub struct Tenancy {
    pub id: TenantId,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub since: Timestamp,
    /// They left: nothing can be connected for them until they are taken on again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Timestamp>,
}

impl Store {
    pub async fn tenancy(&self, tenant: &TenantId) -> Result<Option<Tenancy>> {
        self.get(&keys::tenancy(tenant)).await
    }

    /// A page of all tenants, in the order of their ids, and where to go on.
    pub async fn tenants(&self, after: Option<&TenantId>, limit: i32) -> Result<(Vec<Tenancy>, Option<TenantId>)> {
        let page = self.page(keys::TENANTS, "", after.map(keys::tenancy).as_ref(), limit).await?;
        let next = page.last_evaluated_key.as_ref().and_then(Pk::of).and_then(|at| at.sk.parse().ok());
        let tenants = page.items.unwrap_or_default().into_iter().map(read).collect::<Result<_>>()?;
        Ok((tenants, next))
    }

    /// Takes a tenant on, or on again. Whether they were not among ours.
    pub async fn take_on(&self, tenancy: &Tenancy) -> Result<bool> {
        let call = self.client.put_item().table_name(&self.table);
        let call = call.set_item(Some(super::item(&keys::tenancy(&tenancy.id), "tenant", tenancy)?));
        let call = call.condition_expression("attribute_not_exists(pk) OR attribute_exists(#left)");
        Ok(where_it_held(call.expression_attribute_names("#left", "left").send().await)?.is_some())
    }

    /// Notes that a tenant is there, for whom something is connected; an error where they left.
    pub async fn settle_in(&self, tenant: &TenantId, now: Timestamp) -> Result<()> {
        let call = self.client.update_item().table_name(&self.table);
        let call = call
            .set_key(Some(keys::tenancy(tenant).attributes()))
            .update_expression("SET id = :id, kind = :kind, since = if_not_exists(since, :now)")
            .condition_expression("attribute_not_exists(#left)")
            .expression_attribute_names("#left", "left")
            .expression_attribute_values(":id", text(tenant.as_str()))
            .expression_attribute_values(":kind", text("tenant"))
            .expression_attribute_values(":now", attribute(&now)?);
        match where_it_held(call.send().await)? {
            Some(_) => Ok(()),
            None => Err(Error::Config { reason: format!("{tenant} has left: take them on again first") }),
        }
    }

    /// Notes that a tenant leaves. Whether they were among ours.
    pub async fn see_off(&self, tenant: &TenantId, now: Timestamp) -> Result<bool> {
        let call = self.client.update_item().table_name(&self.table);
        let call = call
            .set_key(Some(keys::tenancy(tenant).attributes()))
            .update_expression("SET #left = if_not_exists(#left, :now)")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#left", "left")
            .expression_attribute_values(":now", attribute(&now)?);
        Ok(where_it_held(call.send().await)?.is_some())
    }
}

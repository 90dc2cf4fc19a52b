//! What holds for all of a tenant's connections, and for all tenants.

use super::{Store, attribute, item, keys, number, text, trouble, where_it_held};
use crate::{
    alert::Alerts,
    engagement::{Effects, Scoring},
    error::Result,
    id::TenantId,
    planner::Ownership,
    settings::{Retention, Settings, Stop},
    trigger::Triggers,
    watch::Thresholds,
};
use jiff::Timestamp;

/// One of a tenant's settings.
#[derive(Clone, Copy, Debug)]
pub enum Setting<'a> {
    Ownership(&'a Ownership),
    Scoring(&'a Scoring),
    Triggers(&'a Triggers),
    Effects(&'a Effects),
    Stopped(&'a Stop),
    Watch(&'a Thresholds),
    Alerts(&'a Alerts),
    Retention(Retention),
}

impl Store {
    /// Says which source may write which of a tenant's fields, from now on.
    pub async fn set_ownership(&self, tenant: &TenantId, ownership: &Ownership) -> Result<()> {
        self.set(tenant, Setting::Ownership(ownership), None).await.map(drop)
    }

    /// Says how many points events are worth, from now on.
    pub async fn set_scoring(&self, tenant: &TenantId, scoring: &Scoring) -> Result<()> {
        self.set(tenant, Setting::Scoring(scoring), None).await.map(drop)
    }

    /// Other triggers, for what changes from now on.
    pub async fn set_triggers(&self, tenant: &TenantId, triggers: &Triggers) -> Result<()> {
        self.set(tenant, Setting::Triggers(triggers), None).await.map(drop)
    }

    /// Other rules for what is made of a tenant's events from now on.
    pub async fn set_effects(&self, tenant: &TenantId, effects: &Effects) -> Result<()> {
        self.set(tenant, Setting::Effects(effects), None).await.map(drop)
    }

    /// One of a tenant's settings; the others stay. Where a version is named, only in the place of that one. Whether it was set.
    pub async fn set(&self, tenant: &TenantId, setting: Setting<'_>, version: Option<u64>) -> Result<bool> {
        let (name, value) = match setting {
            Setting::Ownership(ownership) => ("ownership", attribute(ownership)?),
            Setting::Scoring(scoring) => ("scoring", attribute(scoring)?),
            Setting::Triggers(triggers) => ("triggers", attribute(triggers)?),
            Setting::Effects(effects) => ("effects", attribute(effects)?),
            Setting::Watch(thresholds) => ("watch", attribute(thresholds)?),
            Setting::Alerts(alerts) => ("alerts", attribute(alerts)?),
            Setting::Retention(retention) => ("retention", attribute(&retention)?),
            Setting::Stopped(stop) => ("stopped", attribute(stop)?),
        };
        let call = self.client.update_item().table_name(&self.table);
        let call = call
            .set_key(Some(keys::settings(tenant).attributes()))
            .update_expression("SET #name = :value, kind = :kind ADD version :one")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value)
            .expression_attribute_values(":kind", text("settings"))
            .expression_attribute_values(":one", number(1));
        let call = match version {
            // Nothing was ever decided, or nothing since versions are counted.
            Some(0) => call.condition_expression("attribute_not_exists(version)"),
            Some(version) => {
                call.condition_expression("version = :v").expression_attribute_values(":v", number(version))
            }
            None => call,
        };
        Ok(where_it_held(call.send().await)?.is_some())
    }

    /// That everything of all tenants is stopped.
    pub async fn stopped(&self) -> Result<Option<Stop>> {
        self.get(&keys::stop()).await
    }

    /// Stops everything, of one tenant or of all, or lets it go on.
    pub async fn set_stopped(&self, tenant: Option<&TenantId>, stop: Option<&Stop>) -> Result<()> {
        let call = self.client.update_item().table_name(&self.table);
        match (tenant, stop) {
            (Some(tenant), Some(stop)) => return self.set(tenant, Setting::Stopped(stop), None).await.map(drop),
            (Some(tenant), None) => {
                let call = call.set_key(Some(keys::settings(tenant).attributes()));
                call.update_expression("REMOVE stopped").send().await.map_err(trouble)?;
            }
            (None, Some(stop)) => {
                let stored = item(&keys::stop(), "stop", stop)?;
                let call = self.client.put_item().table_name(&self.table);
                call.set_item(Some(stored)).send().await.map_err(trouble)?;
            }
            (None, None) => {
                let call = self.client.delete_item().table_name(&self.table);
                call.set_key(Some(keys::stop().attributes())).send().await.map_err(trouble)?;
            }
        }
        Ok(())
    }

    /// That a tenant's records are looked through now, unless somebody else has said so.
    pub async fn set_looked_through(&self, tenant: &TenantId, before: Option<Timestamp>, now: Timestamp) -> Result<()> {
        let call = self.client.update_item().table_name(&self.table);
        let call = call
            .set_key(Some(keys::settings(tenant).attributes()))
            .update_expression("SET looked_through = :now, kind = :kind")
            .expression_attribute_values(":now", attribute(&now)?)
            .expression_attribute_values(":kind", text("settings"));
        let call = match before {
            Some(before) => call
                .condition_expression("looked_through = :before")
                .expression_attribute_values(":before", attribute(&before)?),
            None => call.condition_expression("attribute_not_exists(looked_through)"),
        };
        where_it_held(call.send().await).map(drop)
    }

    pub async fn settings(&self, tenant: &TenantId) -> Result<Settings> {
        Ok(self.get(&keys::settings(tenant)).await?.unwrap_or_default())
    }
}

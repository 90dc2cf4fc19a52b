//! What was seen when all of a CRM was looked through last: who was on a list, and what differed from the hub.

use super::{Store, item, keys, read, trouble};
use crate::{change::Differences, connection::Connection, error::Result, id::RemoteId, record::Object};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Serialize, Deserialize)]
struct Roster {
    /// The version of the mapping since when the list's rule is what it is.
    since: u64,
    /// Ids, with a space between: they are many.
    members: String,
}

/// What a comparison of one object came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Compared {
    pub object: Object,
    pub begun: Timestamp,
    pub ended: Timestamp,
    /// What differed was mended: it was looked at again, and what was not sent was sent.
    pub mended: bool,
    pub differences: Differences,
}

impl Store {
    /// The last comparison of each object.
    pub async fn compared(&self, connection: &Connection) -> Result<Vec<Compared>> {
        let at = keys::compared(&connection.tenant, &connection.id, "");
        self.all(&at.pk, &at.sk).await?.into_iter().map(read).collect()
    }

    pub async fn set_compared(&self, connection: &Connection, compared: &Compared) -> Result<()> {
        let at = keys::compared(&connection.tenant, &connection.id, compared.object.as_str());
        let call = self.client.put_item().table_name(&self.table).set_item(Some(item(&at, "compared", compared)?));
        call.send().await.map(drop).map_err(trouble)
    }

    /// Nobody where the list was never read by this rule.
    pub async fn roster(&self, connection: &Connection, list: &str, since: u64) -> Result<BTreeSet<RemoteId>> {
        let at = keys::roster(&connection.tenant, &connection.id, list);
        let known = self.get::<Roster>(&at).await?.filter(|roster| roster.since == since);
        let members = known.map(|roster| roster.members).unwrap_or_default();
        Ok(members.split(' ').filter_map(|id| id.parse().ok()).collect())
    }

    pub async fn set_roster(
        &self,
        connection: &Connection,
        list: &str,
        since: u64,
        members: &BTreeSet<RemoteId>,
    ) -> Result<()> {
        let at = keys::roster(&connection.tenant, &connection.id, list);
        let members: Vec<&str> = members.iter().map(RemoteId::as_str).collect();
        let roster = item(&at, "roster", &Roster { since, members: members.join(" ") })?;
        let call = self.client.put_item().table_name(&self.table).set_item(Some(roster));
        call.send().await.map(drop).map_err(trouble)
    }
}

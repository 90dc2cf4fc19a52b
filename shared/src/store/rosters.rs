//! Who was on a CRM's own list when it was read last.

use super::{Store, item, keys, trouble};
use crate::{connection::Connection, error::Result, id::RemoteId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Serialize, Deserialize)]
struct Roster {
    /// The version of the mapping since when the list's rule is what it is.
    since: u64,
    /// Ids, with a space between: they are many.
    members: String,
}

impl Store {
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

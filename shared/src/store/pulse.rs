//! What was counted on each connection, an item for each half of a day, and what the watchdog made of it.

use super::{Item, Store, item, keys, number, text, trouble};
use crate::{
    error::Result,
    id::{ConnectionId, TenantId},
    watch::{Counts, Hour, Kind, Place, Pulse, Seen},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// How long an item is kept: the days before are compared with it, by whatever hour the table forgets.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 9);
/// Hours of an item: of more it would outgrow the kilobyte that one write unit takes.
const HOURS: i64 = 12;

/// What the watchdog has told about a connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// Since when it is seen to work; `None` while a person has stopped it, or it waits for one.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// The exceptions that it has opened.
    #[serde(default)]
    pub open: BTreeMap<Kind, String>,
}

impl Store {
    /// Adds what one invocation did for a connection: one small write.
    pub async fn count(&self, tenant: &TenantId, id: &ConnectionId, counts: &Counts, now: Timestamp) -> Result<()> {
        let place = Pulse::place(now);
        let (part, hour) = (place.div_euclid(HOURS), place.rem_euclid(HOURS));
        let Hour { sessions, failed, moved, refused, timed, lag } = counts.hour;
        let added = [("s", sessions), ("f", failed), ("m", moved), ("r", refused), ("t", timed)];
        let added = added.map(|(name, more)| (name, u64::from(more))).into_iter().chain([("l", lag)]);
        let at = number(now.as_millisecond());
        let mut set = vec!["kind = :kind".to_owned(), "#ttl = :ttl".to_owned()];
        let mut add = Vec::new();
        let mut call = self.client.update_item().table_name(&self.table);
        for (name, more) in added.filter(|(_, more)| *more > 0) {
            add.push(format!("{name}{hour} :{name}"));
            call = call.expression_attribute_values(format!(":{name}"), number(more));
        }
        let mut seen = |name: &str, value| {
            set.push(format!("seen_{name} = :{name}, {name}_at = :at"));
            (format!(":{name}"), value)
        };
        let mut values = Vec::new();
        values.extend(counts.lag.map(|lag| seen("lag", number(lag.as_millis()))));
        values.extend(counts.waits.map(|since| seen("waits", number(since.map_or(0, Timestamp::as_millisecond)))));
        values.extend(counts.used.map(|used| seen("used", number(used))));
        values.extend((failed > 0).then(|| seen("failed", number(1))));
        values.extend((refused > 0).then(|| seen("refused", number(1))));
        let timed = !values.is_empty();
        for (name, value) in values {
            call = call.expression_attribute_values(name, value);
        }
        if timed {
            call = call.expression_attribute_values(":at", at);
        }
        let add = if add.is_empty() { String::new() } else { format!(" ADD {}", add.join(", ")) };
        call.set_key(Some(keys::hours(tenant, id, part).attributes()))
            .update_expression(format!("SET {}{add}", set.join(", ")))
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":kind", text("hours"))
            .expression_attribute_values(":ttl", number((now + KEPT).as_second()))
            .send()
            .await
            .map(drop)
            .map_err(trouble)
    }

    /// What is known of a connection's last days.
    pub async fn pulse(&self, tenant: &TenantId, id: &ConnectionId, now: Timestamp) -> Result<Pulse> {
        let at = keys::hours(tenant, id, 0);
        let since = Pulse::place(now) - 24 * (Pulse::DAYS + 1);
        let mut pulse = Pulse::default();
        for item in self.all(&at.pk, keys::HOURS).await? {
            let part = item.get("sk").and_then(|sk| sk.as_s().ok()).and_then(|sk| sk.strip_prefix(keys::HOURS));
            let first = part.and_then(|part| part.parse::<i64>().ok()).map(|part| part * HOURS);
            // The table forgets within days of when it should.
            if let Some(first) = first.filter(|first| *first > since - HOURS) {
                pulse.and(first, &item);
            }
        }
        Ok(pulse)
    }

    pub async fn watched(&self, tenant: &TenantId, id: &ConnectionId) -> Result<Option<Watched>> {
        self.get(&keys::watched(tenant, id)).await
    }

    pub async fn set_watched(&self, tenant: &TenantId, id: &ConnectionId, watched: &Watched) -> Result<()> {
        let stored = item(&keys::watched(tenant, id), "watched", watched)?;
        self.client.put_item().table_name(&self.table).set_item(Some(stored)).send().await.map(drop).map_err(trouble)
    }
}

impl Pulse {
    fn and(&mut self, first: Place, item: &Item) {
        let number = |name: &str| item.get(name)?.as_n().ok()?.parse::<i64>().ok();
        for hour in 0..HOURS {
            let count = |name: &str| number(&format!("{name}{hour}")).and_then(|n| u32::try_from(n).ok());
            let counted = ["s", "f", "m", "r", "t"].map(count);
            if counted.iter().any(Option::is_some) {
                let [sessions, failed, moved, refused, timed] = counted.map(Option::unwrap_or_default);
                let lag = number(&format!("l{hour}")).map_or(0, i64::unsigned_abs);
                self.hours.insert(first + hour, Hour { sessions, failed, moved, refused, timed, lag });
            }
        }
        let at = |name: &str| Timestamp::from_millisecond(number(&format!("{name}_at"))?).ok();
        let seen = |name: &str| Some(Seen { what: number(&format!("seen_{name}"))?, at: at(name)? });
        newer(&mut self.lag, seen("lag"), |ms| Duration::from_millis(ms.unsigned_abs()));
        newer(&mut self.waits, seen("waits"), |ms| Timestamp::from_millisecond(ms).ok().filter(|_| ms > 0));
        newer(&mut self.used, seen("used"), |percent| u8::try_from(percent).unwrap_or(u8::MAX));
        self.failed = self.failed.max(at("failed"));
        self.refused = self.refused.max(at("refused"));
    }
}

fn newer<T>(known: &mut Option<Seen<T>>, seen: Option<Seen<i64>>, read: impl Fn(i64) -> T) {
    if let Some(Seen { what, at }) = seen.filter(|seen| known.as_ref().is_none_or(|known| known.at < seen.at)) {
        *known = Some(Seen { what: read(what), at });
    }
}

//! What all instances share: who may make how many calls, kept in the table.

use crate::context::plus;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One connection's leases. Pure: the table keeps it, and takes no two changes at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    #[serde(default)]
    pub lent: Vec<Lent>,
    /// Who found nothing left.
    #[serde(default)]
    waiting: Vec<Waiting>,
    /// Tokens that we spent, on the day counted from the epoch.
    #[serde(default)]
    spent: (i64, u64),
    /// The largest day's budget that was told lately.
    #[serde(default)]
    most: Option<(u64, Timestamp)>,
}

/// The right to `calls` in any window that a call made before `until` is counted in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lent {
    pub holder: String,
    pub window: usize,
    pub calls: u32,
    pub until: Timestamp,
    /// From then on none of them is counted any more.
    pub gone: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Waiting {
    holder: String,
    window: usize,
    until: Timestamp,
}

/// What an instance asks for, and what it has to tell.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    pub holder: String,
    pub wishes: Vec<Wish>,
    /// Tokens that it spent since it last asked.
    pub spent: u64,
    /// The day's budget as it was told.
    pub most: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct Wish {
    pub window: usize,
    pub want: u32,
    /// Its own calls that are still counted.
    pub used: u32,
    /// What may be lent to all together.
    pub lendable: u32,
    pub lasts: Duration,
    pub lingers: Duration,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answered {
    /// By wish: what was lent, or when to ask again.
    pub wishes: Vec<Result<Lent, Timestamp>>,
    /// Tokens that all of us spent today.
    pub spent: u64,
    pub most: Option<u64>,
}

/// For so long it is remembered that someone waits.
const PATIENCE: Duration = Duration::from_secs(30);
/// A plan that was left is forgotten after so long.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(48);

impl Ledger {
    pub fn answer(&mut self, ask: &Ask, now: Timestamp) -> Answered {
        self.lent.retain(|lent| lent.gone > now);
        self.waiting.retain(|one| one.until > now);
        let day = now.as_second().div_euclid(86_400);
        self.spent = (day, ask.spent + if self.spent.0 == day { self.spent.1 } else { 0 });
        let known = self.most.filter(|(_, at)| *at > now - FORGOTTEN);
        self.most = match (known, ask.most) {
            (Some((known, at)), Some(told)) if told < known => Some((known, at)),
            (_, Some(told)) => Some((told, now)),
            (known, None) => known,
        };
        let wishes = ask.wishes.iter().map(|wish| self.lend(&ask.holder, wish, now)).collect();
        Answered { wishes, spent: self.spent.1, most: self.most.map(|(most, _)| most) }
    }

    /// A lease takes the place of the holder's last one. While someone else waits, nobody is lent more than half, and nothing
    /// who has more than that in use already: it ends first.
    fn lend(&mut self, holder: &str, wish: &Wish, now: Timestamp) -> Result<Lent, Timestamp> {
        let of_others = |lent: &&Lent| lent.window == wish.window && lent.holder != holder;
        let taken: u32 = self.lent.iter().filter(of_others).map(|lent| lent.calls).sum();
        let another_waits = self.waiting.iter().any(|one| one.window == wish.window && one.holder != holder);
        let fair = if another_waits { wish.lendable.div_ceil(2) } else { wish.lendable };
        let calls = wish.want.min(wish.lendable.saturating_sub(taken)).min(fair.max(wish.used));
        self.waiting.retain(|one| one.window != wish.window || one.holder != holder);
        if calls > wish.used || (calls == wish.used && calls > 0 && !another_waits) {
            let until = plus(now, wish.lasts);
            let lent =
                Lent { holder: holder.to_owned(), window: wish.window, calls, until, gone: plus(until, wish.lingers) };
            self.lent.retain(|old| old.window != wish.window || old.holder != holder);
            self.lent.push(lent.clone());
            return Ok(lent);
        }
        let free = self.lent.iter().filter(of_others).map(|lent| lent.gone).min();
        if free.is_some() {
            let waits = Waiting { holder: holder.to_owned(), window: wish.window, until: plus(now, PATIENCE) };
            self.waiting.push(waits);
        }
        Err(free.unwrap_or(plus(now, wish.lingers)))
    }
}

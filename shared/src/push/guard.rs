//! Before anything is written: what may be a mistake because it is so much waits for a person.

use super::{
    Job,
    item::{End, Item},
};
use crate::{
    error::Result,
    planner::{Mass, masses},
    sync::count,
};

impl Job<'_> {
    /// Holds back what is too much.
    pub(super) async fn guard(&self, items: &mut [Item]) -> Result<()> {
        if self.connection.is_free(self.cx.now()) {
            return Ok(());
        }
        let mut parts: Vec<(Vec<Mass>, &mut Item)> = items
            .iter_mut()
            .filter(|item| item.is_open())
            .map(|item| (masses(&item.pending(self.mapping), &item.link), item))
            .collect();
        for mass in [Mass::Blanks, Mass::Writes] {
            let of_it = parts.iter_mut().filter(|(masses, item)| item.is_open() && masses.contains(&mass));
            let mut part: Vec<&mut Item> = of_it.map(|(_, item)| &mut **item).collect();
            if self.is_too_much(mass, &part).await? {
                part.iter_mut().for_each(|item| item.end = End::Stuck { code: mass.code() });
            }
        }
        Ok(())
    }

    async fn is_too_much(&self, mass: Mass, part: &[&mut Item]) -> Result<bool> {
        if self.connection.held.as_ref().is_some_and(|held| held.mass == mass) {
            return Ok(true);
        }
        let guard = self.connection.policy.guards(mass);
        let more = part.iter().map(|item| guard.weight(&item.record.id)).sum();
        if more == 0 {
            return Ok(false);
        }
        let counted = count(self.app, self.cx, self.connection, self.object, mass, more).await?;
        if let Some(counted) = counted.too_many {
            self.app.hold(self.cx, self.connection, mass, counted).await?;
        }
        Ok(counted.too_many.is_some())
    }
}

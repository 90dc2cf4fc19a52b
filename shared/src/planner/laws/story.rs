//! How a world is printed when a law fails in it.

use super::world::{World, time};
use crate::record::Value;
use std::{collections::BTreeSet, fmt};

impl fmt::Debug for World {
    /// What was done, and what came of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spell = |value: Option<&Value>| value.map_or("-".to_owned(), ToString::to_string);
        writeln!(f, "a clock of {} ms, {:?}", self.tick, self.policy)?;
        self.story.iter().try_for_each(|act| writeln!(f, "  {act}"))?;
        for (field, written) in self.hub.iter() {
            writeln!(f, "hub {field} = {} by {} at {}", spell(written.value.as_ref()), written.source, written.at)?;
        }
        for side in &self.sides {
            let link = &side.link;
            writeln!(
                f,
                "{} {:?} echoes={} {:?} link {:?}",
                side.connection,
                side.crm.quirk,
                side.crm.echoes,
                time(side.crm.modified),
                link.modified
            )?;
            let fields: BTreeSet<_> = side.crm.shown.keys().chain(link.agreed.keys()).collect();
            for field in fields {
                let agreed =
                    link.agreed.get(field).map(|a| (spell(a.ours.as_ref()), spell(a.theirs.as_ref()), a.unseen));
                let own = link.overrides.get(field).map(|w| spell(w.value.as_ref()));
                let (shown, parked) = (spell(side.crm.shown.get(field)), link.parked.contains(field));
                writeln!(f, "  {field} = {shown}; agreed {agreed:?}, own {own:?}, parked {parked}")?;
            }
        }
        Ok(())
    }
}

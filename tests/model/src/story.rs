//! How a counterexample is told.

use crate::{item::word, protocol::Act, world::*};
use std::fmt;

/// What happened, line by line, and what it led to.
pub fn told(path: Vec<(World, Option<Act>)>) -> String {
    let mut before = String::new();
    let mut line = |(world, act): (World, Option<Act>)| {
        let now = format!("    {world}\n");
        let news = if now == before { String::new() } else { now.clone() };
        before = now;
        news + &act.map_or(String::new(), |act| format!("{act:?}\n"))
    };
    path.into_iter().map(&mut line).collect()
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hub")?;
        for (_, written) in self.item.hub.iter() {
            write!(f, " {} by {}", word(written.value.as_ref()), written.source)?;
        }
        for (crm, link) in self.item.links.iter().enumerate() {
            let shown: String = self.crms[crm].shown.iter().take(link.agreed.len()).collect();
            write!(f, " | crm-{crm} shows {shown}, agreed")?;
            for agreed in link.agreed.values() {
                let (ours, theirs) = (word(agreed.ours.as_ref()), word(agreed.theirs.as_ref()));
                write!(f, " {ours}/{theirs}{}", if agreed.unseen { "?" } else { "" })?;
            }
        }
        Ok(())
    }
}

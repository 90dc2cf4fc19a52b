//! What may be a mistake because it is so much: it waits for a person.

use super::{Change, Policy};
use crate::{id::RecordId, mutant, record::Link};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What is counted, each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mass {
    /// Remotes that a CRM's users deleted.
    Deletions,
    /// Records that are written to a CRM though no sync request asks for it.
    Writes,
    /// Records that would lose a value in a CRM, whoever asks for it.
    Blanks,
}

impl Mass {
    /// The name of its count in the store.
    pub fn name(self) -> &'static str {
        match self {
            Mass::Deletions => "deletions",
            Mass::Writes => "writes",
            Mass::Blanks => "blanks",
        }
    }

    /// The code of the exception that asks about it.
    pub fn code(self) -> &'static str {
        match self {
            Mass::Deletions => "mass_delete",
            Mass::Writes => "mass_write",
            Mass::Blanks => "mass_blank",
        }
    }
}

impl Policy {
    /// How much of it is a person's decision.
    pub fn guards(&self, mass: Mass) -> Guard {
        match mass {
            Mass::Deletions => self.guard,
            Mass::Writes => self.writes,
            Mass::Blanks => self.blanks,
        }
    }
}

/// How many within an hour are a person's decision: more than so many, or more than such a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Guard {
    pub most: u32,
    /// Percent of the remotes that the connection knows …
    pub share: u32,
    /// … of which so many may be whatever share that is.
    pub few: u32,
}

impl Default for Guard {
    fn default() -> Guard {
        Guard { most: 500, share: 20, few: 20 }
    }
}

/// A sample of so many stands for a count: it is right within some percent.
const SAMPLE: u32 = 320;
/// The most that one of a sample stands for.
const SPARSEST: u32 = 16;

impl Guard {
    /// Of what is written: however small the account, only the number counts.
    pub fn of_writes() -> Guard {
        Guard { most: 5_000, share: 100, few: 5_000 }
    }

    /// Of values that are lost.
    pub fn of_blanks() -> Guard {
        Guard { most: 1_000, share: 10, few: 20 }
    }

    /// Whether so many may be in an hour. `known` counts the connection's remotes that were there before; no more of them
    /// than [`Guard::enough`] need be counted.
    pub fn allows(&self, count: u32, known: u64) -> bool {
        if mutant::lives("a_mass_may_go") {
            return true;
        }
        count <= self.most && (count <= self.few || u64::from(count) * 100 <= u64::from(self.share) * known)
    }

    /// Of so many known remotes `count` are no more than the share; `None` where no share is asked for.
    pub fn enough(&self, count: u32) -> Option<u64> {
        let asked = count > self.few && count <= self.most && self.share > 0;
        asked.then(|| (u64::from(count) * 100).div_ceil(u64::from(self.share)))
    }

    /// For how many a record counts: where thousands may be, one in several is counted and stands for them, so that a lone change costs no
    /// write.
    pub fn weight(&self, record: &RecordId) -> u32 {
        let every = (self.few.min(self.most) / SAMPLE).clamp(1, SPARSEST);
        let digest = Sha256::digest(record.as_str());
        match u32::from(digest.first().copied().unwrap_or_default()) % every {
            0 => every,
            _ => 0,
        }
    }
}

/// What a push of these changes is part of. Those that requests await are asked for.
pub fn masses(changes: &[Change], link: &Link) -> Vec<Mass> {
    let blanks = |field: &str| link.agreed.get(field).is_some_and(|agreed| agreed.theirs.is_some());
    let blanked = changes.iter().any(|change| change.value.is_none() && blanks(&change.field));
    let unasked = !changes.is_empty() && link.awaiting.is_empty();
    [(Mass::Blanks, blanked), (Mass::Writes, unasked)].into_iter().filter(|(_, is)| *is).map(|(mass, _)| mass).collect()
}

#[cfg(test)]
mod tests {
    use super::Guard;
    use crate::id::RecordId;

    fn counted(guard: Guard, records: u32) -> u32 {
        let id = |n: u32| RecordId::try_from(format!("01M81GG3TKPCVM374NP11{n:05}")).unwrap();
        (0..records).map(|n| guard.weight(&id(n))).sum()
    }

    #[test]
    fn few_are_counted_one_by_one_and_thousands_by_a_sample() {
        assert_eq!(counted(Guard { few: 300, ..Guard::of_writes() }, 1_000), 1_000);
        assert_eq!(counted(Guard::of_blanks(), 1_000), 1_000);
        let sampled = counted(Guard::of_writes(), 10_000);
        assert!((9_000..=11_000).contains(&sampled), "{sampled}");
    }
}

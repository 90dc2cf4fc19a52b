//! What the pump does to messages, and numbers by which it does so.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the pump does to messages.
#[derive(Default)]
pub(crate) struct Chaos {
    /// Every batch is handled twice, as SQS may.
    pub(crate) twice: bool,
    /// Batches and their messages come in any order.
    pub(crate) shuffle: Option<Random>,
}

/// Numbers that only look random: the same for one seed.
pub(crate) struct Random(AtomicU64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(AtomicU64::new(seed))
    }

    /// Below `n`.
    pub(crate) fn below(&self, n: usize) -> usize {
        // SplitMix64, public domain: <https://prng.di.unimi.it/splitmix64.c>
        let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    pub(crate) fn shuffle<T>(&self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

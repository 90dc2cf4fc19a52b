//! The laws of the planner, in worlds of one hub and a few simulated CRMs.
//!
//! Each law is a sentence; each rule has a mutant under which a law fails. A counterexample that was
//! found once is kept as a named case in `regressions`.

mod acts;
mod blanks;
mod computed;
mod crm;
mod deletions;
mod fights;
mod forms;
mod fresh;
mod included;
mod life;
mod meeting;
mod order;
mod ownership;
mod pipeline;
mod policy;
mod races;
mod refusals;
mod regressions;
mod rest;
mod story;
mod values;
mod world;

use proptest::test_runner::{Config, RngAlgorithm, RngSeed};
use std::hash::{BuildHasher, Hasher, RandomState};

/// How many cases a law is tried on; `PROPTEST_CASES=25600` tries a hundred times as many. The seed is printed, and
/// `PROPTEST_RNG_SEED` repeats it.
pub(crate) fn cases(cases: u32) -> Config {
    // The random numbers need not be good; the default ones took a third of the time.
    let rng_algorithm = RngAlgorithm::XorShift;
    let asked = Config { rng_algorithm, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let cases = cases * asked.cases.div_ceil(256);
    let seed = match asked.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().build_hasher().finish(),
    };
    println!("{cases} cases from PROPTEST_RNG_SEED={seed}");
    Config { cases, max_global_rejects: 8 * cases, rng_seed: RngSeed::Fixed(seed), ..asked }
}

//! The laws of the planner, in worlds of one hub and a few simulated CRMs.
//!
//! Each law is a sentence; each rule has a mutant (a cargo feature) under which a law fails. A counterexample that was
//! found once is kept as a named case in `regressions`.

mod acts;
mod blanks;
mod computed;
mod crm;
mod deletions;
mod fights;
mod fresh;
mod included;
mod life;
mod meeting;
mod ownership;
mod policy;
mod races;
mod refusals;
mod regressions;
mod rest;
mod story;
mod values;
mod world;

use proptest::test_runner::{Config, RngAlgorithm};

/// How many cases a law is tried on; `PROPTEST_CASES=25600` tries a hundred times as many.
pub(crate) fn cases(cases: u32) -> Config {
    // The random numbers need not be good; the default ones took a third of the time.
    let rng_algorithm = RngAlgorithm::XorShift;
    let asked = Config { rng_algorithm, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let cases = cases * asked.cases.div_ceil(256);
    Config { cases, max_global_rejects: 8 * cases, ..asked }
}

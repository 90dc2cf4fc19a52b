//! The laws of the planner, in worlds of one hub and a few simulated CRMs.
//!
//! Each law is a sentence; each of the rules has a mutant (a cargo feature) under which a law fails.

mod acts;
mod blanks;
mod crm;
mod fights;
mod fresh;
mod life;
mod policy;
mod races;
mod refusals;
mod regressions;
mod rest;
mod values;
mod world;

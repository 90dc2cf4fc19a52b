//! The system as a whole. AWS is an emulator with the real SDKs in front of it; the CRMs are the simulator, by real HTTP;
//! the functions' stories run in this process, so that a test can kill them between any two steps.
//!
//! `cargo dev test` brings the emulator and the browser; see `aws.rs` and `browser.rs` where they are looked for.

#![expect(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    clippy::panic,
    reason = "a test says what it expects by unwrapping it"
)]

mod acts;
mod admin;
mod alarms;
mod alerts;
mod audit;
mod authorizer;
mod aws;
mod billed;
mod browser;
mod bus;
mod card;
mod chaos;
mod connect;
mod contract;
mod control;
mod costs;
mod dashboard;
mod ear;
mod engine;
mod face;
mod faults;
mod gateway;
mod growth;
mod handlers;
mod imports;
mod invoked;
mod joining;
mod kinds;
mod laws;
mod mappings;
mod meter;
mod overview;
mod people;
mod pipedrive;
mod refresh;
mod replay;
mod retention;
mod salesforce;
mod schema;
mod stage;
mod store;
mod story;
mod stream;
mod tidy;
mod timed;
mod uploads;
mod verdicts;
mod visitor;
mod world;

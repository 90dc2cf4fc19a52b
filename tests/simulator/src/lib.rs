//! A CRM simulator: one [`World`] of accounts, records, clock and faults behind the vendors' own HTTP faces.
//!
//! * `/hubspot/…`, `/zoho/…`, `/salesforce/…` and `/pipedrive/…` answer as the vendor documents it; each route names the page it stands on.
//! * `/issuer/…` is an OpenID Connect issuer, by whose tokens the people who run a tenant are known.
//! * `/slack/…`, `/telegram/…`, `/pagerduty/…` and `/hook/…` take what people are told (see [`alerts`]).
//! * `/_sim/…` steers the world: edit as a CRM user, break things, count calls (see [`sim_routes`]).
//!
//! ```no_run
//! # async fn f() -> std::io::Result<()> {
//! let sim = simulator::Simulator::start(simulator::Options::default()).await?;
//! println!("{}", sim.url);
//! sim.stop().await;
//! # Ok(()) }
//! ```
//!
//! Code map: `server` (sockets) → `serve` (faults, holds, log) → `hubspot` | `zoho` | `salesforce` | `pipedrive` (wire faces) → `records` (tables);
//! `webhooks` carries what the faces emit; `consent` is where a person approves an app, in a browser.

pub mod accounts;
pub mod alerts;
pub mod calls;
pub mod clock;
pub mod codes;
pub mod consent;
pub mod consent_page;
pub mod faults;
pub mod grants;
pub mod hubspot;
pub mod issuer;
pub mod lists;
pub mod phones;
pub mod pipedrive;
pub mod records;
pub mod salesforce;
pub mod serve;
pub mod server;
pub mod sim_edits;
pub mod sim_routes;
pub mod webhooks;
pub mod wire;
pub mod world;
pub mod zoho;

pub use server::{Options, Simulator};
pub use world::{Shared, World};

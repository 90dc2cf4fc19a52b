//! Everything that the functions share. In reading order:
//!
//! * **meaning**, pure: [`id`], [`alert`], [`record`], [`mapping`], [`planner`], [`request`], [`rows`], [`engagement`], [`cause`], [`scope`], [`change`], [`connection`], [`trigger`], [`watch`], [`settings`]
//! * **provider**, which speaks HTTP and knows no AWS: [`provider`]
//! * **platform**, which is AWS: [`app`], [`store`], [`history`], [`secrets`], [`queue`], [`files`], [`events`], [`telemetry`]
//! * the flows on top of them: [`auth`], [`rotation`], [`alerting`], [`provision`], [`connecting`], [`brought`], [`drift`], [`compare`], [`doctor`], [`preview`], [`explain`], [`erasure`], [`rename`], [`rescore`], [`retry`], [`quiet`], [`switches`], [`undo`], [`watchdog`], [`sync`], [`profile`], [`fetch`], [`inbox`], [`import`], [`export`], [`push`], [`control`], [`dashboard`], and one story per function in [`handler`]
//!
//! A layer names only those above it in this list.

pub mod id;

pub mod alert;
pub mod cause;
pub mod change;
pub mod connection;
pub mod engagement;
pub mod error;
pub mod mapping;
pub mod mutant;
pub mod planner;
pub mod record;
pub mod request;
pub mod rows;
pub mod scope;
pub mod settings;
pub mod trigger;
pub mod watch;

pub mod provider;

pub mod app;
pub mod context;
pub mod events;
pub mod files;
pub mod history;
pub mod queue;
pub mod secrets;
pub mod store;
pub mod telemetry;

pub mod alerting;
pub mod auth;
pub mod brought;
pub mod compare;
pub mod connecting;
pub mod control;
pub mod dashboard;
pub mod decisions;
pub mod doctor;
pub mod drift;
pub mod erasure;
pub mod explain;
pub mod export;
pub mod fetch;
pub mod import;
pub mod inbox;
pub mod preview;
pub mod profile;
pub mod provision;
pub mod push;
pub mod quiet;
pub mod remap;
pub mod rename;
pub mod rescore;
pub mod retry;
pub mod rotation;
pub mod switches;
pub mod sync;
pub mod undo;
pub mod watchdog;

pub mod handler;
mod run;

pub use app::App;
pub use run::run;

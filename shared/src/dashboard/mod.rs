//! The dashboard: what the control API tells and does, for people, in a browser.
//!
//! It has no way of its own to anything: whoever has logged in ([`login`], [`session`]) asks at the table of routes ([`desk`]), as a
//! program does with a token, and what comes back is shown. A form is a call of a route too ([`act`]).

pub mod act;
pub mod desk;
pub mod frame;
pub mod login;
pub mod session;

mod conflicts;
mod connecting;
mod erasure;
mod exceptions;
mod explained;
mod files;
mod find;
mod history;
mod import;
mod mapping;
mod overview;
mod pulse;
mod record;
mod tenants;
mod undo;
pub mod words;

pub use conflicts::conflicts;
pub use connecting::linked;
pub use erasure::erasure;
pub use exceptions::exceptions;
pub use files::{Asked as Filed, files, import_file, saved};
pub use find::{Asked as Looked, find};
pub use import::import;
pub use mapping::{change, mapping};
pub use overview::overview;
pub use record::record;
pub use tenants::tenants;
pub use undo::{Asked as ToUndo, undo};

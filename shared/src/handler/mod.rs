//! One story per function: an event in, what it does, its answer.

mod accounts;
mod alert;
mod bus;
mod connect;
mod control;
mod dashboard;
mod deletions;
mod delta_pull;
mod door;
mod due;
mod fetching;
mod gateway;
mod import;
mod journal;
mod listing;
mod login;
mod messages;
mod outbound;
mod reconcile;
mod replay;
mod token_refresh;
mod watchdog;
mod webhook;

pub(crate) use accounts::Accounts;
pub use alert::alert;
pub use connect::connect;
pub use control::control;
pub use delta_pull::{PullEvent, delta_pull};
pub use import::import;
pub use journal::journal;
pub use outbound::outbound;
pub use reconcile::reconcile;
pub use replay::Missed;
pub use token_refresh::token_refresh;
pub use watchdog::watchdog;
pub use webhook::webhook;

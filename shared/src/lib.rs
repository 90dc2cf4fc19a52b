pub mod cause;
pub mod change;
pub mod connection;
pub mod id;
pub mod mapping;
pub mod planner;
pub mod provider;
pub mod record;

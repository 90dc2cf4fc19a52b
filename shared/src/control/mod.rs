//! The control API: what the people who run a tenant ask and decide, over HTTP.
//!
//! [`routes`] is the one table of what there is and who may call it; the document that is served is made of it and of the types.

pub mod access;
pub mod call;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod route;
pub mod routes;

mod comparing;
mod connections;
mod erasure;
mod exceptions;
mod exports;
mod history;
mod imports;
mod mappings;
mod pulse;
mod records;
mod settings;
mod switches;
mod tenants;
mod trial;
mod undo;

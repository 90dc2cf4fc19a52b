//! The protocol between hub, CRMs and workers, explored step by step in every order. The planner is the product's own.
//!
//! There is one record, linked to a remote in each of two CRMs; two workers; and four kinds of message. Users edit either CRM,
//! the product says what a field is to be, and whatever waits is delivered: at once, late, twice, or (a CRM's own
//! delivery) never. A worker reads and writes one thing at a time. Between any two of its steps others go on, or it
//! dies, and its message comes back. The first CRM repeats what it was sent; the second one knows capital letters only, and is
//! read again after a write, where that does not fail.
//!
//! What is not here: finding and making remotes, deletions, merges, references, requests' own fields, ownership, the policies but the
//! default one, refusals, blanks, and clocks that are wrong or coarse. Revisions are not counted: a record is its own version.
//! Of a worker that dies while it sends, nothing or all was sent.
#![cfg(test)]

mod explored;
mod item;
mod memo;
mod properties;
mod protocol;
mod story;
mod verdicts;
mod worker;
mod world;

//! The system in simulated time: a call takes as long as it is said to, waiting costs nothing, and what Lambda and SQS do by the
//! clock (windows, delays, one batch of a group at a time) they do by this one.

mod lambda;
mod latency;
mod reliable;
mod rush;
mod time;

pub(crate) use lambda::Lambda;
pub(crate) use time::Time;

//! One file per subcommand.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod deliver;
pub(crate) mod demo;
pub(crate) mod down;
pub(crate) mod edit;
pub(crate) mod invoke;
pub(crate) mod logs;
pub(crate) mod new_provider;
pub(crate) mod policies;
pub(crate) mod seed;
pub(crate) mod send;
pub(crate) mod test;
pub(crate) mod token;
pub(crate) mod trace;
pub(crate) mod up;

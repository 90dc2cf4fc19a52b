//! One file per subcommand.

pub(crate) mod check;
pub(crate) mod down;
pub(crate) mod invoke;
pub(crate) mod logs;
pub(crate) mod test;
pub(crate) mod trace;
pub(crate) mod up;

//! Mutants: each breaks one rule of the protocol on purpose, so that the tests show that they notice. The manifests of the
//! packages whose tests notice them list them; `cargo dev test` lets them live one by one.

/// Whether this rule is broken: in a debug build, where the environment's `MUTANT` is its name.
#[cfg(debug_assertions)]
#[expect(clippy::disallowed_methods, reason = "a test binary is told in no other way")]
pub fn lives(name: &str) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<String>> = std::sync::LazyLock::new(|| std::env::var("MUTANT").ok());
    CHOSEN.as_deref() == Some(name)
}

/// Nothing is broken in what runs in AWS.
#[cfg(not(debug_assertions))]
#[inline]
pub const fn lives(_: &str) -> bool {
    false
}

//! How far the protocol is explored: all that can happen within a size.

use crate::{
    protocol::{Protocol, Size},
    story::told,
};
use stateright::{Checker, HasDiscoveries, Model};
use std::time::Instant;

/// In every run of the tests.
const QUICK: &[Size] = &[
    Size { edits: 1, fields: 2, ..LITTLE },
    Size { edits: 2, workers: 1, ..LITTLE },
    Size { edits: 2, workers: 1, tells: true, ..LITTLE },
    Size { edits: 1, says: 1, mishaps: false, ..LITTLE },
    Size { says: 1, ..LITTLE },
];

/// What fits into five minutes; for `MODEL=full`.
const FULL: &[Size] = &[
    Size { edits: 2, ..LITTLE },
    Size { says: 1, tells: true, ..LITTLE },
    Size { edits: 1, says: 1, workers: 1, tells: true, ..LITTLE },
    Size { edits: 1, says: 1, workers: 1, fields: 2, ..LITTLE },
];

const LITTLE: Size = Size { fields: 1, words: &['o', 'a'], edits: 0, says: 0, workers: 2, tells: false, mishaps: true };

#[test]
fn every_order_ends_well() {
    #[expect(clippy::disallowed_methods, reason = "a test asks how far it is to go")]
    let is_full = std::env::var("MODEL").is_ok_and(|how| how == "full");
    for size in if is_full { FULL } else { QUICK } {
        explore(*size);
    }
}

fn explore(size: Size) {
    let begun = Instant::now();
    let checker = Protocol::new(size).checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    println!(
        "{size:?}: {} states, {} steps, {} deep, {:.1?}",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        begun.elapsed()
    );
    for (name, path) in checker.discoveries() {
        let fails = checker.model().property(name).expectation.discovery_is_failure();
        let path = path.into_vec();
        assert!(!fails, "\nnot so, after {} steps: {name}\n{}", path.len() - 1, told(path));
    }
    assert!(checker.is_done());
    checker.assert_properties();
}

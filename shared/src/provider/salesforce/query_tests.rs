use super::*;
use proptest::prelude::*;

#[test]
fn quotes_and_backslashes_are_escaped() {
    assert_eq!(literal(r"o'neill\x@example.com"), r"'o\'neill\\x@example.com'");
    assert_eq!(time("2026-11-21T09:00:00.7Z".parse().unwrap()), "2026-11-21T09:00:00Z");
}

proptest! {
    #[test]
    fn every_value_is_in_exactly_one_list_and_no_list_is_too_long(values in prop::collection::btree_set("[a-z']{1,60}@[a-z]{1,20}", 0..400)) {
        let lists = lists(values.iter().cloned().collect());
        let joined: Vec<String> = values.iter().map(|value| literal(value)).collect();
        prop_assert_eq!(lists.join(","), joined.join(","));
        for list in &lists {
            prop_assert!(encoded(list).len() <= MOST_BYTES, "{}", list.len());
        }
        prop_assert!(values.is_empty() == lists.is_empty());
    }
}

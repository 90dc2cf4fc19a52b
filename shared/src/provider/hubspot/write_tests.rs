use super::*;
use crate::planner::Change;
use proptest::prelude::*;

fn row(nth: usize, field: &str, value: &str) -> Write {
    let change = Change { field: field.to_owned(), value: Value::text(value) };
    Write {
        record: format!("record-{nth}").parse().unwrap(),
        remote: Some(format!("{}", 100 + nth).parse().unwrap()),
        changes: vec![change],
    }
}

/// HubSpot's refusal of the first row that sends `bad` values, as one call answers it.
fn refused(message: &str, code: &str, field: &str) -> Refusal {
    Refusal::of(
        &json!({"category": "VALIDATION_ERROR", "message": format!("Property values were not valid: {}", json!([{"message": message, "error": code, "name": field}]))}),
    )
}

/// Sends all rows as `write` does, to a HubSpot that `judges` a call; which rows were refused, and the calls it took.
fn sent(writes: &[Write], judges: impl Fn(&[usize]) -> Option<Refusal>) -> (Vec<usize>, usize) {
    let mapping = crate::provider::of_people(crate::provider::Crm::HubSpot);
    let batch = Batch { mapping: &mapping, kind: Kind::Create, writes };
    let (mut left, mut out, mut done, mut calls) = (vec![(0..writes.len()).collect::<Places>()], Vec::new(), 0, 0);
    while let Some(places) = left.pop() {
        if places.is_empty() {
            continue;
        }
        calls += 1;
        match judges(&places) {
            None => done += places.len(),
            Some(refusal) => {
                let parts = batch.part(&refusal, places);
                out.extend(parts.refused);
                left.extend(parts.others);
            }
        }
    }
    out.sort_unstable();
    assert_eq!(done + out.len(), writes.len(), "each row has one end");
    (out, calls)
}

#[test]
fn a_row_that_the_answer_quotes_is_found_in_three_calls() {
    let mut writes: Vec<Write> = (0..100).map(|nth| row(nth, "email", &format!("e{nth}@example.com"))).collect();
    writes[37] = row(37, "email", "not-an-address");
    let judges = |places: &[usize]| {
        places.contains(&37).then(|| refused("Email address not-an-address is invalid", "INVALID_EMAIL", "email"))
    };
    assert_eq!(sent(&writes, judges), (vec![37], 3));
}

#[test]
fn a_property_that_does_not_exist_sinks_its_rows_and_no_others() {
    let writes: Vec<Write> =
        (0..100).map(|nth| row(nth, if nth % 2 == 0 { "foo" } else { "phone" }, &nth.to_string())).collect();
    let judges =
        |places: &[usize]| places.iter().any(|nth| nth % 2 == 0).then(|| refused("no", "PROPERTY_DOESNT_EXIST", "foo"));
    assert_eq!(sent(&writes, judges), ((0..100).step_by(2).collect(), 2));
}

#[test]
fn one_bad_value_in_all_rows_is_refused_in_one_call() {
    let writes: Vec<Write> = (0..100).map(|nth| row(nth, "hs_lead_status", "No such")).collect();
    assert_eq!(
        sent(&writes, |_| Some(refused(
            "No such was not one of the allowed options",
            "INVALID_OPTION",
            "hs_lead_status"
        )))
        .1,
        1
    );
}

#[test]
fn an_answer_that_blames_nobody_is_halved_down_to_the_row() {
    let writes: Vec<Write> = (0..100).map(|nth| row(nth, "email", &format!("e{nth}@example.com"))).collect();
    let judges = |places: &[usize]| {
        places
            .contains(&99)
            .then(|| Refusal::of(&json!({"message": "Contact already exists. Existing ID: 5", "category": "CONFLICT"})))
    };
    let (refused, calls) = sent(&writes, judges);
    assert_eq!(refused, [99]);
    assert!(calls <= 15, "{calls}");
}

proptest! {
    #[test]
    fn no_innocent_row_is_refused_and_no_guilty_one_accepted(
        values in prop::collection::vec("[ab]{1,2}", 1..40), guilty in prop::collection::btree_set("[ab]{1,2}", 0..4), vague in any::<bool>(),
    ) {
        let writes: Vec<Write> = values.iter().enumerate().map(|(nth, value)| row(nth, "phone", value)).collect();
        let judges = |places: &[usize]| {
            let first = places.iter().find(|nth| guilty.contains(&values[**nth]))?;
            Some(if vague { Refusal::of(&Json::Null) } else { refused(&format!("{} was refused", values[*first]), "INVALID", "phone") })
        };
        let expected: Vec<usize> = (0..values.len()).filter(|nth| guilty.contains(&values[*nth])).collect();
        prop_assert_eq!(sent(&writes, judges).0, expected);
    }
}

fn noted(kind: Kind, writes: &[Write], body: &Json) -> Vec<Option<Outcome>> {
    let mapping = crate::provider::of_people(crate::provider::Crm::HubSpot);
    let mut outcomes = vec![None; writes.len()];
    Batch { mapping: &mapping, kind, writes }.note(body, &mut outcomes);
    outcomes
}

fn remote_of(outcome: &Option<Outcome>) -> &str {
    match outcome {
        Some(Outcome::Written { remote, .. }) => remote.as_str(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn results_are_matched_by_trace_by_our_id_and_by_theirs_in_any_order() {
    let writes: Vec<Write> = (0..3).map(|nth| row(nth, "phone", "1")).collect();
    let traced = json!({"results": [{"id": "9", "objectWriteTraceId": "2"}, {"id": "8", "objectWriteTraceId": "0"}, {"id": "7", "objectWriteTraceId": "1"}]});
    assert_eq!(noted(Kind::Create, &writes, &traced).iter().map(remote_of).collect::<Vec<_>>(), ["8", "7", "9"]);
    let ours = |nth: usize, id: &str| json!({"id": id, "properties": {"crm_sync_id": format!("record-{nth}")}});
    let body = json!({"results": [ours(1, "7"), ours(2, "9"), ours(0, "8")]});
    assert_eq!(noted(Kind::Create, &writes, &body).iter().map(remote_of).collect::<Vec<_>>(), ["8", "7", "9"]);
    let body = json!({"results": [{"id": "102"}, {"id": "100"}, {"id": "101"}, {"id": "999"}, {"id": {}}, 4]});
    assert_eq!(noted(Kind::Update, &writes, &body).iter().map(remote_of).collect::<Vec<_>>(), ["100", "101", "102"]);
}

#[test]
fn what_is_seen_is_what_the_answer_shows_of_mapped_and_written_fields() {
    let writes = [row(0, "custom_field", "1")];
    let properties = json!({"crm_sync_id": "record-0", "email": "a@example.com", "custom_field": "1", "hs_object_id": "8", "phone": null});
    let body = json!({"results": [{"id": "8", "updatedAt": "2026-11-21T09:00:00.5Z", "properties": properties}]});
    let Some(Outcome::Written { modified, seen: Some(seen), .. }) = &noted(Kind::Create, &writes, &body)[0] else {
        panic!()
    };
    assert_eq!(seen.fields.keys().collect::<Vec<_>>(), ["crm_sync_id", "custom_field", "email", "phone"]);
    assert_eq!(modified.unwrap().to_string(), "2026-11-21T09:00:00.5Z");
}

#[test]
fn the_errors_of_a_207_are_each_their_rows() {
    let writes: Vec<Write> = (0..4).map(|nth| row(nth, "phone", "1")).collect();
    let missing = json!({"category": "OBJECT_NOT_FOUND", "message": "Could not get some CONTACT objects", "context": {"ids": ["101", "103"]}});
    let bad = json!({"category": "VALIDATION_ERROR", "message": "bad", "context": {"objectWriteTraceId": ["2", "77"]}});
    let outcomes = noted(Kind::Update, &writes, &json!({"results": [{"id": "100"}], "errors": [missing, bad, {}, 5]}));
    assert_eq!(remote_of(&outcomes[0]), "100");
    assert_eq!([&outcomes[1], &outcomes[3]], [&Some(Outcome::Missing), &Some(Outcome::Missing)]);
    assert!(matches!(&outcomes[2], Some(Outcome::Refused { code, .. }) if code == "VALIDATION_ERROR"));
}

#[test]
fn rows_that_an_answer_leaves_out_are_asked_for_one_by_one() {
    let (mapping, writes) =
        (crate::provider::of_people(crate::provider::Crm::HubSpot), [row(0, "phone", "1"), row(1, "phone", "2")]);
    let mut outcomes = vec![None, None];
    let create = Batch { mapping: &mapping, kind: Kind::Create, writes: &writes };
    assert_eq!(create.untold(vec![0, 1], 3, &mut outcomes).unwrap(), [vec![0], vec![1]]);
    assert!(create.untold(vec![0], 1, &mut outcomes).is_err(), "a create that says nothing is no success");
    let update = Batch { mapping: &mapping, kind: Kind::Update, writes: &writes };
    assert_eq!(update.untold(vec![0], 1, &mut outcomes).unwrap(), Vec::<Places>::new());
    assert_eq!(outcomes[0], Some(Outcome::Missing));
}

#[test]
fn an_upsert_goes_by_our_property_and_an_update_by_their_id() {
    let (mapping, writes) =
        (crate::provider::of_people(crate::provider::Crm::HubSpot), [row(0, "phone", "+14155550100")]);
    let create = Batch { mapping: &mapping, kind: Kind::Create, writes: &writes }.request(&[0]);
    assert_eq!(create.path, "/crm/objects/2026-09/contacts/batch/upsert");
    let input = json!({"idProperty": "crm_sync_id", "id": "record-0", "objectWriteTraceId": "0", "properties": {"crm_sync_id": "record-0", "phone": "+14155550100"}});
    assert_eq!(create.body, Some(json!({"inputs": [input]})));
    let update = Batch { mapping: &mapping, kind: Kind::Update, writes: &writes }.request(&[0]);
    assert_eq!(update.path, "/crm/objects/2026-09/contacts/batch/update");
    assert_eq!(
        update.body,
        Some(json!({"inputs": [{"id": "100", "objectWriteTraceId": "0", "properties": {"phone": "+14155550100"}}]}))
    );
}

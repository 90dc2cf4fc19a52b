use super::*;
use crate::mapping::Rule;

fn mapping() -> Mapping {
    let mut mapping = crate::provider::of_people(crate::provider::Crm::Pipedrive);
    mapping.rules.push(Rule::to_crm("lead_title", TITLE).or("New lead"));
    mapping
}

fn change(field: &str, value: Option<&str>) -> Change {
    Change { field: field.to_owned(), value: value.and_then(Value::text) }
}

/// What `GET /v1/leads?person_id=7` answers: a lead of somebody else that a filter let through, a closed one, two open ones.
fn listed() -> Vec<Json> {
    let answer: Json = serde_json::from_str(include_str!("golden/leads.json")).unwrap();
    records::rows(&answer).to_vec()
}

fn next(leads: &[Json], title: &str) -> Step {
    let title = Value::text(title).unwrap();
    step(leads, &"7".parse().unwrap(), &title, is_filler(&mapping(), &title))
}

#[test]
fn the_title_is_no_field_of_the_person() {
    let changes = [change("name", Some("Ada")), change(TITLE, Some("Engine"))];
    let (own, title) = parted(&mapping(), &changes);
    assert_eq!((own.as_slice(), title), (&changes[..1], Value::text("Engine")));
    assert_eq!(parted(&mapping(), &[change(TITLE, None)]), (Vec::new(), None), "a blank one closes no lead");
    let companies = Mapping { object: "organizations".to_owned(), ..mapping() };
    assert_eq!(parted(&companies, &changes).0, changes, "others have no such field");
    assert_eq!((fields("persons").map(|field| field.name).as_deref(), fields("deals")), (Some(TITLE), None));
}

#[test]
fn no_read_shows_a_title() {
    let person = json!({"id": 7, "name": "Ada", "custom_fields": {}});
    let (_, seen) = records::read(&person, &mapping()).unwrap();
    assert_eq!(seen.fields.keys().collect::<Vec<_>>(), ["name"], "not shown is not blank");
}

#[test]
fn an_open_lead_of_the_person_is_renamed_and_else_one_is_made() {
    let (leads, oldest) = (listed(), "bc0f0e10-0e10-11eb-879b-05d71fb426ec");
    assert_eq!(next(&leads, "Engine"), Step::Rename(oldest.to_owned()), "neither a stranger's nor a closed one");
    assert_eq!(next(&leads, "Second"), Step::Nothing, "there is one already");
    assert_eq!(next(&leads, "New lead"), Step::Nothing, "our filler renames nobody's");
    assert_eq!(next(&leads[..2], "New lead"), Step::Make);
    assert_eq!(next(&[], "Engine"), Step::Make);
}

#[test]
fn what_is_refused_is_the_title() {
    let refused =
        |field| Outcome::Refused { code: "HTTP_400".to_owned(), field, message: "title: is too long".to_owned() };
    assert_eq!(of_title(refused(None)), refused(Some(TITLE.to_owned())));
    assert_eq!(of_title(Outcome::Missing), Outcome::Missing);
}

use super::*;

fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs.iter().map(|(field, text)| ((*field).to_owned(), (*text).to_owned())).collect()
}

fn edit(crm: &'static str, fields: &[(&str, &str)]) -> Input {
    Input::Edit { crm, fields: texts(fields) }
}

fn request(lead: &[(&str, &str)], sync_fields: &[(&str, &str)]) -> Input {
    Input::Request { lead: texts(lead), sync_fields: texts(sync_fields) }
}

#[test]
fn an_edit_in_one_crm_is_shown_by_all() {
    let expected = expected(&[edit("hubspot", &[("lastname", "Byron"), ("phone", "(415) 555-0100")])]);
    assert_eq!(expected.hub, texts(&[("last_name", "Byron"), ("phone", "+14155550100")]));
    assert_eq!(expected.crms["hubspot"], texts(&[("lastname", "Byron"), ("phone", "(415) 555-0100")]));
    let zoho = texts(&[("Last_Name", "Byron"), ("Company", "-"), ("Phone", "+14155550100")]);
    assert_eq!(expected.crms["zoho"], zoho);
}

#[test]
fn the_newest_word_stands_and_what_it_does_not_name_stays() {
    let known = edit("zoho", &[("First_Name", "Old"), ("Company", "Known Ltd"), ("Phone", "(415) 555-0100")]);
    let expected = expected(&[known, request(&[("first_name", "New"), ("phone", "+14155550100")], &[])]);
    assert_eq!(expected.crms["zoho"]["First_Name"], "New");
    assert_eq!(expected.crms["zoho"]["Phone"], "(415) 555-0100", "the same number is not spelt anew");
    assert_eq!(expected.crms["hubspot"]["company"], "Known Ltd");
    assert_eq!(expected.crms["hubspot"]["phone"], "+14155550100");
}

#[test]
fn sync_fields_are_shown_by_the_crm_they_name() {
    let lead = [("first_name", "Ada"), ("last_name", "Byron"), ("duration", "184")];
    let expected = expected(&[request(&lead, &[("last_call", "{{duration}} s"), ("Last_Call", "{{name}}")])]);
    assert_eq!(expected.crms["hubspot"]["last_call"], "184 s");
    assert_eq!(expected.crms["zoho"]["Last_Call"], "Ada Byron");
    assert!(!expected.crms["zoho"].contains_key("last_call"));
}

#[test]
fn a_whole_name_is_of_two_parts() {
    let expected = expected(&[edit("pipedrive", &[("name", "Augusta Ada King")])]);
    assert_eq!(expected.hub, texts(&[("first_name", "Augusta Ada"), ("last_name", "King")]));
    assert_eq!(expected.crms["salesforce"]["LastName"], "King");
    assert_eq!(expected.crms["pipedrive"], texts(&[("name", "Augusta Ada King")]));
}

#[test]
fn fields_have_their_counterparts() {
    let phones = [("hubspot", "phone"), ("salesforce", "Phone"), ("pipedrive", "phone")];
    assert_eq!(counterparts("zoho", "Phone"), phones);
    assert_eq!(counterparts("hubspot", "hs_object_id"), []);
}

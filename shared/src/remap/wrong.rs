//! What is wrong with rules, before they are anybody's.

use super::fits::misfits;
use crate::{
    mapping::{Direction, Formula, Mapping},
    provider::Field,
    record::{Object, canonical},
};
use std::collections::{BTreeMap, BTreeSet};

/// What an account's fields and the other rules have against these.
pub(super) fn wrong(
    object: &Object,
    mapping: &Mapping,
    before: Option<&Mapping>,
    schema: &[Field],
    mapped: &BTreeSet<Object>,
) -> Vec<String> {
    let name = &mapping.object;
    let (mut wrong, mut read) = (Vec::new(), BTreeMap::new());
    for (place, rule) in mapping.rules.iter().enumerate() {
        let mut say = |what: String| wrong.push(format!("rule {} ({}): {what}", place + 1, rule.hub));
        let here = rule.only.as_ref().is_none_or(|only| only.object == *name);
        let field = schema.iter().find(|field| field.name == rule.remote || field.label == rule.remote);
        match field {
            None if here => say(format!("{name} has no field {}, or hides it from us", rule.remote)),
            Some(field) if rule.direction.sends() && !field.writable => {
                say(format!("{} may not be written by us; make its direction from_crm", rule.remote));
            }
            _ => {}
        }
        // What only another object has is not among these fields.
        field.filter(|_| here).into_iter().flat_map(|field| misfits(rule, field)).for_each(&mut say);
        if let Some(form) = rule.form.filter(|form| rule.direction == Direction::Both && !form.is_invertible()) {
            say(format!("what {} has lost cannot be read back; make its direction to_crm or from_crm", form.name()));
        }
        if rule.form.is_some() && Object::referred_by(&rule.hub).is_some() {
            say("it leads to another record, whose id has one spelling; take \"as\" out".to_owned());
        }
        if rule.formula.is_some() && rule.direction != Direction::ToCrm {
            say("what is computed only goes out; make its direction to_crm".to_owned());
        }
        if !mapping.has_room() && rule.direction != Direction::ToCrm {
            say(format!("nothing is read of {name}, which has no room for our record id; make its direction to_crm"));
        }
        if rule.hub.is_empty() || rule.hub.len() > 100 {
            say("the hub's name of a field has 1 to 100 characters".to_owned());
        }
        if let Some(other) = Object::referred_by(&rule.hub).filter(|other| !mapped.contains(other)) {
            say(format!("it leads to a {other}, which this connection does not keep in step"));
        }
        if let Some(other) = Object::referred_by(&rule.hub).filter(|other| other >= object) {
            say(format!("a {object} cannot lead to a {other}: what is referred to comes first"));
        }
        // What was agreed about it is about the other field.
        let was = before.and_then(|before| before.rules.iter().find(|known| known.remote == rule.remote));
        if let Some(was) = was.filter(|was| canonical(object, &was.hub) != canonical(object, &rule.hub)) {
            say(format!(
                "{} is the hub's {} so far; connect under another name to make it something else",
                rule.remote, was.hub
            ));
        }
        if rule.direction.receives()
            && let Some(other) = read.insert(&rule.remote, place + 1)
        {
            say(format!("rule {other} reads {} already", rule.remote));
        }
        let theirs: BTreeSet<&String> = rule.values.values().collect();
        if theirs.len() < rule.values.len() {
            say("two of the hub's values are the same in the CRM: it could not be told which is meant".to_owned());
        }
    }
    if mapping.include.as_ref().is_some_and(Formula::is_template) {
        wrong.push("include: it is an expression, such as not email_opted_out".to_owned());
    }
    if mapping.rules.is_empty() {
        wrong.push("there are no rules".to_owned());
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{mapping::Rule, remap::Rules};

    fn field(name: &str, writable: bool) -> Field {
        Field { name: name.to_owned(), label: name.to_owned(), writable, ..Field::default() }
    }

    #[test]
    fn each_fault_has_its_place() {
        let rules = r#"{"object": "Vehicle__c", "id_field": "Ours__c", "rules": [
            {"hub": "plate", "remote": "Plat__c"}, {"hub": "made", "remote": "CreatedDate"},
            {"hub": "company_id", "remote": "Account__c"}, {"hub": "fuel", "remote": "Fuel__c", "values": {"a": "x", "b": "x"}},
            {"hub": "again", "remote": "Fuel__c"}, {"hub": "seen", "remote": "CreatedDate", "direction": "from_crm"}]}"#;
        let Rules { object, id_field, rules, .. } = Rules::parse(rules).unwrap();
        let schema = [field("CreatedDate", false), field("Account__c", true), field("Fuel__c", true)];
        let (vehicle, mapped) = (Object::Custom("vehicle".to_owned()), BTreeSet::from([Object::Person]));
        let faults = wrong(&vehicle, &Mapping::new(&object, &id_field, rules), None, &schema, &mapped);
        let places: Vec<&str> = faults.iter().filter_map(|fault| fault.split(": ").next()).collect();
        let expected = ["rule 1 (plate)", "rule 2 (made)", "rule 3 (company_id)", "rule 4 (fuel)", "rule 5 (again)"];
        assert_eq!(places[..5], expected, "{faults:?}");
        assert_eq!(places[5], "rule 6 (seen)", "it is read by rule 2 already");
    }

    /// What has lost something goes one way, ids have one spelling, and types count: each rule with all its faults.
    #[test]
    fn a_form_goes_where_it_can() {
        let rules = r#"{"object": "Lead", "id_field": "Ours__c", "rules": [
            {"hub": "state", "remote": "State", "as": "upper"}, {"hub": "state", "remote": "Loud__c", "as": "upper", "direction": "to_crm"},
            {"hub": "company_id", "remote": "Account__c", "as": "lower"}, {"hub": "duration", "remote": "Seconds__c"},
            {"hub": "duration", "remote": "Seconds_2__c", "as": "text"}]}"#;
        let texts = |name: &str| Field { takes: &[crate::record::Sort::Text], ..field(name, true) };
        let schema = ["State", "Loud__c", "Account__c", "Seconds__c", "Seconds_2__c"].map(texts);
        let faults = Rules::parse(rules).unwrap().faults(&Object::Person, &schema, &BTreeSet::from([Object::Company]));
        let begin = [
            "rule 1 (state): what upper has lost",
            "rule 3 (company_id): what lower has lost",
            "rule 3 (company_id): it leads to another record",
            "rule 4 (duration): Seconds__c takes a text, and is sent a number",
        ];
        assert_eq!(faults.len(), begin.len(), "{faults:#?}");
        assert!(faults.iter().zip(begin).all(|(fault, begin)| fault.starts_with(begin)), "{faults:#?}");
    }

    #[test]
    fn sound_rules_have_none() {
        let mapping = Mapping::new("Vehicle__c", "Ours__c", vec![Rule::both("plate", "Plate__c")]);
        let vehicle = Object::Custom("vehicle".to_owned());
        let schema = [field("Plate__c", true)];
        assert!(wrong(&vehicle, &mapping, Some(&mapping), &schema, &BTreeSet::new()).is_empty());
        let moved = Mapping::new("Vehicle__c", "Ours__c", vec![Rule::both("number", "Plate__c")]);
        assert_eq!(wrong(&vehicle, &moved, Some(&mapping), &schema, &BTreeSet::new()).len(), 1);
        let up = Mapping::new("accounts", "Ours__c", vec![Rule::both("contact_id", "Plate__c")]);
        let mapped = BTreeSet::from([Object::Person]);
        assert_eq!(wrong(&Object::Company, &up, None, &schema, &mapped).len(), 1, "that would go round in circles");
    }
}

use super::*;
use shared::{
    mapping::{Direction, Mapping},
    provider::Field,
    record::{Sort, canonical},
};
use std::collections::BTreeSet;

fn all() -> impl Iterator<Item = (&'static str, Standard, Crm, Rules)> {
    Standard::names().map(|name| {
        let standard = Standard::named(name).unwrap();
        let crm: Crm = standard.crm.parse().unwrap();
        let rules = standard.rules(crm).unwrap();
        (name, standard, crm, rules)
    })
}

#[test]
fn every_file_is_a_mapping_of_its_crm() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/mappings");
    let files = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(files, Standard::names().count(), "a file is not in the table");
    for (name, standard, crm, rules) in all() {
        assert!(name.starts_with(crm.name()) && standard.about.len() > 20, "{name}");
        let default = crm.default_mapping(&standard.of).unwrap();
        assert_eq!(rules.id_field, default.id_field, "{name}");
        assert!(standard.rules(if crm == Crm::Zoho { Crm::HubSpot } else { Crm::Zoho }).is_err(), "{name}");
    }
}

/// The hub's fields under its own names, the CRM's under names that it could have.
#[test]
fn every_rule_has_sound_names() {
    for (name, standard, crm, rules) in all() {
        for rule in &rules.rules {
            if rule.formula.is_none() {
                assert_eq!(canonical(&standard.of, &rule.hub), rule.hub, "{name}");
            }
            // Pipedrive's own fields stand under their labels.
            let could = crm.could_name(&rule.remote) || crm == Crm::Pipedrive;
            assert!(could, "{name}: {crm} has no {}", rule.remote);
        }
        let mapping = Mapping::new(&rules.object, &rules.id_field, rules.rules.clone());
        assert_eq!(mapping.clone().canonical(&standard.of), mapping, "{name}: in formulas too");
    }
}

/// In an account that has all the fields, of the type that the hub's have.
#[test]
fn every_rule_can_be_had() {
    for (name, standard, _, rules) in all() {
        let takes = |rule: &shared::mapping::Rule| -> &'static [Sort] {
            let sort = rule.form.map(shared::mapping::Form::sort);
            let computed = || rule.formula.as_ref().map_or_else(|| Sort::of(&rule.hub), |formula| formula.sort());
            match sort.or_else(computed).unwrap_or(Sort::Text) {
                Sort::Number => &[Sort::Number],
                Sort::Flag => &[Sort::Flag],
                Sort::Date => &[Sort::Date],
                Sort::Time => &[Sort::Time],
                Sort::Text | Sort::List => &[Sort::Text],
            }
        };
        let field = |rule: &shared::mapping::Rule| {
            let writable = rule.direction != Direction::FromCrm;
            let (name, takes) = (rule.remote.clone(), takes(rule));
            Field { label: name.clone(), name, writable, takes, ..Field::default() }
        };
        let schema: Vec<Field> = rules.rules.iter().map(field).collect();
        let others = BTreeSet::from([Object::Company, Object::Person]);
        assert_eq!(rules.faults(&standard.of, &schema, &others), Vec::<String>::new(), "{name}");
    }
}

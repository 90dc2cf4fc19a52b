//! (13) Hub and CRMs are compared, field by field, with the oracle.

use super::hub::{self, Known};
use super::oracle::{self, Texts};
use super::scene::Scene;
use super::sight::Sight;
use crate::screens::{SCREENS, Shown};
use crate::step::Progress;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

/// What was compared.
#[derive(Default)]
pub(super) struct Compared {
    pub(super) leads: usize,
    pub(super) fields: usize,
    differences: Vec<(String, String)>,
}

pub(super) fn is_complete(scene: &mut Scene<'_>, progress: &Progress) -> Result<Compared> {
    progress.say("reading the hub and the CRMs");
    let hub = hub::all(scene)?;
    let hub: BTreeMap<String, &Known> = hub
        .iter()
        .filter(|known| !known.is_merged())
        .map(|known| (known.fields().remove("email").unwrap_or_default(), known))
        .collect();
    let mut crms: BTreeMap<&str, BTreeMap<String, Shown>> = BTreeMap::new();
    for screen in &SCREENS {
        crms.insert(
            screen.crm,
            scene.records(screen.crm)?.into_iter().map(|record| (record.id.clone(), record)).collect(),
        );
    }
    let mut compared = Compared::default();
    for (person, inputs) in &scene.told {
        let expected = oracle::expected(inputs);
        compared.leads += 1;
        let Some(known) = hub.get(person) else {
            compared.differences.push((person.clone(), "the hub does not have it".to_owned()));
            continue;
        };
        compared.texts(person, "the hub", &expected.hub, &known.fields());
        let links = known.links();
        for (crm, fields) in &expected.crms {
            let shown = links.get(*crm).and_then(|id| crms.get_mut(crm).and_then(|records| records.remove(id)));
            match (shown, scene.refused.get(person) == Some(crm)) {
                (Some(shown), false) => compared.texts(person, crm, fields, &visible(crm, fields, &shown)),
                (None, true) => {}
                (found, refused) => {
                    let what = format!("{crm}: refused: {refused}, there: {}", found.is_some());
                    compared.differences.push((person.clone(), what));
                }
            }
        }
    }
    let strangers: Vec<String> = hub.keys().filter(|person| !scene.told.contains_key(*person)).cloned().collect();
    compared
        .differences
        .extend(strangers.into_iter().map(|person| (person, "nobody told the hub of this one".to_owned())));
    for (crm, left) in crms {
        compared
            .differences
            .extend(left.into_values().map(|record| (record.id, format!("{crm} has it and no lead is linked to it"))));
    }
    let first = compared.differences.first().cloned().unwrap_or_default();
    Sight::of(&first.0, &first.0, "hub and CRMs as the oracle says").check(
        scene,
        compared.differences.is_empty(),
        || {
            let some: Vec<_> =
                compared.differences.iter().take(5).map(|(who, what)| format!("{who}: {what}")).collect();
            format!("{} differences; {}", compared.differences.len(), some.join("; "))
        },
    )?;
    Ok(compared)
}

impl Compared {
    fn texts(&mut self, person: &str, place: &str, expected: &Texts, found: &Texts) {
        for field in expected.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
            self.fields += 1;
            let (expected, found) = (expected.get(field), found.get(field));
            if expected != found {
                self.differences
                    .push((person.to_owned(), format!("{place}: {field} is {found:?} instead of {expected:?}")));
            }
        }
    }
}

/// Of what a CRM shows, the fields that are ours, and those that the oracle speaks of.
fn visible(crm: &str, expected: &Texts, shown: &Shown) -> Texts {
    let ours: BTreeSet<&str> = oracle::fields_of(crm).into_iter().chain(expected.keys().map(String::as_str)).collect();
    ours.into_iter().filter_map(|field| Some((field.to_owned(), shown.text(field)?))).collect()
}

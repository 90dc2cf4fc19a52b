//! Ours brings many people to a CRM: how long it takes, and how long the CRM's own limits make it take.

use super::figures::short;
use super::law;
use super::table::Table;
use crate::project::Project;
use crate::python::EMULATOR;
use crate::step::step;
use anyhow::Result;
use serde::Deserialize;

const TEST: &str = "timed::rush::each_crm_by_itself_is_measured";
pub(super) const PEOPLE: &str = "10000";
/// For each person a search, and then an update or a create.
const SEEDS: f64 = 2.0;

/// Of one CRM, to which so many people were brought alone.
#[derive(Deserialize)]
pub(super) struct Rush {
    crm: String,
    people: f64,
    /// Percent of what the account's other apps draw on too.
    left_to_others: f64,
    calls: f64,
    searches: f64,
    /// Seconds that its windows, less what is left to others, make so many calls take.
    lent: f64,
    took: f64,
}

pub(super) fn rushes(project: &Project) -> Result<Vec<Rush>> {
    EMULATOR.install(project)?;
    step("People brought to each CRM", |progress| {
        let all = law::told::<Rush>(project, TEST, &[("RUSH", PEOPLE)], progress)?;
        let said = format!("{PEOPLE} people, {} times", all.len());
        Ok((all, said))
    })
}

pub(super) fn table(rushes: &[Rush]) -> Table {
    let mut table = Table::new(&[
        "ours, to",
        "left to others, %",
        "calls",
        "searches",
        "fewer than one by one",
        "seconds",
        "its limits take",
        "ratio",
    ]);
    for Rush { crm, people, left_to_others, calls, searches, lent, took } in rushes {
        let met = |of: &f64, said: String| if *of > 0.0 { said } else { "–".to_owned() };
        let fewer = format!("{} ×", short(SEEDS * people / calls));
        table.rows.push(vec![
            crm.clone(),
            short(*left_to_others),
            short(*calls),
            met(searches, short(*searches)),
            fewer,
            short(*took),
            met(lent, short(*lent)),
            met(lent, format!("{:.2}", took / lent)),
        ]);
    }
    table
}

//! What AWS asks for each item.

use crate::project::Project;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The committed list.
pub(super) const FILE: &str = "infra/bench/prices.json";

/// How much of each item, by its name in the list.
pub(super) type Amounts = BTreeMap<&'static str, f64>;

#[derive(Deserialize)]
pub(super) struct Prices {
    pub(super) looked_up: String,
    pub(super) region: String,
    pub(super) architecture: String,
    prices: Vec<Price>,
}

#[derive(Deserialize)]
struct Price {
    item: String,
    usd: f64,
    per: f64,
}

impl Prices {
    pub(super) fn read(project: &Project) -> Result<Prices> {
        let file = project.root.join(FILE);
        let text = std::fs::read_to_string(&file).with_context(|| format!("{} is missing", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not as it should be", file.display()))
    }

    /// What so much of each item comes to, in dollars.
    pub(super) fn bill(&self, amounts: &Amounts) -> Result<BTreeMap<&'static str, f64>> {
        amounts.iter().map(|(item, amount)| Ok((*item, amount * self.of(item)?))).collect()
    }

    pub(super) fn total(&self, amounts: &Amounts) -> Result<f64> {
        Ok(self.bill(amounts)?.values().sum())
    }

    fn of(&self, item: &str) -> Result<f64> {
        let price = self.prices.iter().find(|price| price.item == item);
        let price = price.with_context(|| format!("{FILE} has no price of {item}"))?;
        Ok(price.usd / price.per)
    }
}

/// As much as both.
pub(super) fn plus(mut one: Amounts, other: &Amounts) -> Amounts {
    for (item, more) in other {
        *one.entry(*item).or_default() += more;
    }
    one
}

pub(super) fn times(amounts: &Amounts, times: f64) -> Amounts {
    amounts.iter().map(|(item, amount)| (*item, amount * times)).collect()
}

//! What it costs, counted: units of each kind of event, and a month's bill by a committed price list.

mod amounts;
mod counted;
mod floor;
mod month;
mod prices;
mod said;
mod stack;

use super::page::Section;
use crate::project::Project;
use anyhow::Result;
use prices::Prices;

pub(super) fn measure(project: &Project) -> Result<Section> {
    let (prices, stack) = (Prices::read(project)?, stack::stack(project)?);
    let counted = counted::count(project)?;
    let events = said::events(&counted, &stack, &prices)?;
    let bill = said::bill(&counted, &stack, &prices)?;
    let connection = said::connection(&counted, &stack, &prices)?;
    [&events, &bill.table, &connection].into_iter().for_each(super::table::Table::print);
    let text = said::text(project, &prices, &stack, [&events, &bill.table, &connection]);
    Ok(Section { text, plots: vec![("cost-shares".to_owned(), bill.plot)] })
}

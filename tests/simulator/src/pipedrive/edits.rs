//! Edits as a person makes them in Pipedrive's own screens.

use crate::sim_edits::Edit;
use crate::world::World;

pub fn edit(_world: &mut World, _at: usize, _object: &str, _edits: Vec<Edit>) -> Result<Vec<u64>, String> {
    Err("not there yet".to_owned())
}

//! What holds for every CRM. A new one is in [`Crm::ALL`], and has all of these to pass without an edit here; where CRMs
//! differ, their `Capabilities` decide, never their names.

mod activities;
mod auth;
mod brought;
mod compare;
mod control;
mod deletes;
mod delta;
mod doctor;
mod drift;
mod effects;
mod engaged;
mod erasure;
mod explained;
mod faults;
mod fetched;
mod included;
mod lists;
mod many;
mod named;
mod objects;
mod owners;
mod quota;
mod rotation;
mod switches;
mod transcript;
mod triggers;
mod undo;
mod webhook;
mod write;

use crate::world::World;
use futures::{FutureExt, future::join_all};
use shared::provider::Crm;
use std::{io::Write, panic::AssertUnwindSafe};

/// Tests that a law holds for each CRM, and notes for which it did.
macro_rules! laws_of {
    ($($law:ident)*) => {
        mod tests {$(
            #[tokio::test]
            async fn $law() {
                $crate::laws::for_every_crm(stringify!($law), |crm| Box::pin(super::$law(crm))).await;
            }
        )*}
    };
}
pub(crate) use laws_of;

type Law = futures::future::LocalBoxFuture<'static, ()>;

pub(crate) async fn for_every_crm(law: &str, holds: impl Fn(Crm) -> Law) {
    let tried = Crm::ALL.map(|crm| AssertUnwindSafe(holds(crm)).catch_unwind());
    let held: Vec<bool> = join_all(tried).await.into_iter().map(|done| done.is_ok()).collect();
    note(law, &held);
    let broken: Vec<Crm> = Crm::ALL.into_iter().zip(held).filter(|(_, held)| !held).map(|(crm, _)| crm).collect();
    assert!(broken.is_empty(), "{law} does not hold for {broken:?}");
}

/// A line of the table that `cargo dev test` prints.
fn note(law: &str, held: &[bool]) {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("laws.txt");
    let marks: Vec<String> = Crm::ALL.iter().zip(held).map(|(crm, held)| format!("{crm}={held}")).collect();
    let line = format!("{law} {}\n", marks.join(" "));
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(line.as_bytes())).unwrap();
}

/// Another CRM of the same tenant.
pub(crate) fn peer(crm: Crm) -> Crm {
    if crm == Crm::ALL[0] { Crm::ALL[1] } else { Crm::ALL[0] }
}

/// A tenant with this CRM and its peer, who have both been read.
pub(crate) async fn tenant_of(crm: Crm) -> World {
    let world = World::of(&[crm, peer(crm)]).await;
    world.settle().await;
    world
}

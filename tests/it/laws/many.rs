//! Accounts as large as a customer's: each page is one call, and a moment with more people than any page is read to its end.

use crate::world::World;
use jiff::SignedDuration;
use shared::{
    change::Cursor,
    error::Error,
    provider::{Crm, Page},
    record::Object,
};
use std::collections::BTreeSet;

crate::laws::laws_of! {
    ten_thousand_people_are_read_a_page_to_a_call
    a_moment_with_twenty_five_thousand_people_is_read_completely
}

/// So many people appear, all of them at one and the same moment.
async fn appear(world: &World, crm: Crm, count: usize) {
    let mailboxes: Vec<String> = (0..count).map(|n| format!("p{n:05}@example.com")).collect();
    let people: Vec<Vec<(&str, &str)>> =
        mailboxes.iter().map(|mailbox| vec![("last_name", "Typed"), ("email", mailbox.as_str())]).collect();
    let stop = |at| world.sim.shared.lock().clock.stands_at = at;
    stop(Some(world.now().as_millisecond()));
    world.type_in(crm, &people).await;
    stop(None);
    world.wait(SignedDuration::from_mins(1)).await;
}

/// Page after page from a cursor. How many rows were shown, of how many people, and where the next read begins.
async fn read(world: &World, crm: Crm, mut cursor: Cursor) -> (usize, usize, Cursor) {
    let stored = world.stored(crm).await;
    let mapping = stored.mapping(&Object::Person).unwrap();
    let (mut people, mut rows) = (BTreeSet::new(), 0);
    loop {
        let cx = world.cx("read");
        let page = async |session: &_| crm.delta(session, mapping, &cursor, cx.now()).await;
        let Page { shown, more, next } = match world.app.with_session(&stored, &cx, page).await {
            // Its message would be hidden for so long.
            Err(Error::RateLimited { after }) => {
                world.wait(SignedDuration::try_from(after).unwrap()).await;
                continue;
            }
            page => page.unwrap(),
        };
        rows += shown.len();
        people.extend(shown.into_iter().map(|(remote, _)| remote));
        cursor = next;
        if !more {
            return (rows, people.len(), cursor);
        }
    }
}

/// 100 calls, 50, 20 or 5, by the size of the CRM's pages; the last page may be asked for in vain.
async fn ten_thousand_people_are_read_a_page_to_a_call(crm: Crm) {
    const PEOPLE: usize = 10_000;
    let world = World::of(&[]).await;
    world.account(crm).await;
    appear(&world, crm, PEOPLE).await;
    world.connect(crm).await;
    world.calls(crm).await;
    let (_, people, cursor) = read(&world, crm, Cursor::default()).await;
    assert_eq!(people, PEOPLE);
    let calls = world.calls(crm).await;
    let (made, pages) = (calls.values().sum::<u64>(), PEOPLE.div_ceil(crate::face::page(crm)) as u64);
    println!("{crm}: {made} calls for {PEOPLE} people");
    assert!(made <= pages + 2, "{calls:?} for {pages} pages");
    world.wait(SignedDuration::from_mins(30)).await;
    let (_, _, cursor) = read(&world, crm, cursor).await;
    world.wait(SignedDuration::from_mins(6)).await;
    world.calls(crm).await;
    assert_eq!(read(&world, crm, cursor).await.0, 0);
    let calls = world.calls(crm).await;
    assert_eq!(calls.values().sum::<u64>(), 1, "an empty pull is one call: {calls:?}");
}

async fn a_moment_with_twenty_five_thousand_people_is_read_completely(crm: Crm) {
    const PEOPLE: usize = 25_000;
    let world = World::of(&[crm]).await;
    world.settle().await;
    let (.., cursor) = read(&world, crm, Cursor::default()).await;
    appear(&world, crm, PEOPLE).await;
    world.calls(crm).await;
    let (rows, people, _) = read(&world, crm, cursor).await;
    let calls: u64 = world.calls(crm).await.values().sum();
    println!("{crm}: {calls} calls and {rows} rows for {PEOPLE} people of one moment");
    assert_eq!(people, PEOPLE);
}

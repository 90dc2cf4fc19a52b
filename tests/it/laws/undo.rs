//! A sync that should not have been is taken back, and nothing else.

use super::peer;
use crate::{
    audit::the_history_is_the_difference,
    engine::{codes, hub},
    story::request,
    world::{World, tenant},
};
use serde_json::{Value as Json, json};
use shared::{
    history::Entry,
    provider::Crm,
    record::Value,
    undo::{Left, Scope, Undone},
};

crate::laws::laws_of! {
    a_bad_sync_is_undone_but_for_what_was_edited_since
    an_undo_can_be_undone
    who_came_to_be_by_it_is_archived_and_comes_back_when_named
}

const PEOPLE: usize = 12;

fn mailbox(n: usize) -> String {
    format!("p{n}@example.com")
}

fn of(n: usize, run: &str, phone: &str) -> Json {
    let mut asked = request(
        &format!("{run}-{n}"),
        json!({"id": format!("lead-{n}"), "email": mailbox(n), "last_name": format!("Nr {n}"), "phone": phone}),
    );
    asked["workflow"] = json!({"id": "wf-1", "run_id": run, "step_id": "s1"});
    asked
}

fn good(n: usize) -> String {
    format!("+1415555{n:04}")
}

const BAD: &str = "+14155559999";

/// A tenant whose people a run has given a wrong number. People may share one.
async fn spoilt(crm: Crm) -> World {
    let world = World::of(&[crm, peer(crm)]).await;
    world.settle().await;
    let say = |run: &'static str, phone: &dyn Fn(usize) -> String| -> Vec<Json> {
        (0..PEOPLE).map(|n| of(n, run, &phone(n))).collect()
    };
    world.send(&say("good", &good)).await;
    world.settle().await;
    world.wait(jiff::SignedDuration::from_mins(10)).await;
    let mut bad = say("bad", &|_| BAD.to_owned());
    for asked in &mut bad {
        asked["occurred_at"] = json!(world.now());
    }
    world.send(&bad).await;
    world.settle().await;
    world
}

async fn undo(world: &World, scope: &Json, meant: bool) -> Vec<Undone> {
    let scope: Scope = serde_json::from_value(scope.clone()).unwrap();
    let cx = world.cx("undo-1");
    let (done, next) = world.app.undo_from(&cx, &tenant(), &scope, meant, (0, None), || true).await.unwrap();
    assert_eq!(next, None);
    world.settle().await;
    the_history_is_the_difference(&world.app).await;
    done
}

/// By mailbox, the number that a CRM shows.
async fn phones(world: &World, crm: Crm) -> Vec<(String, String)> {
    let people = world.people(crm).await;
    let mut phones: Vec<_> =
        people.iter().map(|person| (person.get("email").to_owned(), digits(person.get("phone")))).collect();
    phones.sort();
    phones
}

/// However it is spelt there.
fn digits(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    digits.strip_prefix('1').filter(|rest| rest.len() == 10).unwrap_or(&digits).to_owned()
}

async fn a_bad_sync_is_undone_but_for_what_was_edited_since(crm: Crm) {
    let world = spoilt(crm).await;
    let mut edited = world.people(crm).await;
    edited.retain(|person| person.get("email") == mailbox(3));
    // Nobody tells, so the undo must ask.
    world.edit_silently(crm, &edited[0].id, &[("phone", "+14155551234")]).await;
    let scope = json!({"since": "2020-01-01T00:00:00Z", "run": "bad"});

    let before = phones(&world, peer(crm)).await;
    let told = undo(&world, &scope, false).await;
    assert_eq!((told.len(), phones(&world, peer(crm)).await), (PEOPLE, before), "it is only told");
    assert!(told.iter().all(|one| one.fields.len() == 1 && one.left.is_empty()), "{told:?}");

    let done = undo(&world, &scope, true).await;
    let record = hub(&world, &mailbox(3)).await;
    for one in &done {
        let left = one.left.values().copied().collect::<Vec<_>>();
        assert_eq!(left, if one.record == record.id { vec![Left::EditedSince] } else { vec![] });
    }
    let expected = |n: usize| digits(&if n == 3 { "+14155551234".to_owned() } else { good(n) });
    let mut expected: Vec<_> = (0..PEOPLE).map(|n| (mailbox(n), expected(n))).collect();
    expected.sort();
    for crm in [crm, peer(crm)] {
        assert_eq!(phones(&world, crm).await, expected, "{crm}");
    }
    let again = undo(&world, &scope, true).await;
    assert!(again.iter().all(|one| one.fields.is_empty()), "done twice is done once: {again:?}");
    let record = hub(&world, &mailbox(4)).await;
    let history = world.app.history.of(&tenant(), &record.id).await.unwrap();
    let by_undo = |entry: &&Entry| matches!(entry, Entry::Change { cause, .. } if json!(cause.by) == json!("undo"));
    assert_eq!(history.iter().filter(by_undo).count(), 1);
    assert!(codes(&world).await.is_empty());
}

/// Two people: one is new everywhere, one is in the CRM already.
async fn who_came_to_be_by_it_is_archived_and_comes_back_when_named(crm: Crm) {
    let world = World::of(&[crm, peer(crm)]).await;
    world.settle().await;
    let (made, there) = (mailbox(1), mailbox(2));
    world.type_in(crm, &[vec![("last_name", "There"), ("email", there.as_str())]]).await;
    world.send(&[of(1, "bad", &good(1)), of(2, "bad", &good(2))]).await;
    world.settle().await;
    let scope = json!({"since": "2020-01-01T00:00:00Z", "run": "bad"});
    let done = undo(&world, &scope, true).await;
    assert_eq!(done.iter().filter(|one| one.archived).count(), 1, "{done:?}");
    let mailboxes = async |crm: Crm| -> Vec<String> {
        world.people(crm).await.iter().map(|person| person.get("email").to_owned()).collect()
    };
    for crm in [crm, peer(crm)] {
        assert!(!mailboxes(crm).await.contains(&made), "{crm} has no more whom we made");
    }
    assert!(mailboxes(crm).await.contains(&there), "it had this one before us");
    world.wait(jiff::SignedDuration::from_mins(10)).await;
    let mut named = of(1, "good", &good(1));
    named["occurred_at"] = json!(world.now());
    world.send(&[named]).await;
    world.settle().await;
    for crm in [crm, peer(crm)] {
        assert!(mailboxes(crm).await.contains(&made), "{crm} has them again");
    }
    assert!(codes(&world).await.is_empty(), "{:?}", codes(&world).await);
}

async fn an_undo_can_be_undone(crm: Crm) {
    let world = spoilt(crm).await;
    let bad = phones(&world, crm).await;
    undo(&world, &json!({"since": "2020-01-01T00:00:00Z", "run": "bad"}), true).await;
    assert_ne!(phones(&world, crm).await, bad);
    undo(&world, &json!({"since": "2020-01-01T00:00:00Z", "source": "undo"}), true).await;
    assert_eq!(phones(&world, crm).await, bad);
    assert_eq!(hub(&world, &mailbox(1)).await.fields.get("phone"), Value::text(BAD).as_ref());
}

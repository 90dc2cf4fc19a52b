//! Rules 6 and 7: a push never brings a deleted remote back, and a create happens once.

use super::{acts::*, world::*};
use crate::{
    planner::{Route, Taken, pending, route},
    record::{Gone, Link},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A CRM's account, in which our record may come to be more than one remote.
#[derive(Clone, Debug, Default)]
struct Account {
    /// Remote id → whether it is there. Each carries our id.
    remotes: BTreeMap<String, bool>,
    created: usize,
}

impl Account {
    /// Makes it, or updates the one that carries our id: that is how an upsert brings back what was deleted.
    fn upsert(&mut self) -> String {
        if let Some((id, _)) = self.remotes.iter().find(|(_, there)| **there) {
            return id.clone();
        }
        self.create()
    }
    fn create(&mut self) -> String {
        self.created += 1;
        let id = format!("remote-{}", self.created);
        self.remotes.insert(id.clone(), true);
        id
    }
    fn update(&self, id: &str) -> bool {
        self.remotes.get(id).copied().unwrap_or_default()
    }
    fn find(&self) -> Option<String> {
        self.remotes.iter().find(|(_, there)| **there).map(|(id, _)| id.clone())
    }
}

/// What may go wrong with one try of a push.
#[derive(Clone, Copy, Debug)]
enum Try {
    Well,
    /// Killed before the CRM was asked.
    KilledBefore,
    /// The CRM did it, and we never heard.
    AnswerLost,
    /// A person deletes the remote, and nothing tells us.
    Deletes,
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let one = prop_oneof![Just(Try::Well), Just(Try::KilledBefore), Just(Try::AnswerLost)];
    prop::collection::vec(one, 1..8)
}

/// One push: the intent is recorded before anything is created, and the link after it.
fn push(account: &mut Account, link: &mut Link, one: Try, our_id_is_unique: bool) {
    let way = route(link);
    if way == Route::Create {
        link.intent = Some(time(0));
    }
    if matches!(one, Try::KilledBefore) {
        return;
    }
    let remote = match way {
        Route::Nowhere => return,
        Route::Update(id) => {
            if !account.update(id.as_str()) {
                link.gone = Some(Gone::Deleted { at: time(0) });
            }
            return;
        }
        Route::Find => account.find().unwrap_or_else(|| account.create()),
        Route::Create if our_id_is_unique => account.upsert(),
        Route::Create => account.create(),
    };
    if !matches!(one, Try::AnswerLost) {
        link.remote = Some(remote.parse().unwrap());
        link.intent = None;
    }
}

proptest! {
    #![proptest_config(super::cases(1000))]

    /// Answers are lost and writers killed, and the CRM does not know our id for unique.
    #[test]
    fn a_create_happens_once(tries in tries()) {
        let (mut account, mut link) = (Account::default(), Link::default());
        for one in tries.iter().chain([&Try::Well]) {
            push(&mut account, &mut link, *one, false);
        }
        prop_assert_eq!(account.created, 1);
        prop_assert_eq!(link.remote.map(|id| id.to_string()), account.find());
    }

    /// A person deletes the remote at any time; no push makes another.
    #[test]
    fn a_push_never_brings_a_deleted_remote_back(tries in tries(), at in 0..8usize) {
        let (mut account, mut link) = (Account::default(), Link::default());
        push(&mut account, &mut link, Try::Well, true);
        for (n, one) in tries.into_iter().chain([Try::Well]).enumerate() {
            let one = if n == at { Try::Deletes } else { one };
            if matches!(one, Try::Deletes) {
                account.remotes.values_mut().for_each(|there| *there = false);
            }
            push(&mut account, &mut link, one, true);
        }
        prop_assert_eq!(account.created, 1);
    }

    #[test]
    fn nothing_is_pending_for_a_remote_that_is_gone(mut w in lived_in(), f in field(), side in 0..3usize, erased in any::<bool>()) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.sides[i].crm.deleted = true;
        w.say(hub_name(f), Some(text("new")));
        let at = time(w.now);
        w.sides[i].link.gone = Some(if erased { Gone::Erased { at } } else { Gone::Deleted { at } });
        prop_assert_eq!(pending(&w.hub, &w.sides[i].link, &w.mapping), vec![]);
        prop_assert_eq!(route(&w.sides[i].link), Route::Nowhere);
        let before = w.sides[i].crm.shown.clone();
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(&w.sides[i].crm.shown, &before);
    }

    /// A deletion that is found out by a push ends there; the hub and the other CRMs go on.
    #[test]
    fn a_deletion_stays_in_its_own_crm(mut w in lived_in(), f in field(), side in 0..3usize) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.sides[i].crm.deleted = true;
        w.say(hub_name(f), Some(text("new")));
        prop_assert!(w.rest().is_some());
        prop_assert!(w.sides[i].link.gone.is_some());
        for j in (0..w.sides.len()).filter(|j| *j != i) {
            prop_assert_eq!(w.shown(j, f), Some(&w.sides[j].crm.quirk.spell(&text("new"))));
        }
    }

    /// The remote was merged into another, which shows some values of its own: the link follows, nothing is created.
    #[test]
    fn a_merge_is_followed(mut w in lived_in(), f in field(), side in 0..3usize, v in value(), at in tick()) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.hold(i);
        let page = w.sides[i].held.last().cloned().unwrap();
        let survivor: crate::id::RemoteId = "survivor".parse().unwrap();
        w.sides[i].link.remote = Some(survivor.clone());
        w.sides[i].link.rev += 1;
        w.now += at;
        w.edit(i, f, Some(&v));
        let shown = w.shown(i, f).cloned();
        prop_assert!(w.rest().is_some());
        w.receive(i, &page, Taken::Sometime);
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(route(&w.sides[i].link), Route::Update(survivor));
        prop_assert_eq!(w.shown(i, f), shown.as_ref());
    }
}

//! Properties of the bookkeeping: any number of instances at any times, against a vendor that counts for itself.

use super::{Book, Budget, Counts, Day, Keeper, Ledger, Limits, Told, Weight, Window, book::Next};
use crate::{
    connection::Allowance,
    context::{Clock, plus},
    error::Error,
    provider::Crm,
};
use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use proptest::prelude::*;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

const SEARCH: Weight = Weight { search: true, tokens: 20 };
const CALL: Weight = Weight { search: false, tokens: 5 };

const EPOCH: u64 = 1_700_000_000_000;

fn at(ms: u64) -> Timestamp {
    plus(Timestamp::UNIX_EPOCH, Duration::from_millis(EPOCH + ms))
}

fn ms_of(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap() - EPOCH
}

struct World {
    limits: Limits,
    ledger: Ledger,
    books: Vec<Book>,
    /// When calls arrived at the vendor.
    arrived: Vec<(Weight, u64)>,
    /// Calls under way: when they are answered, whose they are.
    under_way: Vec<(u64, usize, Weight)>,
    asked: u32,
}

impl World {
    fn of(limits: Limits, allowance: Allowance, instances: usize) -> World {
        let book = |n: usize| Book::new(format!("instance-{n}"), limits, allowance);
        let books = (0..instances).map(book).collect();
        World { limits, ledger: Ledger::default(), books, arrived: Vec::new(), under_way: Vec::new(), asked: 0 }
    }

    /// A call of one instance, which takes so long to arrive, and to be answered; until when it is to wait otherwise.
    fn call_for(&mut self, instance: usize, weight: Weight, ms: u64, takes: [u64; 2]) -> Result<(), Option<Timestamp>> {
        self.under_way.sort_by_key(|(ends, ..)| *ends);
        let ended = self.under_way.partition_point(|(ends, ..)| *ends <= ms);
        for (ends, instance, weight) in self.under_way.drain(..ended) {
            self.books[instance].ended(weight, at(ends));
        }
        for _ in 0..8 {
            match self.books[instance].next(weight, at(ms)) {
                Next::Go => {
                    self.arrived.push((weight, ms + takes[0]));
                    self.under_way.push((ms + takes[0] + takes[1], instance, weight));
                    return Ok(());
                }
                Next::Ask => {
                    let ask = self.books[instance].ask(weight, at(ms)).unwrap();
                    let answered = self.ledger.answer(&ask, at(ms));
                    self.books[instance].answered(&ask, &answered, at(ms));
                    self.asked += 1;
                }
                Next::Full { until, .. } => {
                    assert!(until > at(ms), "a wait that is none");
                    return Err(Some(until));
                }
                Next::Spent { .. } => return Err(None),
            }
        }
        panic!("it asks and asks")
    }

    fn call(&mut self, instance: usize, weight: Weight, ms: u64) -> Result<(), Option<Timestamp>> {
        self.call_for(instance, weight, ms, [0, 0])
    }

    /// The vendor counts what arrived, in rolling windows.
    fn is_within_limits(&mut self) {
        self.arrived.sort_by_key(|(_, ms)| *ms);
        for window in self.limits.windows {
            let (per, mut counted) = (u64::try_from(window.per.as_millis()).unwrap(), VecDeque::new());
            for (_, ms) in self.arrived.iter().filter(|(weight, _)| window.takes(*weight)) {
                counted.push_back(*ms);
                while counted.front().is_some_and(|first| first + per <= *ms) {
                    counted.pop_front();
                }
                assert!(counted.len() <= window.calls as usize, "{window:?} at {ms} ms");
            }
        }
    }
}

fn table() -> impl Strategy<Value = Limits> {
    prop::sample::select(Crm::ALL.map(|crm| crm.capabilities().limits).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Instances call when they like and as often as they are let; the vendor never counts more than it allows. Each that
    /// leaves calls unasked takes them from what is spared, so there are no more instances than that is for.
    #[test]
    fn no_window_ever_overflows(
        limits in table(),
        others in 0u8..60,
        calls in prop::collection::vec((0usize..3, any::<bool>(), 0u64..60, 1u32..40, 0u64..50, 0u64..500), 1..300),
    ) {
        let mut world = World::of(limits, Allowance { left_to_others: others, per_day: None }, 3);
        let mut ms = 0;
        for (instance, search, passes, times, arrives, answered) in calls {
            ms += passes * passes;
            // The one search that is spared is for one instance: the other is lent some.
            let searcher = search && (instance < 2 || limits.windows.iter().all(|w| w.free == 0));
            for _ in 0..times {
                let _ = world.call_for(instance, if searcher { SEARCH } else { CALL }, ms, [arrives, answered]);
            }
        }
        world.is_within_limits();
    }

    /// Alone, a writer that calls whenever it may is not held below what the limits lend, and asks for little.
    #[test]
    fn a_lone_writer_has_it_all(limits in table(), search in any::<bool>(), start in 0u64..10_000) {
        const LASTS: u64 = 120_000;
        let mut world = World::of(limits, Allowance { left_to_others: 0, per_day: None }, 1);
        let weight = if search { SEARCH } else { CALL };
        let (mut ms, mut made) = (start, 0u64);
        while ms < start + LASTS && made < 1_000_000 {
            match world.call(0, weight, ms) {
                Ok(()) => made += 1,
                Err(free) => ms = ms_of(free.unwrap()),
            }
            ms += u64::from(limits.windows.is_empty());
        }
        world.is_within_limits();
        let mut most = made;
        for window in limits.windows.iter().filter(|window| window.takes(weight)) {
            let spare = if window.shared { 0 } else { window.spare };
            let allowed = LASTS * u64::from(window.calls - spare) / u64::try_from(window.per.as_millis()).unwrap();
            most = most.min(allowed);
            prop_assert!(u64::from(world.asked) <= 3 + LASTS / 1_900, "asked {} times for {made} calls", world.asked);
        }
        prop_assert!(made * 100 >= most * 90, "{made} of {most}");
    }

    /// However it is spent, by us or by others: what is left to others is not touched once an answer told.
    #[test]
    fn the_share_of_the_day_stays(most in 100u64..1_000_000, share in 0u8..=100, spent in prop::collection::vec(0u64..5_000, 1..50)) {
        let limits = Limits { day: Some(Day { least: 1, wait: Duration::from_secs(900), metered: false }), ..Crm::Salesforce.capabilities().limits };
        let mut book = Book::new("one".to_owned(), limits, Allowance { left_to_others: share, per_day: None });
        let (mut left, mut ms, kept) = (most, 0, most * u64::from(share) / 100);
        for spent in spent {
            ms += 1_000;
            if matches!(book.next(CALL, at(ms)), Next::Go) {
                prop_assert!(ms == 1_000 || left > kept, "{left} of {most}");
                left = left.saturating_sub(1);
                book.told(Told { day_most: Some(most), day_left: Some(left), ..Told::default() }, at(ms));
            } else {
                prop_assert!(left <= kept);
            }
            left = left.saturating_sub(spent);
            book.told(Told { day_most: Some(most), day_left: Some(left), ..Told::default() }, at(ms));
        }
    }
}

/// Two that want all there is both get some of it.
#[test]
fn nobody_starves() {
    let all = Crm::ALL.into_iter().flat_map(|crm| [(crm, SEARCH, 0), (crm, SEARCH, 20), (crm, CALL, 20)]);
    for (crm, weight, left_to_others) in all {
        let allowance = Allowance { left_to_others, per_day: None };
        let mut world = World::of(crm.capabilities().limits, allowance, 2);
        if !world.limits.windows.iter().any(|window| window.takes(weight)) {
            continue;
        }
        let (mut made, mut free) = ([0u64; 2], [0u64; 2]);
        for ms in (0..60_000).step_by(20) {
            for instance in [0, 1] {
                while free[instance] <= ms {
                    match world.call(instance, weight, ms) {
                        Ok(()) => made[instance] += 1,
                        Err(until) => free[instance] = ms_of(until.unwrap()),
                    }
                }
            }
        }
        world.is_within_limits();
        let (most, least) = (made[0].max(made[1]), made[0].min(made[1]));
        assert!(least * 4 >= most, "{crm}: {made:?}");
    }
}

/// Time that passes only while somebody waits.
#[derive(Debug)]
struct Waits(Mutex<u64>);

impl Clock for Waits {
    fn now(&self) -> Timestamp {
        at(*self.0.lock().unwrap())
    }

    fn moment(&self, time: Duration) -> BoxFuture<'_, ()> {
        *self.0.lock().unwrap() += u64::try_from(time.as_millis()).unwrap();
        std::future::ready(()).boxed()
    }
}

/// Of each window, one call more than may be lent: a place that is soon free is waited for, and no longer than there is time.
#[tokio::test]
async fn nobody_waits_beyond_the_time_that_is_left() {
    for (crm, weight) in Crm::ALL.into_iter().flat_map(|crm| [(crm, SEARCH), (crm, CALL)]) {
        let limits = crm.capabilities().limits;
        let Some(longest) = limits.windows.iter().filter(|w| w.takes(weight)).map(|w| w.per).max() else { continue };
        for left in [0, 700, 3_000, 60_000] {
            let (clock, ledger) = (Arc::new(Waits(Mutex::new(0))), Arc::new(Mutex::new(Ledger::default())));
            let keeper: Keeper =
                Arc::new(move |ask, now| std::future::ready(Ok(ledger.lock().unwrap().answer(&ask, now))).boxed());
            let book = Arc::new(Mutex::new(Book::new("one".to_owned(), limits, Allowance::default())));
            let (full, calls, asking) = (Arc::default(), Arc::default(), Arc::default());
            let budget = Budget { book, keeper, clock: clock.clone(), full, calls, asking };
            let refused = loop {
                match budget.admit(weight, at(left)).await {
                    Ok(_) if *clock.0.lock().unwrap() > 0 => break None,
                    Ok(_) => {}
                    Err(error) => break Some(error),
                }
            };
            let waited = *clock.0.lock().unwrap();
            match refused {
                Some(Error::RateLimited { after }) => {
                    assert_eq!(waited, 0, "{crm}");
                    let after = u64::try_from(after.as_millis()).unwrap();
                    assert!(after > left.min(6_000) && after <= 20_000, "{crm}: {after} of {longest:?}");
                }
                Some(error) => panic!("{error}"),
                None => assert!(waited <= left && longest <= Duration::from_secs(2), "{crm}: {waited} of {longest:?}"),
            }
        }
    }
}

/// A look, and another a while later: nobody is asked.
#[test]
fn a_lone_call_asks_nobody() {
    for crm in Crm::ALL {
        let mut world = World::of(crm.capabilities().limits, Allowance::default(), 1);
        for minute in 0..10 {
            world.call(0, CALL, minute * 60_000).unwrap();
        }
        assert_eq!(world.asked, 0, "{crm}");
    }
}

/// Tokens that no header tells of are counted by us, in all instances together, where a connection says how many there are.
#[test]
fn metered_tokens_are_counted_together() {
    let limits = Limits { windows: &[], ..Crm::Pipedrive.capabilities().limits };
    let mut world = World::of(limits, Allowance { left_to_others: 20, per_day: Some(30_000) }, 3);
    let made = (0..10_000).filter(|n| world.call(n % 3, SEARCH, *n as u64 * 10).is_ok()).count();
    assert!((1_180..=1_230).contains(&made), "{made} searches of 20 tokens are 24,000");
    assert!(world.call(0, SEARCH, 86_400_000).is_ok(), "another day");
}

/// What is left of Zoho's credits is told, and not of how many: the most that was ever told of says how many there are.
#[test]
fn a_budget_that_only_tells_what_is_left_is_known_by_its_half() {
    let limits = Crm::Zoho.capabilities().limits;
    let told = |left| Told { day_left: Some(left), ..Told::default() };
    let mut world = World::of(limits, Allowance::default(), 2);
    world.call(0, CALL, 0).unwrap();
    world.books[0].told(told(50_000), at(0));
    world.call(0, CALL, 1_000).unwrap();
    world.call(1, CALL, 1_000).unwrap();
    world.books[1].told(told(19_000), at(1_000));
    // Of the whole it hears by asking, which it does now.
    assert_eq!(world.call(1, CALL, 2_000), Err(None));
    assert_eq!(world.call(1, CALL, 3_000), Err(None), "20,000 are left to others");
}

#[test]
fn a_plan_that_allows_more_is_used_and_one_that_allows_less_is_kept() {
    let window =
        Window { counts: Counts::All, calls: 80, per: Duration::from_secs(2), shared: false, free: 2, spare: 8 };
    for most in [20u32, 480] {
        let mut book = Book::new("one".to_owned(), Crm::Pipedrive.capabilities().limits, Allowance::default());
        let mut ledger = Ledger::default();
        let mut made = 0;
        for _ in 0..1_000 {
            match book.next(CALL, at(made)) {
                Next::Go => {
                    made += 1;
                    book.told(Told { most: Some(most), left: Some(most), ..Told::default() }, at(made));
                }
                Next::Ask => {
                    let ask = book.ask(CALL, at(made)).unwrap();
                    let answered = ledger.answer(&ask, at(made));
                    book.answered(&ask, &answered, at(made));
                }
                Next::Full { .. } | Next::Spent { .. } => break,
            }
        }
        assert_eq!(made, u64::from(most - window.spare));
    }
}

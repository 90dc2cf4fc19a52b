//! How long an edit takes to be seen in the hub and in the other CRMs, at a steady rate.

use super::Lambda;
use crate::{
    story::request,
    world::{World, tenant},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use shared::{
    context::{Clock, until},
    history::Entry,
    provider::Crm,
    record::{Email, Key},
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt,
    rc::Rc,
    time::Duration,
};

/// Edits of each kind: `LATENCY=100` for percentiles that mean something.
fn size() -> usize {
    #[expect(clippy::disallowed_methods, reason = "a test asks how large it is to be")]
    std::env::var("LATENCY").map_or(3, |size| size.parse().unwrap())
}

/// Each kind of edit is made so often.
const EVERY: SignedDuration = SignedDuration::from_secs(20);
/// The connections' interval, and what a pull may take besides.
const PULLED: Duration = Duration::from_secs(300 + 60);
const TOLD: Duration = Duration::from_secs(30);

/// How we hear of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Path {
    Webhook(Crm),
    Pull(Crm),
    Request,
}

impl Path {
    pub(super) fn all() -> Vec<Path> {
        let of_crms = Crm::ALL.into_iter().flat_map(|crm| [Path::Webhook(crm), Path::Pull(crm)]);
        of_crms.chain([Path::Request]).collect()
    }

    fn from(self) -> Option<Crm> {
        match self {
            Path::Webhook(crm) | Path::Pull(crm) => Some(crm),
            Path::Request => None,
        }
    }

    /// As long as it may take.
    fn most(self) -> Duration {
        if matches!(self, Path::Pull(_)) { PULLED } else { TOLD }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Webhook(crm) => write!(f, "{crm}, webhook"),
            Path::Pull(crm) => write!(f, "{crm}, pull"),
            Path::Request => write!(f, "sync request"),
        }
    }
}

/// Somebody gets another phone.
pub(super) struct Edit {
    path: Path,
    email: String,
    phone: String,
    pub(super) made: Timestamp,
    pub(super) shown: BTreeMap<Crm, Timestamp>,
}

impl Edit {
    pub(super) fn is_shown_by(&self, crm: Crm) -> bool {
        self.path.from() == Some(crm) || self.shown.contains_key(&crm)
    }
}

#[tokio::test]
async fn an_edit_is_seen_everywhere_within_its_time() {
    let test = async {
        let lambda = Lambda::of(&Crm::ALL).await;
        let made = edits(&lambda, &Path::all(), size(), &json!({})).await;
        tell(&lambda.world, &made).await;
    };
    tokio::task::LocalSet::new().run_until(test).await;
}

/// So many edits on each of these paths, from the time on when the CRMs do wrong what `faults` say.
pub(super) async fn edits(lambda: &Rc<Lambda>, paths: &[Path], size: usize, faults: &Json) -> Vec<Edit> {
    let world = &lambda.world;
    let email = |n: usize| format!("p{n:05}@example.com");
    let lead = |n: usize, phone: String| json!({"id": format!("l{n}"), "email": email(n), "phone": phone, "last_name": format!("Steady {n}")});
    let people = 0..size * paths.len();
    let seeds: Vec<_> =
        people.clone().map(|n| request(&format!("r{n}"), lead(n, format!("+1415{:07}", 2_000_000 + n)))).collect();
    world.send(&seeds).await;
    lambda.run(None, async || {}).await;
    let mut ids: BTreeMap<(Crm, String), String> = BTreeMap::new();
    for crm in Crm::ALL {
        ids.extend(world.people(crm).await.into_iter().map(|one| ((crm, one.get("email").to_owned()), one.id.clone())));
    }
    lambda.suffer(faults).await;
    lambda.tick();
    let (made, writes) = (RefCell::new(Vec::<Edit>::new()), RefCell::new(BTreeMap::new()));
    let begun = lambda.time.now();
    for n in people {
        let (path, nth) = (paths[n % paths.len()], n / paths.len());
        // All kinds take turns within the time of one.
        let offset = EVERY.as_millis() as usize * (n % paths.len()) / paths.len();
        let at = begun + EVERY * i32::try_from(nth).unwrap() + SignedDuration::from_millis(offset as i64);
        lambda.run(Some(at), async || watch(lambda, &made, &writes).await).await;
        let phone = format!("+1415{:07}", 3_000_000 + n);
        made.borrow_mut().push(Edit { path, email: email(n), phone: phone.clone(), made: at, shown: BTreeMap::new() });
        match path {
            Path::Webhook(crm) => world.edit(crm, &ids[&(crm, email(n))], &[("phone", &phone)]).await,
            Path::Pull(crm) => world.edit_silently(crm, &ids[&(crm, email(n))], &[("phone", &phone)]).await,
            Path::Request => {
                let mut asked = request(&format!("again-{n}"), lead(n, phone));
                asked["occurred_at"] = json!(at);
                world.send(&[asked]).await;
            }
        }
    }
    let end = lambda.time.now() + SignedDuration::try_from(PULLED * 2).unwrap();
    lambda.run(Some(end), async || watch(lambda, &made, &writes).await).await;
    while world.journal().await {}
    made.into_inner()
}

/// Notes what each CRM shows by now. Each is asked only after somebody wrote to it.
async fn watch(lambda: &Lambda, made: &RefCell<Vec<Edit>>, writes: &RefCell<BTreeMap<Crm, u64>>) {
    for crm in Crm::ALL {
        let calls =
            lambda.world.sim.shared.lock().calls.counts().get(crm.name()).map_or(0, |routes| routes.values().sum());
        let open = made.borrow().iter().any(|edit| !edit.is_shown_by(crm));
        if writes.borrow_mut().insert(crm, calls) == Some(calls) || !open {
            continue;
        }
        let shown: BTreeSet<(String, String)> = lambda
            .world
            .people(crm)
            .await
            .iter()
            .map(|one| (one.get("email").to_owned(), digits(one.get("phone"))))
            .collect();
        for edit in made.borrow_mut().iter_mut().filter(|edit| !edit.is_shown_by(crm)) {
            if shown.contains(&(edit.email.clone(), digits(&edit.phone))) {
                edit.shown.insert(crm, lambda.time.now());
            }
        }
    }
}

fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

/// When the hub had it, as its history says.
async fn stored(world: &World, edit: &Edit) -> Timestamp {
    let key = Key::Email(Email::parse(&edit.email).unwrap());
    let holders =
        world.app.store.holders(&tenant(), &shared::record::Object::Person, std::slice::from_ref(&key)).await.unwrap();
    let entries = world.app.history.of(&tenant(), &holders[&key][0]).await.unwrap();
    let stored = entries.into_iter().find_map(|entry| match entry {
        Entry::Change { cause, fields, .. } => {
            let is_it = |value: String| digits(&value).contains(&digits(&edit.phone));
            fields
                .iter()
                .any(|change| change.after.as_ref().is_some_and(|value| is_it(value.to_string())))
                .then_some(cause.at)
        }
        Entry::Timeline { .. } => None,
    });
    stored.unwrap_or_else(|| panic!("{}: the hub has no {}", edit.path, edit.phone))
}

async fn tell(world: &World, edits: &[Edit]) {
    println!("{:<24}{:>6}  {:^24}  {:^24}", "seconds until", "edits", "in the hub", "in another CRM");
    let columns = format!("{:>8}{:>8}{:>8}", "p50", "p95", "p99");
    println!("{:<30}{columns}  {columns}", "");
    let mut late = Vec::new();
    for path in Path::all() {
        let (mut hub, mut others, mut count) = (Vec::new(), Vec::new(), 0);
        for edit in edits.iter().filter(|edit| edit.path == path) {
            count += 1;
            hub.push(until(edit.made, stored(world, edit).await));
            for crm in Crm::ALL.into_iter().filter(|crm| path.from() != Some(*crm)) {
                let shown =
                    edit.shown.get(&crm).unwrap_or_else(|| panic!("{path}: {crm} does not show {}", edit.phone));
                others.push((crm, until(edit.made, *shown)));
            }
        }
        if path == Path::Request {
            for crm in Crm::ALL {
                let there = others.iter().filter(|(other, _)| *other == crm).map(|(_, time)| *time).collect();
                println!("{:<24}{count:>6}{}  {}", format!("{path} to {crm}"), spelt(hub.clone()), spelt(there));
            }
        } else {
            let there = others.iter().map(|(_, time)| *time).collect();
            println!("{:<24}{count:>6}{}  {}", path.to_string(), spelt(hub.clone()), spelt(there));
        }
        let worst = hub.into_iter().chain(others.into_iter().map(|(_, time)| time)).max().unwrap_or_default();
        if worst >= path.most() {
            late.push(format!("{path}: {worst:?}"));
        }
    }
    assert!(late.is_empty(), "{late:?}");
    let raised = world.app.store.exceptions(&tenant()).await.unwrap();
    assert!(raised.is_empty(), "{raised:?}");
}

/// p50, p95 and p99, in seconds.
pub(super) fn percentiles(mut times: Vec<Duration>) -> [f64; 3] {
    times.sort_unstable();
    [50, 95, 99].map(|percent| times[(times.len() * percent).div_ceil(100) - 1].as_secs_f64())
}

fn spelt(times: Vec<Duration>) -> String {
    percentiles(times).map(|time| format!("{time:>8.1}")).concat()
}

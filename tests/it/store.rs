//! The contract of the state table, against a DynamoDB API.

use crate::{aws, meter::Meter};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use shared::{
    cause::{By, Cause},
    error::Error,
    id::{ConnectionId, RecordId, RequestId, Source, TenantId},
    record::{Key, Phone, Record, Region, Value},
    store::{Commit, Lost, Once, Store},
};
use std::collections::BTreeSet;

fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

fn tenant() -> TenantId {
    "t".parse().unwrap()
}

fn connection() -> ConnectionId {
    "hub".parse().unwrap()
}

async fn store() -> Store {
    let aws = aws::account().await;
    aws::app(&aws, None, None).await.store
}

fn record(fields: &[(&str, &str)]) -> Record {
    let by = By::Request { id: "r".parse().unwrap(), source: "workflow".parse().unwrap() };
    let mut record =
        Record::empty(tenant(), shared::record::Object::Person, RecordId::fresh(), Cause::new(by, "trace", now()));
    for (field, value) in fields {
        put(&mut record, field, value);
    }
    record.version = 1;
    record
}

fn put(record: &mut Record, field: &str, value: &str) {
    let source: Source = "workflow".parse().unwrap();
    record.fields.put(field, Value::text(value), now(), &source).unwrap();
}

async fn create(store: &Store, record: &Record) -> Result<(), Lost> {
    store.commit(&Commit::of(None, record), &Region::default(), now()).await
}

async fn change(store: &Store, before: &Record, after: &Record) -> Result<(), Lost> {
    let after = Record { version: before.version + 1, ..after.clone() };
    store.commit(&Commit::of(Some(before), &after), &Region::default(), now()).await
}

#[tokio::test]
async fn what_is_stored_is_read_again() {
    let store = store().await;
    let mut ada = record(&[("email", "ada@example.com"), ("phone", "+14155550100"), ("duration", "184")]);
    ada.links.insert(connection(), shared::record::Link { remote: Some("7".parse().unwrap()), ..Default::default() });
    create(&store, &ada).await.unwrap();
    assert_eq!(store.record(&tenant(), &ada.id).await.unwrap(), Some(ada.clone()));
    let keys = ada.keys(&Region::default());
    assert_eq!(keys.len(), 3);
    for (key, holders) in store.holders(&tenant(), &shared::record::Object::Person, &keys).await.unwrap() {
        assert_eq!(holders, vec![ada.id.clone()], "{key}");
    }
}

#[tokio::test]
async fn the_second_of_two_changes_of_one_version_is_lost() {
    let store = store().await;
    let first = record(&[("company", "Analytical")]);
    create(&store, &first).await.unwrap();
    let (mut one, mut two) = (first.clone(), first.clone());
    put(&mut one, "company", "One");
    put(&mut two, "company", "Two");
    change(&store, &first, &one).await.unwrap();
    assert!(matches!(change(&store, &first, &two).await, Err(Lost::Race)));
    let kept = store.record(&tenant(), &first.id).await.unwrap().unwrap();
    assert_eq!(kept.fields.get("company"), Value::text("One").as_ref());
}

/// People with a mailbox and a phone each, from this number on.
fn people(first: usize, count: usize) -> Vec<Record> {
    let person = |n: usize| {
        record(&[("email", format!("p{n}@example.com").as_str()), ("phone", format!("+1415555{n:04}").as_str())])
    };
    (first..first + count).map(person).collect()
}

#[tokio::test]
async fn what_is_ready_at_once_is_one_transaction() {
    let aws = aws::account().await;
    let meter = Meter::start(aws.endpoint_url().unwrap(), crate::meter::Traffic::default()).await;
    let metered = aws.to_builder().endpoint_url(&meter.url).build();
    let store = aws::app(&metered, None, None).await.store;
    let transactions = || meter.spent().0.remove("DynamoDB_20120810.TransactWriteItems").unwrap_or_default().calls;
    transactions();
    let new = people(0, 50);
    let made = join_all(new.iter().map(|one| create(&store, one))).await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    assert_eq!(transactions(), 2, "each is three steps, and a hundred go together");

    let mut more = people(50, 20);
    put(&mut more[7], "email", "p3@example.com");
    let made = join_all(more.iter().map(|one| create(&store, one))).await;
    let (stored, not): (Vec<_>, Vec<_>) = made.iter().enumerate().partition(|(_, made)| made.is_ok());
    assert!(matches!(not[..], [(7, Err(Lost::Taken(Key::Email(_))))]), "who stands in the way is told: {not:?}");
    assert_eq!((stored.len(), transactions()), (19, 21), "and the others go on alone");

    let twins = people(100, 1);
    let made = join_all((0..2).map(|_| create(&store, &twins[0]))).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
}

#[tokio::test]
async fn who_leads_may_be_stopped() {
    let store = store().await;
    let new = people(0, 3);
    let mut leads = Box::pin(create(&store, &new[0]));
    let mut others = Box::pin(join_all(new[1..].iter().map(|one| create(&store, one))));
    assert!(futures::poll!(&mut leads).is_pending() && futures::poll!(&mut others).is_pending());
    drop(leads);
    let made = others.await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    assert!(store.record(&tenant(), &new[0].id).await.unwrap().is_none());
}

#[tokio::test]
async fn two_records_cannot_have_one_mailbox() {
    let store = store().await;
    create(&store, &record(&[("email", "ada@example.com")])).await.unwrap();
    let second = create(&store, &record(&[("email", "ada@example.com"), ("phone", "+14155550100")])).await;
    assert!(matches!(second, Err(Lost::Taken(Key::Email(_)))), "{second:?}");
    let phone = Key::Phone(Phone::parse("+14155550100", &Region::default()).unwrap());
    assert!(
        store.holders(&tenant(), &shared::record::Object::Person, std::slice::from_ref(&phone)).await.unwrap()[&phone]
            .is_empty(),
        "a lost change left a key"
    );
}

#[tokio::test]
async fn two_people_cannot_come_into_being_by_one_phone_at_once() {
    let store = store().await;
    let phone = Key::Phone(Phone::parse("+14155550100", &Region::default()).unwrap());
    let both = [record(&[("phone", "+14155550100")]), record(&[("phone", "+14155550100")])];
    let commits =
        both.iter().map(|after| {
            let (store, phone) = (&store, std::slice::from_ref(&phone));
            async move {
                store.commit(&Commit { unclaimed: phone, ..Commit::of(None, after) }, &Region::default(), now()).await
            }
        });
    let done = futures::future::join_all(commits).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
}

#[tokio::test]
async fn a_changed_address_moves_its_key() {
    let store = store().await;
    let before = record(&[("email", "old@example.com")]);
    create(&store, &before).await.unwrap();
    let mut after = before.clone();
    put(&mut after, "email", "new@example.com");
    change(&store, &before, &after).await.unwrap();
    create(&store, &record(&[("email", "old@example.com")])).await.expect("the old address is free again");
}

#[tokio::test]
async fn a_request_is_done_once_and_forgotten_after_thirty_days() {
    let store = store().await;
    let request: RequestId = "01J".parse().unwrap();
    let ada = record(&[("company", "One")]);
    let once = Once::new(request.clone(), "digest".to_owned(), ada.id.clone(), now());
    let commit = async |before: Option<&Record>, after: &Record, at| {
        store.commit(&Commit { once: Some(&once), ..Commit::of(before, after) }, &Region::default(), at).await
    };
    commit(None, &ada, now()).await.unwrap();
    let again = Record { version: 2, ..ada.clone() };
    assert!(matches!(commit(Some(&ada), &again, now()).await, Err(Lost::Done)));
    let later = now() + SignedDuration::from_hours(31 * 24);
    let known = async |at| {
        let person = shared::record::Object::Person;
        store.known(&tenant(), &person, std::slice::from_ref(&request), &[], at).await.unwrap().0.len()
    };
    assert_eq!((known(now()).await, known(later).await), (1, 0));
    commit(Some(&ada), &again, later).await.unwrap();
}

#[tokio::test]
async fn a_settle_does_not_touch_fields_and_loses_to_a_moved_link() {
    let store = store().await;
    let first = record(&[("company", "Analytical")]);
    create(&store, &first).await.unwrap();
    let link = shared::record::Link { remote: Some("7".parse().unwrap()), rev: 1, ..Default::default() };
    store.settle(&first, &connection(), &link, &first.cause).await.unwrap();
    assert!(matches!(store.settle(&first, &connection(), &link, &first.cause).await, Err(Lost::Race)));
    let stored = store.record(&tenant(), &first.id).await.unwrap().unwrap();
    assert_eq!((stored.version, &stored.fields), (2, &first.fields));
    let key = Key::Remote(connection(), "7".parse().unwrap());
    assert_eq!(
        store.holders(&tenant(), &shared::record::Object::Person, std::slice::from_ref(&key)).await.unwrap()[&key],
        vec![first.id.clone()]
    );
    let other = record(&[]);
    create(&store, &other).await.unwrap();
    assert!(matches!(
        store.settle(&other, &connection(), &link, &other.cause).await,
        Err(Lost::Taken(Key::Remote(..)))
    ));
}

#[tokio::test]
async fn of_eight_who_want_a_lease_one_gets_it() {
    let store = store().await;
    let (tenant, connection) = (tenant(), connection());
    let wish = || store.take_lease(&tenant, &connection, SignedDuration::from_secs(30), now());
    let leases = futures::future::join_all((0..8).map(|_| wish())).await;
    let won: Vec<_> = leases.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(won.len(), 1);
    store.return_lease(&tenant, &connection, &won[0], &[now()]).await.unwrap();
    assert_eq!(wish().await.unwrap().unwrap().recent, vec![now()]);
    let later = now() + SignedDuration::from_secs(31);
    assert!(wish().await.unwrap().is_none());
    let after_its_end = store.take_lease(&tenant, &connection, SignedDuration::from_secs(30), later).await;
    assert!(after_its_end.unwrap().is_some(), "a lease ends by itself");
}

#[tokio::test]
async fn a_throttled_call_is_repeated_and_one_that_stays_throttled_comes_later() {
    let aws = aws::account().await;
    let meter = Meter::start(aws.endpoint_url().unwrap(), Default::default()).await;
    let metered = aws.to_builder().endpoint_url(&meter.url).build();
    let store = aws::app(&metered, None, None).await.store;
    let (ada, grace) = (record(&[("email", "ada@example.com")]), record(&[("email", "grace@example.com")]));
    meter.throttle(2);
    create(&store, &ada).await.unwrap();
    meter.throttle(u64::MAX);
    let lost = create(&store, &grace).await;
    assert!(matches!(lost, Err(Lost::Failed(Error::Retryable { .. }))), "{lost:?}");
    let read = store.record(&tenant(), &ada.id).await;
    assert!(matches!(read, Err(Error::Retryable { .. })), "{read:?}");
    meter.throttle(0);
    assert_eq!(store.record(&tenant(), &grace.id).await.unwrap(), None, "all of it or nothing");
    create(&store, &grace).await.unwrap();
}

#[tokio::test]
async fn a_record_near_the_limit_is_kept_and_one_beyond_it_is_told_apart() {
    let store = store().await;
    create(&store, &record(&[("notes", &"x".repeat(340 * 1024))])).await.unwrap();
    let beyond = create(&store, &record(&[("notes", &"x".repeat(360 * 1024))])).await;
    assert!(matches!(beyond, Err(Lost::TooLarge)), "{beyond:?}");
}

#[tokio::test]
async fn three_hundred_records_are_walked_once_each() {
    let store = store().await;
    let records: Vec<Record> = (0..300).map(|_| record(&[])).collect();
    for chunk in records.chunks(50) {
        futures::future::join_all(chunk.iter().map(|r| create(&store, r)))
            .await
            .into_iter()
            .for_each(|done| done.unwrap());
    }
    let mut walked = Vec::new();
    for shard in 0..shared::store::keys::RECORD_SHARDS {
        let mut after = None;
        loop {
            let (page, next) = store.record_page(&tenant(), shard, after.as_ref(), 7).await.unwrap();
            walked.extend(page.into_iter().map(|r| r.id));
            after = next;
            if after.is_none() {
                break;
            }
        }
    }
    assert_eq!(walked.len(), 300);
    assert_eq!(walked.into_iter().collect::<BTreeSet<_>>(), records.into_iter().map(|r| r.id).collect());
}

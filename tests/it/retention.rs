//! What happened is kept for as many days as its tenant says.

use crate::{
    engine::{ada, hub},
    world::{World, tenant},
};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use jiff::{SignedDuration, Timestamp};
use shared::{
    app::Settings,
    settings::Retention,
    store::{Open, Setting},
};
use std::collections::HashMap;

type Item = HashMap<String, AttributeValue>;

/// All items of a table that are so.
async fn items(world: &World, table: impl Fn(&Settings) -> &String, is: impl Fn(&Item) -> bool) -> Vec<Item> {
    let scan = Client::new(&world.aws).scan().table_name(table(&world.app.settings)).into_paginator().items().send();
    let all = scan.collect::<Result<Vec<_>, _>>().await.unwrap();
    all.into_iter().filter(is).collect()
}

fn text<'i>(item: &'i Item, name: &str) -> &'i str {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).unwrap_or_default()
}

fn ttl(item: &Item) -> Option<i64> {
    item.get("ttl")?.as_n().ok()?.parse().ok()
}

async fn keep_for(world: &World, days: u16) {
    let retention = Retention { days: days.try_into().unwrap() };
    assert!(world.app.store.set(&tenant(), Setting::Retention(retention), None).await.unwrap());
}

/// For how many days each entry is kept, by when its change was.
async fn kept(world: &World) -> Vec<i64> {
    let mut entries = items(world, |settings| &settings.history_table, |item| text(item, "entry") == "change").await;
    entries.sort_by(|one, other| text(one, "sk").cmp(text(other, "sk")));
    let days = |item: &Item| {
        let at: Timestamp = text(item["cause"].as_m().unwrap(), "at").parse().unwrap();
        (ttl(item).unwrap() - at.as_second()) / 86_400
    };
    entries.iter().map(days).collect()
}

#[tokio::test]
async fn history_is_kept_as_long_as_its_tenant_says() {
    let world = World::new().await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let before = kept(&world).await;
    assert!(!before.is_empty() && before.iter().all(|days| *days == 400), "{before:?}");

    keep_for(&world, 30).await;
    world.wait(SignedDuration::from_hours(24)).await;
    let mut later = ada("r2");
    later["lead"]["company"] = "Later".into();
    world.send(&[later]).await;
    world.settle().await;
    let after = kept(&world).await;
    let (old, new) = after.split_at(before.len());
    assert_eq!(old, before, "what is there already stays");
    assert!(!new.is_empty() && new.iter().all(|days| *days == 30), "{after:?}");

    let person = hub(&world, "ada@example.com").await;
    world.app.erase(&world.cx("erase"), &person, false).await.unwrap();
    world.settle().await;
    let erased = kept(&world).await;
    assert!(erased.iter().all(|days| *days == 30), "what is written without its values is written anew: {erased:?}");
}

#[tokio::test]
async fn an_exception_is_kept_from_its_end_on() {
    let world = World::new().await;
    keep_for(&world, 7).await;
    let mut lost = ada("r1");
    lost["connection_id"] = "nobodys".into();
    world.send(&[lost.clone()]).await;
    world.settle().await;
    let stored = async || {
        let found = items(&world, |settings| &settings.state_table, |item| text(item, "kind") == "exception").await;
        assert_eq!(found.len(), 1);
        found[0].clone()
    };
    assert_eq!(ttl(&stored().await), None, "whatever is open stays");
    let id = text(&stored().await, "id").to_owned();

    world.wait(SignedDuration::from_hours(1_000)).await;
    let ended = world.now();
    world.app.store.resolve(&tenant(), &id, ended).await.unwrap();
    assert_eq!(ttl(&stored().await), Some(ended.as_second() + 7 * 86_400));

    // The same failure once more.
    let open = world.app.store.exception(&tenant(), &id).await.unwrap().unwrap();
    world.app.store.raise(&shared::store::Exception { state: Open::Open, ..open }).await.unwrap();
    assert_eq!(ttl(&stored().await), None, "it is open again, and stays");
}

//! Where a browser acts: a world of the tests, or the stack that `cargo dev demo` has up, whose functions run by themselves.

use crate::world::World;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use serde_json::{Value as Json, json};
use shared::{
    app::{App, Settings},
    id::{ConnectionId, TenantId},
    provider::Hosts,
    queue::Outgoing,
    record::{Email, Key, Object, Record},
};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

pub(crate) struct Stage<'w> {
    world: Option<&'w World>,
    pub(crate) app: App,
    /// Where the dashboard is.
    pub(crate) origin: String,
    simulator: String,
    /// Our app at the simulator's HubSpot: its id and secret.
    pub(crate) hubspot: (String, String),
}

/// The longest that anything is waited for on a stack.
const PATIENCE: Duration = Duration::from_secs(300);

impl<'w> Stage<'w> {
    pub(crate) fn of(world: &'w World) -> Stage<'w> {
        let origin = world.app.settings.public_url.clone().unwrap();
        let hubspot = ("client-hubspot".to_owned(), "secret-of-the-hubspot-app".to_owned());
        let (app, simulator) = (world.twin(), world.sim.url.clone());
        Stage { world: Some(world), app, origin, simulator, hubspot }
    }

    /// The stack that is told of by this file.
    pub(crate) fn of_stack(file: &Path) -> Stage<'static> {
        let stack: Json = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let text = |at: &str| stack.pointer(at).and_then(Json::as_str).unwrap_or_else(|| panic!("no {at}")).to_owned();
        let simulator = text("/simulator");
        let settings = Settings {
            state_table: text("/tables/state"),
            history_table: text("/tables/history"),
            changes: text("/queues/changes"),
            sync_requests: text("/queues/sync_requests"),
            pushes: text("/queues/pushes"),
            pulls: text("/queues/pulls"),
            event_bus: text("/event_bus"),
            secret_prefix: "crm-sync".to_owned(),
            public_url: Some(text("/api")),
            hosts: Hosts { local: Some(simulator.clone()) },
            ..Settings::default()
        };
        let key = Credentials::new(text("/aws/access_key_id"), text("/aws/secret_access_key"), None, None, "stack");
        let aws = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(text("/aws/region")))
            .endpoint_url(text("/aws/endpoint"))
            .credentials_provider(aws_sdk_dynamodb::config::SharedCredentialsProvider::new(key));
        let app = App::new(&aws.build(), settings).unwrap();
        let hubspot = ("local-hubspot-client".to_owned(), "local-hubspot-client-secret".to_owned());
        Stage { world: None, app, origin: text("/control"), simulator, hubspot }
    }

    /// Waits until this holds.
    pub(crate) async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let begun = Instant::now();
        loop {
            match self.world {
                Some(world) => world.settle().await,
                None => tokio::time::sleep(Duration::from_millis(500)).await,
            }
            if holds().await {
                return;
            }
            assert!(self.world.is_none() && begun.elapsed() < PATIENCE, "{what}");
        }
    }

    /// The workflow service sends requests.
    pub(crate) async fn send(&self, requests: &[Json]) {
        let tenant: TenantId = "demo".parse().unwrap();
        let messages: Vec<Outgoing> = requests.iter().map(|one| Outgoing::new(one, &tenant).unwrap()).collect();
        self.app.queue.send(&self.app.settings.sync_requests, &messages).await.unwrap();
    }

    pub(crate) async fn sim(&self, route: &str, body: &Json) {
        let call = reqwest::Client::new().post(format!("{}/_sim/{route}", self.simulator)).json(body);
        let answer = call.send().await.unwrap();
        assert!(answer.status().is_success(), "{route}: {}", answer.text().await.unwrap());
    }

    /// HubSpot's contacts of one account whose mailboxes end so: their ids and properties.
    pub(crate) async fn contacts(&self, account: Option<&str>, ends: &str) -> Vec<(String, Json)> {
        let account = account.map(|account| format!("?account={account}")).unwrap_or_default();
        let shown = reqwest::get(format!("{}/_sim/hubspot/contacts{account}", self.simulator)).await.unwrap();
        let shown: Vec<Json> = shown.json().await.unwrap();
        let mine = |one: &Json| one["properties"]["email"].as_str().is_some_and(|email| email.ends_with(ends));
        let mine = shown.into_iter().filter(mine);
        mine.map(|one| (one["id"].as_str().unwrap().to_owned(), one["properties"].clone())).collect()
    }

    pub(crate) async fn record(&self, email: &str) -> Record {
        let tenant: TenantId = "demo".parse().unwrap();
        let key = Key::Email(Email::parse(email).unwrap());
        let found = self.app.store.holders(&tenant, &Object::Person, std::slice::from_ref(&key)).await.unwrap();
        self.app.store.record(&tenant, &found[&key][0]).await.unwrap().unwrap()
    }

    pub(crate) async fn ask_a_person(&self, connection: &str) {
        let (tenant, id): (TenantId, ConnectionId) = ("demo".parse().unwrap(), connection.parse().unwrap());
        let manual = serde_json::from_value(json!({"conflicts": "manual"})).unwrap();
        self.app.set_policy(&tenant, &id, manual).await.unwrap();
    }
}

/// Where pictures are kept, for people to look at.
pub(crate) fn screens() -> PathBuf {
    let screens = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../dev/screens");
    std::fs::create_dir_all(&screens).unwrap();
    screens
}

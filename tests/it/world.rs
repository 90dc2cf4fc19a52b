//! A tenant with a connection per CRM, and the pump that plays Lambda: it receives what is queued and calls the functions.

use crate::{
    aws,
    chaos::Chaos,
    gateway,
    invoked::{Instances, Invoked, Work},
    meter::{Meter, Traffic},
    stream::Stream,
};
use aws_config::SdkConfig;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::types::MessageSystemAttributeName;
use axum::{
    Router,
    routing::{any, get, post},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use shared::{
    App,
    connection::{Connection, State as Working},
    context::Context,
    handler,
    id::{ConnectionId, TenantId},
    mapping::Direction,
    provider::Crm,
    record::Object,
};
use simulator::{Options, Simulator};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) aws: SdkConfig,
    pub(crate) sim: Simulator,
    /// The functions' clock is ahead of the real one by so many seconds.
    ahead: Arc<AtomicI64>,
    pub(crate) chaos: Chaos,
    pub(crate) stream: Stream,
    pub(crate) invoked: Invoked,
    pub(crate) instances: Instances,
    /// The functions' metrics, as they write them.
    pub(crate) emitted: Mutex<Vec<String>>,
    /// Receipts of messages that were received and not deleted, with their queues.
    hidden: Mutex<BTreeMap<String, &'static str>>,
}

pub(crate) const TENANT: &str = "demo";
/// The two CRMs of most worlds; the laws of every CRM are in `laws`.
const PAIR: [Crm; 2] = [Crm::HubSpot, Crm::Zoho];
pub(crate) const QUEUES: [&str; 5] = ["changes", "sync-requests", "pushes", "pulls", "imports"];

impl World {
    pub(crate) async fn new() -> World {
        World::of(&PAIR).await
    }

    /// A world with a connection to each of these CRMs.
    pub(crate) async fn of(crms: &[Crm]) -> World {
        let aws = aws::account().await;
        World::over(aws.clone(), &aws, crms, &[Object::Person]).await
    }

    /// A world whose connections know these objects.
    pub(crate) async fn of_objects(crms: &[Crm], objects: &[Object]) -> World {
        let aws = aws::account().await;
        World::over(aws.clone(), &aws, crms, objects).await
    }

    /// A world whose functions' calls to AWS are counted.
    pub(crate) async fn metered() -> (World, Meter) {
        let aws = aws::account().await;
        World::through(aws, Traffic::default(), &PAIR).await
    }

    /// A world between whose functions and AWS there is a proxy.
    pub(crate) async fn through(aws: SdkConfig, traffic: Traffic, crms: &[Crm]) -> (World, Meter) {
        let meter = Meter::start(aws.endpoint_url().unwrap(), traffic).await;
        let metered = aws.to_builder().endpoint_url(&meter.url).build();
        (World::over(aws, &metered, crms, &[Object::Person]).await, meter)
    }

    async fn over(aws: SdkConfig, functions: &SdkConfig, crms: &[Crm], objects: &[Object]) -> World {
        let sim = Simulator::start(Options::default()).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let public_url = format!("http://{}", listener.local_addr().unwrap());
        let app = Arc::new(aws::app(functions, Some(sim.url.clone()), Some(public_url.clone())).await);
        let ahead = Arc::new(AtomicI64::new(0));
        let (invoked, instances) = (Invoked::default(), Instances::of(app.clone(), functions.clone()));
        let state = (instances.clone(), ahead.clone(), invoked.clone());
        let door = Router::new()
            .route("/webhooks/{*path}", post(gateway::call))
            .route("/connect/{*path}", any(gateway::call))
            .route("/v1/{*path}", any(gateway::call))
            .route("/", get(gateway::call))
            .route("/login", get(gateway::call))
            .route("/callback", get(gateway::call))
            .route("/logout", post(gateway::call))
            .route("/assets/{*path}", get(gateway::call))
            .route("/tenants", get(gateway::call))
            .route("/tenants/{*path}", any(gateway::call))
            .with_state(state);
        tokio::spawn(async move { axum::serve(listener, door).await });
        let stream = Stream::of(&aws, &app.settings.state_table).await;
        let (emitted, hidden, chaos) = (Mutex::default(), Mutex::default(), Chaos::default());
        let world = World { app, aws, sim, ahead, chaos, stream, invoked, instances, emitted, hidden };
        for crm in crms {
            world.account(*crm).await;
            world.connect_objects(*crm, objects).await;
        }
        world
    }

    /// An account of the simulator, which is told where its webhooks go, and our app there.
    /// Once for each CRM.
    pub(crate) async fn account(&self, crm: Crm) -> Json {
        let public_url = self.app.settings.public_url.as_deref().unwrap();
        let account = account_of(crm);
        let (id, secret) = (format!("client-{crm}"), format!("secret-of-the-{crm}-app"));
        let mut opened = json!({"crm": crm.name(), "account_id": account, "client_id": id, "client_secret": secret, "refresh_token": format!("refresh-{crm}")});
        match crm {
            Crm::HubSpot => opened["webhook_url"] = json!(format!("{public_url}/webhooks/hubspot")),
            Crm::Salesforce => {
                let url = format!("{public_url}/webhooks/salesforce/salesforce?token=token-of-the-channel");
                opened["webhook_url"] = json!(url);
                opened["subscriptions"] = json!(["SystemModstamp", "LastModifiedById", "Email"]);
            }
            Crm::Zoho | Crm::Pipedrive => {}
        }
        self.sim("accounts", &opened).await;
        let secrets = aws_sdk_secretsmanager::Client::new(&self.aws);
        let app = json!({"client_id": id, "client_secret": secret}).to_string();
        secrets.create_secret().name(format!("crm-sync/app/{crm}")).secret_string(app).send().await.unwrap();
        opened
    }

    /// A connection to an account whose credentials are there already.
    pub(crate) async fn connect(&self, crm: Crm) {
        self.connect_objects(crm, &[Object::Person]).await;
    }

    async fn connect_objects(&self, crm: Crm, objects: &[Object]) {
        let account = account_of(crm);
        let secrets = aws_sdk_secretsmanager::Client::new(&self.aws);
        let grant = json!({"access_token": "none", "refresh_token": format!("refresh-{crm}"), "expires_at": "2026-01-01T00:00:00Z", "webhook_token": "token-of-the-channel"});
        let name = format!("crm-sync/connection/{TENANT}/{crm}");
        secrets.create_secret().name(name).secret_string(grant.to_string()).send().await.unwrap();
        let connection = Connection {
            tenant: tenant(),
            id: crm.name().parse().unwrap(),
            crm,
            account: account.parse().unwrap(),
            state: Working::Active,
            approved: true,
            direction: Direction::Both,
            mappings: crm.default_mappings(objects),
            policy: Default::default(),
            region: Default::default(),
            accepts_legacy_signatures: false,
            mode: Default::default(),
            pull_every: 300,
            cursors: Default::default(),
            deletions_read: Default::default(),
            compared: Default::default(),
            watch: None,
            last_success: None,
            owes_sweep: false,
            held: None,
            free_until: None,
            allowance: Default::default(),
            settings: Default::default(),
            due_at: Timestamp::UNIX_EPOCH,
            version: 1,
        };
        let origin = self.app.settings.public_url.as_deref().unwrap();
        let opened = self.app.open(&self.cx("connect"), connection, origin).await.unwrap();
        assert!(opened.by_hand.is_empty(), "{:?}", opened.by_hand);
    }

    /// Another instance of the functions, with a memory of its own.
    pub(crate) fn twin(&self) -> App {
        App::new(&self.aws, self.app.settings.clone()).unwrap()
    }

    pub(crate) async fn stored(&self, crm: Crm) -> Connection {
        self.app.store.connection(&tenant(), &connection(crm)).await.unwrap().unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        now(&self.ahead)
    }

    pub(crate) fn cx(&self, trace: &str) -> Context {
        Context::new(self.now(), Duration::from_secs(60), trace)
    }

    /// Time passes, here and in the CRMs.
    pub(crate) async fn wait(&self, time: SignedDuration) {
        self.ahead.fetch_add(time.as_secs(), Ordering::Relaxed);
        self.sim("clock", &json!({"advance_ms": time.as_millis() as i64, "receivers": true})).await;
    }

    /// Posts to the simulator's own routes.
    pub(crate) async fn sim(&self, route: &str, body: &Json) -> Json {
        let answer =
            reqwest::Client::new().post(format!("{}/_sim/{route}", self.sim.url)).json(body).send().await.unwrap();
        let (status, answer) = (answer.status(), answer.json::<Json>().await.unwrap());
        assert!(status.is_success(), "{route}: {answer}");
        answer
    }

    pub(crate) async fn shown(&self, route: &str) -> Json {
        reqwest::get(format!("{}/_sim/{route}", self.sim.url)).await.unwrap().json().await.unwrap()
    }

    /// Sends a delivery once more, as it was.
    pub(crate) async fn redeliver(&self, delivery: &Json) {
        let mut call = reqwest::Client::new().post(delivery["url"].as_str().unwrap());
        for (name, value) in delivery["headers"].as_object().unwrap() {
            call = call.header(name, value.as_str().unwrap());
        }
        let body = delivery["body"].as_str().map_or_else(|| delivery["body"].to_string(), str::to_owned);
        let answer = call.body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// The workflow service sends requests.
    pub(crate) async fn send(&self, requests: &[Json]) {
        let messages: Vec<_> =
            requests.iter().map(|request| shared::queue::Outgoing::new(request, &TENANT).unwrap()).collect();
        self.app.queue.send(&self.app.settings.sync_requests, &messages).await.unwrap();
    }

    /// Everything that is due is enqueued, as the schedule does.
    pub(crate) async fn tick(&self) {
        self.invoked.note("delta-pull", 0);
        let tick = serde_json::from_value(json!({"tick": "pulls"})).unwrap();
        let cx = self.cx("tick");
        let app = self.instances.one();
        handler::delta_pull(&app, &cx, tick).await.unwrap();
        self.report_of(&app, &cx).await;
    }

    /// What ends an invocation.
    pub(crate) async fn report(&self, cx: &Context) {
        self.report_of(&self.app, cx).await;
    }

    pub(crate) async fn report_of(&self, app: &App, cx: &Context) {
        let lines = app.report(cx).await;
        self.instances.end(app).await;
        self.emitted.lock().unwrap().extend(lines);
    }

    pub(crate) fn url(&self, queue: &str) -> &str {
        let settings = &self.app.settings;
        match queue {
            "changes" => &settings.changes,
            "sync-requests" => &settings.sync_requests,
            "pushes" => &settings.pushes,
            "alerts" => &settings.alerts,
            "imports" => &settings.imports,
            _ => &settings.pulls,
        }
    }

    /// Plays Lambda until nothing is queued and nothing is on its way. Where messages only wait for their time, it passes.
    pub(crate) async fn settle(&self) {
        let mut waited = 0;
        for _ in 0..4000 {
            // Asked first: what is delivered after this is queued before it is asked for again.
            let under_way = self.shown("deliveries?last=0").await["pending"].as_u64().unwrap_or(0) > 0;
            let mut moved = self.turns().await;
            moved |= self.journal().await;
            if moved {
                waited = 0;
            } else if under_way {
                tokio::time::sleep(Duration::from_millis(20)).await;
            } else if self.hidden.lock().unwrap().is_empty() {
                return;
            } else {
                self.wait(SignedDuration::from_secs(5 << waited.min(7))).await;
                self.reappear().await;
                waited += 1;
            }
        }
        panic!("the system does not come to rest");
    }

    /// Each function that waits for messages is given some once; whether there were any.
    pub(crate) async fn turns(&self) -> bool {
        let mut moved = false;
        for queue in self.order() {
            moved |= self.turn(queue).await;
        }
        moved
    }

    /// Messages that were received and not deleted are visible again.
    pub(crate) async fn reappear(&self) {
        let sqs = aws_sdk_sqs::Client::new(&self.aws);
        let hidden = std::mem::take(&mut *self.hidden.lock().unwrap());
        for (receipt, queue) in hidden {
            let call = sqs.change_message_visibility().queue_url(self.url(queue)).receipt_handle(receipt);
            // One that has come back by itself has another receipt by now.
            drop(call.visibility_timeout(0).send().await);
        }
    }

    fn order(&self) -> [&'static str; 5] {
        let mut order = QUEUES;
        if let Some(random) = &self.chaos.shuffle {
            random.shuffle(&mut order);
        }
        order
    }

    /// What the table's stream tells since it was last asked. Whether there was anything.
    pub(crate) async fn journal(&self) -> bool {
        let batches = self.stream.read().await;
        for batch in &batches {
            for _ in 0..if self.chaos.twice { 2 } else { 1 } {
                self.invoked.note("journal", batch["Records"].as_array().unwrap().len());
                let event = serde_json::from_value(batch.clone()).unwrap();
                let (app, cx) = (self.instances.one(), self.cx("journal-invocation"));
                handler::journal(&app, &cx, event).await.unwrap();
                self.report_of(&app, &cx).await;
            }
        }
        !batches.is_empty()
    }

    /// Invocations of functions since the last time.
    pub(crate) fn invocations(&self) -> u64 {
        self.invoked.take().values().map(|work: &Work| work.times).sum()
    }

    /// One batch of one queue. Whether there was any.
    pub(crate) async fn turn(&self, queue: &'static str) -> bool {
        let event = self.receive(queue).await;
        if event.records.is_empty() {
            return false;
        }
        let receipts: Vec<(String, String)> =
            event.records.iter().map(|m| (m.message_id.clone().unwrap(), m.receipt_handle.clone().unwrap())).collect();
        if self.chaos.twice {
            self.handle(queue, event.clone()).await;
        }
        let kept = self.handle(queue, event).await;
        let sqs = aws_sdk_sqs::Client::new(&self.aws);
        for (id, receipt) in receipts {
            if !kept.batch_item_failures.iter().any(|failure| failure.item_identifier == id) {
                sqs.delete_message().queue_url(self.url(queue)).receipt_handle(&receipt).send().await.unwrap();
                self.hidden.lock().unwrap().remove(&receipt);
            }
        }
        true
    }

    pub(crate) async fn handle(&self, queue: &str, event: SqsEvent) -> SqsBatchResponse {
        self.invoked.by_queue(queue, event.records.len());
        let cx = self.cx(&format!("{queue}-invocation"));
        let app = self.instances.one();
        let kept = match queue {
            "pushes" => handler::outbound(&app, &cx, event).await,
            "imports" => handler::import(&app, &cx, event).await,
            "pulls" => handler::delta_pull(&app, &cx, handler::PullEvent::Messages(event)).await,
            _ => handler::reconcile(&app, &cx, event).await,
        };
        self.report_of(&app, &cx).await;
        kept.unwrap_or_else(|error| panic!("{queue}: {}", shared::telemetry::chain(&error)))
    }

    pub(crate) async fn receive(&self, queue: &'static str) -> SqsEvent {
        let sqs = aws_sdk_sqs::Client::new(&self.aws);
        let mut records = Vec::new();
        let most = if queue == "sync-requests" || queue == "changes" { 50 } else { 1 };
        for _ in 0..most {
            let call = sqs.receive_message().queue_url(self.url(queue)).max_number_of_messages(10);
            let got = call
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .send()
                .await
                .unwrap()
                .messages
                .unwrap_or_default();
            if got.is_empty() {
                break;
            }
            let receipts = got.iter().map(|message| (message.receipt_handle.clone().unwrap(), queue));
            self.hidden.lock().unwrap().extend(receipts);
            records.extend(got.into_iter().map(|m| {
                let told = m.attributes.unwrap_or_default();
                let attributes: BTreeMap<&str, &str> = told.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                json!({
                    "messageId": m.message_id, "receiptHandle": m.receipt_handle, "body": m.body,
                    "attributes": attributes, "messageAttributes": {},
                    "eventSource": "aws:sqs", "eventSourceARN": format!("arn:aws:sqs:us-east-1:1:{}", self.url(queue).rsplit('/').next().unwrap()),
                })
            }));
        }
        if let Some(random) = &self.chaos.shuffle {
            random.shuffle(&mut records);
        }
        serde_json::from_value(json!({"Records": records})).unwrap()
    }
}

pub(crate) fn now(ahead: &AtomicI64) -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the test's clock is the real one, ahead")]
    let now = Timestamp::now();
    now + SignedDuration::from_secs(ahead.load(Ordering::Relaxed))
}

/// The simulator's account of a CRM.
fn account_of(crm: Crm) -> &'static str {
    match crm {
        Crm::HubSpot => "62515",
        Crm::Zoho => "900000001",
        Crm::Salesforce => "00Dxx0000001gPLEAY",
        Crm::Pipedrive => "6083095",
    }
}

pub(crate) fn tenant() -> TenantId {
    TENANT.parse().unwrap()
}

pub(crate) fn connection(crm: Crm) -> ConnectionId {
    crm.name().parse().unwrap()
}

//! Lambda's pollers and SQS's timers, by the simulated clock.

use super::Time;
use crate::{
    aws,
    meter::{Meter, Traffic},
    world::{QUEUES, World},
};
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, MessageSystemAttributeName};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use shared::{
    context::{Clock, Context},
    handler,
    provider::Crm,
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    sync::{Mutex, atomic::Ordering},
    time::Duration,
};

/// How long a CRM takes to answer a call, in milliseconds.
const CALL_TAKES: u64 = 150;
/// What a function is given, as in the template.
const FUNCTION: Duration = Duration::from_secs(60);

/// How a queue is polled, as in the template.
struct Poller {
    delay: SignedDuration,
    window: SignedDuration,
    batch: usize,
    at_once: usize,
    /// One batch of a group at a time.
    by_group: bool,
}

fn poller(queue: &str) -> Poller {
    let seconds = SignedDuration::from_secs;
    match queue {
        "changes" => Poller { delay: seconds(5), window: seconds(1), batch: 200, at_once: 5, by_group: false },
        "sync-requests" => Poller { delay: seconds(0), window: seconds(1), batch: 1000, at_once: 2, by_group: false },
        _ => Poller { delay: seconds(0), window: seconds(0), batch: 10, at_once: usize::MAX, by_group: true },
    }
}

/// A message that waits for its function.
struct Waiting {
    group: String,
    from: Timestamp,
    message: Json,
}

pub(crate) struct Lambda {
    pub(crate) world: World,
    pub(crate) time: std::sync::Arc<Time>,
    meter: Meter,
    sqs: aws_sdk_sqs::Client,
    waiting: RefCell<BTreeMap<&'static str, Vec<Waiting>>>,
    /// Functions at work, by queue and group.
    running: RefCell<BTreeMap<(&'static str, String), usize>>,
    /// What is hidden, until when.
    hidden: RefCell<Vec<(Timestamp, &'static str, String)>>,
    /// When the schedule ticks next, where it does.
    tick: Cell<Option<Timestamp>>,
}

impl Lambda {
    /// A tenant with these CRMs, at rest; from then on time is simulated.
    pub(crate) async fn of(crms: &[Crm]) -> Rc<Lambda> {
        let traffic = Traffic { hides: Some(Mutex::default()), ..Traffic::default() };
        let (world, meter) = World::through(aws::account().await, traffic, crms).await;
        let time = std::sync::Arc::new(Time::from(world.now()));
        let clock = time.clone();
        let passes = move |time: Duration| -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
            let clock = clock.clone();
            Box::pin(async move { clock.moment(time).await })
        };
        assert!(world.sim.shared.passes.set(Box::new(passes)).is_ok());
        let through = world.aws.to_builder().endpoint_url(&meter.url).build();
        let lambda = Lambda {
            world,
            time,
            meter,
            sqs: aws_sdk_sqs::Client::new(&through),
            waiting: RefCell::default(),
            running: RefCell::default(),
            hidden: RefCell::default(),
            tick: Cell::new(None),
        };
        lambda.suffer(&json!({})).await;
        lambda.go_on_to(lambda.time.now());
        Rc::new(lambda)
    }

    /// What all CRMs do wrong from now on; each call takes its time besides.
    pub(crate) async fn suffer(&self, faults: &Json) {
        let mut of_each = faults.clone();
        of_each["delay_ms"] = json!(CALL_TAKES);
        let faults: serde_json::Map<String, Json> =
            Crm::ALL.iter().map(|crm| (crm.name().to_owned(), of_each.clone())).collect();
        self.world.sim("faults", &Json::Object(faults)).await;
    }

    /// From now on the schedule ticks every minute.
    pub(crate) fn tick(&self) {
        self.tick.set(Some(self.time.now()));
    }

    fn go_on_to(&self, at: Timestamp) {
        self.world.sim.shared.lock().clock.stands_at = Some(at.as_millisecond());
        self.time.advance(at);
    }

    /// Everything that happens until then, or until nothing does. `watch` is told whenever time is about to go on.
    pub(crate) async fn run(self: &Rc<Self>, until: Option<Timestamp>, mut watch: impl AsyncFnMut()) {
        loop {
            self.poll().await;
            self.start_due();
            if !self.is_quiet().await {
                continue;
            }
            watch().await;
            let idle = self.running.borrow().is_empty() && self.waiting.borrow().values().all(Vec::is_empty);
            let next = [self.time.next(), self.next_batch(), self.next_hidden(), self.tick.get()];
            match (next.into_iter().flatten().min(), until) {
                (None, None) => return,
                (Some(_), None) if idle && self.hidden.borrow().is_empty() && self.time.next().is_none() => return,
                (next, Some(until)) if next.is_none_or(|next| next > until) => {
                    self.go_on_to(until);
                    return;
                }
                (Some(next), _) => self.go_on_to(next.max(self.time.now())),
                (None, Some(_)) => unreachable!("handled above"),
            }
        }
    }

    /// Whether everybody waits for time to pass.
    async fn is_quiet(&self) -> bool {
        let seen = || {
            let traffic = &self.meter.traffic;
            let pending = self.world.sim.shared.lock().outbox.pending();
            (traffic.calls.load(Ordering::Relaxed), self.time.moves.load(Ordering::Relaxed), pending)
        };
        let before = seen();
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let under_way = self.meter.traffic.under_way.load(Ordering::Relaxed);
            if seen() != before || under_way > 0 || before.2 > 0 {
                return false;
            }
        }
        // Whoever works and waits for nothing is about to call.
        let at_work: usize = self.running.borrow().values().sum();
        self.time.count() >= at_work && self.meter.traffic.sent.lock().unwrap().is_empty() && !self.is_due()
    }

    /// What was sent is taken over from the emulator.
    async fn poll(&self) {
        let sent = std::mem::take(&mut *self.meter.traffic.sent.lock().unwrap());
        for queue in QUEUES.into_iter().filter(|queue| sent.contains(self.world.url(queue))) {
            loop {
                let call = self.sqs.receive_message().queue_url(self.world.url(queue)).max_number_of_messages(10);
                let call =
                    call.visibility_timeout(12 * 3600).message_system_attribute_names(MessageSystemAttributeName::All);
                let got = call.send().await.unwrap().messages.unwrap_or_default();
                if got.is_empty() {
                    break;
                }
                let from = self.time.now() + poller(queue).delay;
                for m in got {
                    let attribute = |name| m.attributes.as_ref().and_then(|a| a.get(&name)).cloned();
                    let group = attribute(MessageSystemAttributeName::MessageGroupId).unwrap_or_default();
                    let group = if poller(queue).by_group { group } else { String::new() };
                    let message = json!({
                        "messageId": m.message_id, "receiptHandle": m.receipt_handle, "body": m.body,
                        "attributes": {"ApproximateReceiveCount": attribute(MessageSystemAttributeName::ApproximateReceiveCount)},
                        "messageAttributes": {}, "eventSource": "aws:sqs",
                        "eventSourceARN": format!("arn:aws:sqs:us-east-1:1:{}", self.world.url(queue).rsplit('/').next().unwrap()),
                    });
                    self.waiting.borrow_mut().entry(queue).or_default().push(Waiting { group, from, message });
                }
            }
        }
    }

    /// When a batch of a queue may start, by group; `None` while its functions are all at work.
    fn batches(&self) -> Vec<(Timestamp, &'static str, String)> {
        let (waiting, running) = (self.waiting.borrow(), self.running.borrow());
        let mut batches = Vec::new();
        for (queue, messages) in waiting.iter() {
            let mut by_group: BTreeMap<&str, Vec<Timestamp>> = BTreeMap::new();
            messages.iter().for_each(|m| by_group.entry(&m.group).or_default().push(m.from));
            let poller = poller(queue);
            for (group, mut from) in by_group {
                let at_work = running.get(&(*queue, group.to_owned())).copied().unwrap_or_default();
                if at_work >= if poller.by_group { 1 } else { poller.at_once } {
                    continue;
                }
                from.sort_unstable();
                let full = from.get(poller.batch - 1).copied();
                let window = from[0] + poller.window;
                batches.push((full.map_or(window, |full| full.min(window)), *queue, group.to_owned()));
            }
        }
        batches
    }

    fn next_batch(&self) -> Option<Timestamp> {
        self.batches().into_iter().map(|(at, ..)| at).min()
    }

    fn next_hidden(&self) -> Option<Timestamp> {
        self.hidden.borrow().iter().map(|(at, ..)| *at).min()
    }

    fn is_due(&self) -> bool {
        let now = self.time.now();
        [self.next_batch(), self.next_hidden(), self.tick.get()].into_iter().flatten().any(|at| at <= now)
    }

    fn start_due(self: &Rc<Self>) {
        let now = self.time.now();
        let (due, later) = self.hidden.take().into_iter().partition(|(at, ..)| *at <= now);
        self.hidden.replace(later);
        let due: Vec<(Timestamp, &'static str, String)> = due;
        if !due.is_empty() {
            self.begin("hidden", String::new());
            tokio::task::spawn_local(self.clone().show(due));
        }
        if self.tick.get().is_some_and(|at| at <= now) {
            self.tick.set(Some(now + SignedDuration::from_mins(1)));
            self.begin("tick", String::new());
            tokio::task::spawn_local(self.clone().ticks());
        }
        for (at, queue, group) in self.batches() {
            if at > now {
                continue;
            }
            let mut waiting = self.waiting.borrow_mut();
            let messages = waiting.entry(queue).or_default();
            let (mut batch, mut rest) = (Vec::new(), Vec::new());
            for one in std::mem::take(messages) {
                let fits = one.group == group && one.from <= now && batch.len() < poller(queue).batch;
                if fits { batch.push(one.message) } else { rest.push(one) }
            }
            *messages = rest;
            drop(waiting);
            self.begin(queue, group.clone());
            tokio::task::spawn_local(self.clone().invoke(queue, group, batch));
        }
    }

    fn begin(&self, queue: &'static str, group: String) {
        *self.running.borrow_mut().entry((queue, group)).or_default() += 1;
        self.time.moves.fetch_add(1, Ordering::Relaxed);
    }

    fn end(&self, queue: &'static str, group: String) {
        let key = (queue, group);
        let mut running = self.running.borrow_mut();
        running.entry(key).and_modify(|at_work| *at_work -= 1);
        running.retain(|_, at_work| *at_work > 0);
        self.time.moves.fetch_add(1, Ordering::Relaxed);
    }

    async fn invoke(self: Rc<Self>, queue: &'static str, group: String, batch: Vec<Json>) {
        let receipts: Vec<(String, String)> = batch
            .iter()
            .map(|m| (m["messageId"].as_str().unwrap().to_owned(), m["receiptHandle"].as_str().unwrap().to_owned()))
            .collect();
        let event: SqsEvent = serde_json::from_value(json!({"Records": batch})).unwrap();
        let (app, cx) = (&self.world.app, Context::by(self.time.clone(), FUNCTION, format!("{queue}-invocation")));
        let kept = match queue {
            "pushes" => handler::outbound(app, &cx, event).await,
            "pulls" => handler::delta_pull(app, &cx, handler::PullEvent::Messages(event)).await,
            _ => handler::reconcile(app, &cx, event).await,
        };
        let kept = kept.unwrap_or_else(|error| panic!("{queue}: {}", shared::telemetry::chain(&error)));
        let mut done = Vec::new();
        for (id, receipt) in receipts {
            if kept.batch_item_failures.iter().any(|failure| failure.item_identifier == id) {
                let seconds = self.meter.traffic.hides.as_ref().unwrap().lock().unwrap().remove(&receipt);
                let until = self.time.now() + SignedDuration::from_secs(seconds.unwrap_or_default().cast_signed());
                self.hidden.borrow_mut().push((until, queue, receipt));
            } else {
                let entry =
                    DeleteMessageBatchRequestEntry::builder().id(done.len().to_string()).receipt_handle(receipt);
                done.push(entry.build().unwrap());
            }
        }
        for done in done.chunks(10) {
            let call =
                self.sqs.delete_message_batch().queue_url(self.world.url(queue)).set_entries(Some(done.to_vec()));
            call.send().await.unwrap();
        }
        // A group's next messages can be received now.
        self.meter.traffic.sent.lock().unwrap().insert(self.world.url(queue).to_owned());
        self.end(queue, group);
    }

    async fn show(self: Rc<Self>, due: Vec<(Timestamp, &'static str, String)>) {
        for (_, queue, receipt) in due {
            let call = self.sqs.change_message_visibility().queue_url(self.world.url(queue)).receipt_handle(receipt);
            call.visibility_timeout(0).send().await.unwrap();
            self.meter.traffic.sent.lock().unwrap().insert(self.world.url(queue).to_owned());
        }
        self.end("hidden", String::new());
    }

    async fn ticks(self: Rc<Self>) {
        let cx = Context::by(self.time.clone(), FUNCTION, "tick");
        let tick = serde_json::from_value(json!({"tick": "pulls"})).unwrap();
        handler::delta_pull(&self.world.app, &cx, tick).await.unwrap();
        self.end("tick", String::new());
    }
}

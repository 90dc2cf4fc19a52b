//! From what was counted to the items of the price list, for one event.

use super::counted::Counted;
use super::prices::Amounts;
use super::stack::Stack;

/// How long a CRM takes to answer, and AWS: milliseconds that a function waits. Assumed.
pub(super) const CRM_MS: f64 = 150.0;
pub(super) const AWS_MS: f64 = 5.0;
/// GB with which a function has one whole core: 1,769 MB (AWS Lambda docs: configuring memory).
const CORE: f64 = 1769.0 / 1024.0;
/// Months for which history is kept: 400 days.
pub(super) const KEPT: f64 = 400.0 / 30.44;

/// What is logged of every invocation besides: by `run`, and by Lambda itself (AWS Lambda docs: Telemetry API, event schema).
const LINES: [&str; 3] = [
    r#"{"timestamp":"2026-11-23T02:05:15.968113Z","level":"INFO","message":"begun","trace":"c6af9ac6-7b61-11e6-9a41-93e8deadbeef","target":"shared::run"}"#,
    r#"{"time":"2026-11-23T02:05:15.968Z","type":"platform.start","record":{"requestId":"c6af9ac6-7b61-11e6-9a41-93e8deadbeef","version":"$LATEST"}}"#,
    r#"{"time":"2026-11-23T02:05:15.968Z","type":"platform.report","record":{"requestId":"c6af9ac6-7b61-11e6-9a41-93e8deadbeef","metrics":{"durationMs":12.345,"billedDurationMs":13,"memorySizeMB":512,"maxMemoryUsedMB":24},"status":"success"}}"#,
];
/// The API's access log, by the template's format.
const ACCESS: &str = r#"{"requestId":"JKJaXmPLvHcESHA=","time":"23/Nov/2026:02:05:15 +0000","route":"POST /webhooks/{crm}","status":"200","bytes":"0","ms":"12","error":"-"}"#;

pub(super) fn of_one(counted: &Counted, stack: &Stack) -> Amounts {
    let seldom = if stack.rests { "DynamoDB writes, infrequent access" } else { "DynamoDB writes" };
    let polls = |functions: [&str; 2]| functions.map(|function| counted.of(function).polls).iter().sum::<f64>();
    let fair = counted.item("fair requests") + polls(["reconcile", "import"]);
    let logged = logged(counted);
    let all = [
        ("DynamoDB writes", counted.item("state writes")),
        (seldom, counted.item("history writes")),
        ("DynamoDB reads", counted.item("state reads") + counted.item("history reads")),
        ("SQS standard requests", fair),
        ("SQS fair queues", fair),
        ("SQS FIFO requests", counted.item("fifo requests") + polls(["outbound", "delta-pull"])),
        ("Lambda requests", counted.invocations()),
        ("Lambda duration", gb_seconds(counted, stack)),
        ("API Gateway HTTP API", counted.of("webhook").times),
        ("EventBridge events", counted.item("events")),
        ("Secrets Manager calls", counted.item("secret calls")),
        ("CloudWatch logs, taken in", logged),
        ("CloudWatch logs, kept", logged),
    ];
    let mut amounts = Amounts::new();
    for (item, amount) in all.into_iter().chain(stored(counted, stack)) {
        *amounts.entry(item).or_default() += amount / counted.events;
    }
    amounts
}

/// What lies in the tables once as much is forgotten as is added. Of the state only who is new adds to it.
fn stored(counted: &Counted, stack: &Stack) -> [(&'static str, f64); 3] {
    let history = KEPT * counted.item("history bytes") / 1e9;
    let people = if counted.kind.contains(", new") { KEPT * counted.item("state bytes") / 1e9 } else { 0.0 };
    let seldom = if stack.rests { "DynamoDB storage, infrequent access" } else { "DynamoDB storage" };
    [(seldom, history), ("DynamoDB storage", people), ("DynamoDB point-in-time recovery", history + people)]
}

pub(super) fn logged(counted: &Counted) -> f64 {
    let lines: usize = LINES.iter().map(|line| line.len() + 1).sum();
    let access = counted.of("webhook").times * ACCESS.len() as f64;
    counted.logged + counted.emitted + counted.invocations() * lines as f64 + access
}

/// The lines that Lambda writes whatever a function does.
pub(super) fn least_logged(invocations: f64) -> f64 {
    invocations * LINES.iter().skip(1).map(|line| line.len() + 1).sum::<usize>() as f64
}

/// Waiting for CRMs and AWS one after the other, the processor's share, and half a millisecond by which each is rounded up.
fn gb_seconds(counted: &Counted, stack: &Stack) -> f64 {
    let invocations = counted.invocations().max(1.0);
    let memory = |(function, work): (&String, &super::counted::Work)| stack.memory(function) * work.times / invocations;
    let memory = counted.invoked.iter().map(memory).sum::<f64>();
    let waits = counted.aws_calls * AWS_MS + counted.crm_calls * CRM_MS + counted.invocations() / 2.0;
    (waits * memory + counted.aws_calls * stack.busy_ms * CORE) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::{Counted, Stack, of_one};
    use crate::bench::cost::counted::Work;

    #[test]
    fn an_event_is_billed_its_share() {
        let work = Work { times: 2.0, messages: 20.0, polls: 4.0 };
        let counted = Counted {
            events: 10.0,
            items: [("fair requests".to_owned(), 2.0), ("history bytes".to_owned(), 1e9)].into(),
            invoked: [("reconcile".to_owned(), work)].into(),
            crm_calls: 4.0,
            ..Counted::default()
        };
        let amounts = of_one(&counted, &Stack::default());
        assert!((amounts["SQS standard requests"] - 0.6).abs() < 1e-9, "{amounts:?}");
        assert!((amounts["Lambda duration"] - 601.0 * 0.5 / 1e4).abs() < 1e-9, "{amounts:?}");
        assert!((amounts["DynamoDB storage"] - super::KEPT / 10.0).abs() < 1e-9, "{amounts:?}");
    }
}

//! What no design could do without that has one record per person and an entry of its history per change.

use super::amounts::{AWS_MS, CRM_MS, KEPT, least_logged};
use super::prices::Amounts;

/// Calls and entries of one event, as tests/it/costs.rs reckons them: a commit, a settle for each CRM that is written to, an entry for each, and
/// one for each step that a workflow hears of; who it is, and the record; one send for each queue; one invocation for each queue, one of journal,
/// and one for each webhook, echoes included; at the CRMs: find it, write it, read it back where the answer does not show it.
struct Least {
    writes: f64,
    entries: f64,
    reads: f64,
    sends: f64,
    invocations: f64,
    webhooks: f64,
    crm: f64,
    events: f64,
}

const REQUEST: Least =
    Least { writes: 3.0, entries: 7.0, reads: 2.0, sends: 2.0, invocations: 4.0, webhooks: 2.0, crm: 5.0, events: 3.0 };
const WEBHOOK: Least =
    Least { writes: 2.0, entries: 2.0, reads: 2.0, sends: 2.0, invocations: 3.0, webhooks: 2.0, crm: 4.0, events: 1.0 };
const PULL: Least =
    Least { writes: 1.0, entries: 0.0, reads: 1.0, sends: 1.0, invocations: 1.0, webhooks: 0.0, crm: 1.0, events: 0.0 };

/// Units of a record that is written, which has between one and two KB; bytes of an entry with what DynamoDB keeps beside it.
const RECORD: f64 = 2.0;
const ENTRY: f64 = 500.0;

/// Of one event of a kind, where so many come at once; `None` where no floor is known.
pub(super) fn of_one(kind: &str, at_once: f64) -> Option<Amounts> {
    match kind {
        "request, new, two CRMs" | "request, changed, two CRMs" => Some(amounts(&REQUEST, at_once)),
        "webhook, changed, into the other CRM" => Some(amounts(&WEBHOOK, at_once)),
        _ => None,
    }
}

/// Of one connection to which nothing happens: a pull that is empty.
pub(super) fn of_a_pull() -> Amounts {
    amounts(&PULL, 1.0)
}

fn amounts(least: &Least, at_once: f64) -> Amounts {
    let tens = at_once.min(10.0);
    let deliveries = least.webhooks / at_once;
    let invocations = least.invocations / at_once + deliveries;
    let aws = (least.writes + least.reads + least.entries / 25.0) + least.sends / tens;
    let waits = aws * AWS_MS + least.crm / at_once * CRM_MS;
    let logged = least_logged(invocations);
    let history = KEPT * least.entries * ENTRY / 1e9;
    [
        ("DynamoDB writes", least.writes * RECORD),
        ("DynamoDB writes, infrequent access", least.entries),
        ("DynamoDB reads", least.reads / 2.0),
        ("SQS standard requests", 3.0 * least.sends / tens),
        ("Lambda requests", invocations),
        ("Lambda duration", waits * 0.5 / 1000.0),
        ("API Gateway HTTP API", deliveries),
        ("EventBridge events", least.events),
        ("CloudWatch logs, taken in", logged),
        ("CloudWatch logs, kept", logged),
        ("DynamoDB storage, infrequent access", history),
    ]
    .into()
}

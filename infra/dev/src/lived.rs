//! A tenant as one finds it after two days: leads that came by the hour, and whatever waits for a person.

use crate::desk::Desk;
use crate::project::Project;
use crate::screens::screen;
use crate::stack::Stack;
use crate::step::{Progress, step};
use crate::{clock, http, operator};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::thread::sleep;
use std::time::{Duration, Instant};

const HOURS: u64 = 47;
const AN_HOUR: u64 = 3_600_000;
const FIRST: [&str; 12] =
    ["Ada", "Grace", "Alan", "Barbara", "Edsger", "Frances", "Donald", "Radia", "Tony", "Shafi", "Leslie", "Margaret"];
const LAST: [&str; 11] =
    ["Byron", "Hopper", "Turing", "Liskov", "Dijkstra", "Allen", "Knuth", "Perlman", "Hoare", "Goldwasser", "Lamport"];
const COMPANIES: [&str; 7] =
    ["Analytical Engines", "Navy Yard", "Bletchley Works", "Argus Labs", "Spanning Trees", "Bakery & Sons", "Apollo"];

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn live(project: &Project, stack: &Stack, desk: &mut Desk) -> Result<()> {
    // What CRMs let us do is counted by the clock, which cannot go back behind what was done already.
    let is_empty = operator::ask(project, stack, &["dump", "demo"])?.trim().is_empty();
    ensure!(is_empty, "this stack has lived already. Begin with an empty one: cargo dev down, cargo dev up");
    let outbound = stack.functions.get("outbound").context("no function outbound")?;
    step("Two days passed", |progress| {
        // Whatever is pushed then is pushed by the clock of then.
        desk.feed(outbound, &stack.queues.pushes, false)?;
        let told = hours(project, stack, progress);
        desk.feed(outbound, &stack.queues.pushes, true)?;
        told.map(|told| ((), format!("{told} sync requests, hour by hour")))
    })?;
    step("Much waits for a person", |progress| troubles(project, stack, desk, progress).map(|seen| ((), seen)))
}

/// Few by night, more by day, as voice agents call; now and then one who was called before. How many requests it were.
fn hours(project: &Project, stack: &Stack, progress: &Progress) -> Result<usize> {
    let (now, mut people, mut told) = (clock::now_ms(), 0, 0);
    for ago in (1..=HOURS).rev() {
        progress.say(&format!("{ago} hours ago"));
        let at = now - ago * AN_HOUR;
        let by_day =
            [1, 0, 0, 0, 0, 1, 2, 4, 7, 9, 8, 6, 4, 7, 9, 8, 6, 5, 3, 2, 2, 1, 1, 1][(at / AN_HOUR % 24) as usize];
        let new = (people..people + by_day).map(|n| request("new", n, at, "completed"));
        let again = (0..by_day / 2).map(|n| request("again", (people / 2 + n) % people.max(1), at, "called back"));
        let lines: Vec<String> = new.chain(again).map(|one| one.to_string()).collect();
        (people, told) = (people + by_day, told + lines.len());
        if !lines.is_empty() {
            let hours = format!("-{ago}");
            operator::tell(project, stack, &["later", "--hours", &hours, "--pushes"], &lines.join("\n"))?;
        }
    }
    Ok(told)
}

fn request(why: &str, n: usize, at: u64, call: &str) -> Value {
    let lead = json!({
        "id": format!("lived-{n}"), "first_name": FIRST[n % FIRST.len()], "last_name": LAST[n % LAST.len()], "email": email(n),
        "phone": format!("+1628555{:04}", n % 10_000), "company": COMPANIES[n % COMPANIES.len()], "callStatus": call, "duration": 40 + n * 37 % 560,
    });
    of(&format!("lived-{at}-{why}-{n}"), at, &lead)
}

fn email(n: usize) -> String {
    format!("{}.{}.{n}@example.com", FIRST[n % FIRST.len()], LAST[n % LAST.len()]).to_lowercase()
}

fn of(id: &str, at: u64, lead: &Value) -> Value {
    json!({
        "version": 1, "id": id, "tenant_id": "demo", "object": "lead", "direction": "send", "source": "workflow",
        "occurred_at": clock::rfc3339(at), "lead": lead, "workflow": {"id": "voice-agent", "run_id": id, "step_id": "1"},
    })
}

/// A conflict that is open, a record that a CRM refuses, a request that cannot be done, a grant that is dead.
fn troubles(project: &Project, stack: &Stack, desk: &mut Desk, progress: &Progress) -> Result<String> {
    let (now, queue) = (clock::now_ms(), &stack.queues.sync_requests);
    let faults = |faults: &Value| http::post(&format!("{}/_sim/faults", stack.simulator), faults).map(drop);
    operator::ask(project, stack, &["policy", "demo", "hubspot", "--conflicts", "manual"])?;
    progress.say("two who disagree");
    for (n, company) in COMPANIES.iter().enumerate().take(2) {
        let contact = contact(stack, &email(n))?;
        let edit = json!({"id": contact, "fields": {"company": format!("{company} Holding")}, "silent": true});
        http::post(&format!("{}/_sim/hubspot/contacts", stack.simulator), &edit)?;
        let lead = json!({"id": format!("lived-{n}"), "email": email(n), "company": format!("{company} Ltd")});
        desk.send(queue, "demo", &[of(&format!("lived-{now}-conflict-{n}"), now, &lead)])?;
    }
    raised(project, stack, "conflict")?;
    progress.say("one whom a CRM refuses");
    faults(&json!({"zoho": {"refuse_values": [{"field": "Company", "contains": "Forbidden"}]}}))?;
    let lead = json!({"id": "lived-refused", "email": "eve@example.com", "first_name": "Eve", "last_name": "Moneypenny", "company": "Forbidden Fruit"});
    desk.send(queue, "demo", &[of(&format!("lived-{now}-refused"), now, &lead)])?;
    raised(project, stack, "refused_by_crm")?;
    let mut unknown = of(&format!("lived-{now}-unknown"), now, &json!({"id": "lived-3", "email": email(3)}));
    unknown["connection_id"] = json!("copper");
    desk.send(queue, "demo", &[unknown])?;
    raised(project, stack, "unknown_connection")?;
    progress.say("a grant dies");
    faults(&json!({"pipedrive": {"revoke_grant": true, "expire_tokens": true}}))?;
    let moved = json!({"id": "lived-5", "email": email(5), "phone": "+16285559999"});
    desk.send(queue, "demo", &[of(&format!("lived-{now}-moved"), now, &moved)])?;
    raised(project, stack, "needs_reauth")?;
    faults(&json!({}))?;
    Ok("two conflicts, a refused record, a request that names no connection, a dead grant".to_owned())
}

fn contact(stack: &Stack, email: &str) -> Result<String> {
    let mailbox = screen("hubspot")?.field("email").context("no field for e-mail addresses")?;
    let all: Vec<Value> = http::get_json(&format!("{}/_sim/hubspot/contacts", stack.simulator))?;
    let found = all.iter().find(|one| one["properties"][mailbox] == email);
    Ok(found.and_then(|one| one["id"].as_str()).with_context(|| format!("HubSpot has no {email}"))?.to_owned())
}

/// Waits until something of this kind waits for a person.
fn raised(project: &Project, stack: &Stack, code: &str) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let known: Value = serde_json::from_str(&operator::ask(project, stack, &["exceptions", "demo"])?)?;
        if known.as_array().is_some_and(|all| all.iter().any(|one| one["code"] == code && one["state"] != "resolved")) {
            return Ok(());
        }
        sleep(Duration::from_millis(500));
    }
    bail!("no exception {code} came in {} s: see cargo dev logs", PATIENCE.as_secs())
}

//! Changes are taken back: shown first, then done with `--apply`.

use crate::show::{self, Person};
use anyhow::Result;
use shared::{
    App,
    context::Context,
    id::{Source, TenantId},
    record::{Object, Value},
    undo::{Scope, Undone},
};
use std::time::Duration;

#[derive(clap::Args)]
pub(crate) struct Args {
    tenant: TenantId,
    /// Changes from this time on, such as 2026-11-21T09:00:00Z
    #[arg(long)]
    since: jiff::Timestamp,
    /// Changes before this time; left out, until now
    #[arg(long)]
    until: Option<jiff::Timestamp>,
    /// Changes of one run: a sync request's id, a workflow's run_id, or a trace
    #[arg(long)]
    run: Option<String>,
    /// Changes by one source: who sent the requests, the connection whose CRM was heard, or undo
    #[arg(long)]
    source: Option<Source>,
    /// Of one record: email=…, phone=…, id=… or record=…
    #[arg(long)]
    of: Option<String>,
    /// With --of: person, company, deal, …
    #[arg(long, default_value = "person")]
    object: Object,
    /// Do it; without this it is only shown
    #[arg(long)]
    apply: bool,
}

const STRETCH: Duration = Duration::from_secs(300);

pub(crate) async fn run(app: &App, cx: &Context, args: Args) -> Result<()> {
    let Args { tenant, since, until, run, source, of, object, apply } = args;
    let scope = Scope { since, until, run, source };
    // Each has a name of its own, so that it can be undone itself.
    let cx = cx.traced(&format!("undo-{}", cx.now().as_millisecond()));
    let mut all = Vec::new();
    if let Some(key) = of {
        let person = Person { tenant: tenant.clone(), key, object };
        let ids = show::find(app, &person).await?;
        let records = app.store.records(&tenant, &ids).await?.into_values().collect();
        all = app.undo_these(&cx, &tenant, &scope, apply, records).await?;
    } else {
        let mut place = Some((0, None));
        while let Some(at) = place {
            // As much time for every stretch.
            let cx = Context::new(cx.now(), STRETCH, &cx.trace).of(cx.actor.clone());
            let (some, next) = app.undo_from(&cx, &tenant, &scope, apply, at, || true).await?;
            all.extend(some);
            place = next;
        }
    }
    all.iter().for_each(tell);
    let (back, left) = (all.iter().map(backs).sum::<usize>(), all.iter().map(|one| one.left.len()).sum::<usize>());
    let done = if apply { "went back" } else { "would go back" };
    let archived = all.iter().filter(|one| one.archived).count();
    let made = if apply { "were archived" } else { "would be archived" };
    println!("{back} values of {} records {done}, {archived} records {made}, {left} stay as they are", all.len());
    match apply {
        true => println!("undo that with --since {since} --run {}", cx.trace),
        false => println!("do it with --apply"),
    }
    Ok(())
}

fn backs(one: &Undone) -> usize {
    one.fields.len() + one.sent.len()
}

fn tell(one: &Undone) {
    let said = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), |value| format!("{value:?}"));
    println!("{}", one.record);
    if one.archived {
        println!("  came to be by this: archived, here and where we made it");
    }
    for change in &one.fields {
        println!("  {}: {} → {}", change.field, said(&change.before), said(&change.after));
    }
    for change in &one.sent {
        println!("  {} of {}: {} → {}", change.field, change.connection, said(&change.before), said(&change.after));
    }
    for (field, why) in &one.left {
        println!("  {field} stays: {}", why.title());
    }
}

//! A person is forgotten: counted first, then erased with `--apply`, then read back.

use crate::show::{self, Person};
use anyhow::{Context as _, Result, bail};
use shared::{
    App,
    context::Context,
    erasure::{Stands, Traces, unforgettable},
};
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    person: Person,
    /// In the CRMs too
    #[arg(long)]
    in_crms: bool,
    /// Do it; without this it is only counted. It cannot be undone
    #[arg(long)]
    apply: bool,
}

/// How long the history and the CRMs are waited for.
const PROVED_WITHIN: Duration = Duration::from_secs(120);
const EVERY: Duration = Duration::from_secs(3);

pub(crate) async fn run(app: &App, cx: &Context, Args { person, in_crms, apply }: Args) -> Result<()> {
    let ids = show::find(app, &person).await?;
    let [id] = ids.as_slice() else { bail!("{} records have that: name one by record=…", ids.len()) };
    let read = async || app.store.record(&person.tenant, id).await?.context("there is no such record");
    let record = read().await?;
    if let Some(why) = unforgettable(&record) {
        bail!(why);
    }
    tell(&app.traces(cx, &record).await?);
    if !apply {
        println!("erase that with --apply; it cannot be undone");
        return Ok(());
    }
    app.erase(cx, &record, in_crms).await?;
    let begun = Instant::now();
    loop {
        let left = app.traces(cx, &read().await?).await?;
        if left.nothing(in_crms) {
            println!("read back: nothing is left");
            return Ok(());
        }
        if begun.elapsed() > PROVED_WITHIN {
            tell(&left);
            bail!(
                "it is erased, but that much is still there: run this again in a minute, and see what waits by `operator exceptions`"
            );
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn tell(traces: &Traces) {
    let Traces { records, values, events, changes, exceptions, places } = traces;
    println!(
        "{} records with {values} values, {events} events, {changes} changes that tell values, {exceptions} exceptions",
        records.len()
    );
    for place in places {
        let stands = match place.stands {
            Stands::There => "there",
            Stands::Gone => "gone",
            Stands::Unknown => "cannot be asked",
        };
        println!("{} {}: {stands}", place.connection, place.remote);
    }
}

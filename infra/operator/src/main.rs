//! `operator`: connects CRM accounts, approves and pauses them, and shows what is known of a person.
//!
//! It works on a deployed stack through the same environment as the functions; the stack's output
//! `OperatorEnvironment` prints it. Our apps' secrets come first: `operator app`. The rest is in README.md.

mod adopt;
mod alerts;
mod asked;
mod compare;
mod connect;
mod decide;
mod doctor;
mod effects;
mod erase;
mod fetch;
mod files;
mod invite;
mod later;
mod limits;
mod mapping;
mod replay;
mod retention;
mod scoring;
mod show;
mod standard;
mod switches;
mod triggers;
mod undo;
mod watch;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use shared::{
    App,
    connection::State,
    context::Context,
    id::{ConnectionId, TenantId},
};
use std::time::Duration;

#[derive(Parser)]
#[command(name = "operator", about = "Connects CRM accounts and shows what is known of a person")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tell our app's id at a CRM, with its secret on standard input
    App(invite::AppArgs),
    /// Make a link that a person opens in a browser to connect a CRM account
    Link(invite::Args),
    /// End a connection: webhooks, access and credentials
    Disconnect(Which),
    /// Connect a CRM account by a token, a client's secret or a key, without a browser; it reads and matches, and writes nothing until it is approved
    Connect(connect::Args),
    /// Make a connection to a CRM account whose credentials are in Secrets Manager already
    #[command(hide = true)]
    Adopt(adopt::Args),
    /// Examine connections: access, scopes, fields, webhooks, quota, clocks; and what to do about what is wrong
    Doctor(doctor::Args),
    /// Count what a connection would write if it were approved now, or show it for one record: nothing is written
    Preview(show::Preview),
    /// Approve a new connection, or resume a paused or reconnected one: what changed is pulled, what is pending is pushed
    Activate(Which),
    /// Stop a connection; nothing is lost
    Pause(Which),
    /// Let a connection write what it holds back because it is so much
    Release(Which),
    /// Put another token in the place of the one that proves a connection's deliveries; both are good until the CRM knows the new one
    Rotate(Which),
    /// Say when a connection exchanges what changed
    Mode(switches::Mode),
    /// Stop everything at once, of a tenant or of all: nothing is read from a CRM or written to one, and nothing is lost
    Stop(switches::Stop),
    /// Let everything go on after a stop
    Go(switches::Whose),
    /// Show a connection's rules as JSON, or give it others for one object: custom objects and fields, owners, stages
    Mapping(mapping::Args),
    /// Give fields that stand under well-known other names (`firstname`, `jobtitle`) the hub's own: in a tenant's rules, then in its records
    Migrate { tenant: TenantId },
    /// Show a connection's policy as JSON, or change it: conflicts, deletions, first meeting
    Policy(decide::PolicyArgs),
    /// Show which source may write which of a tenant's fields as JSON, or change it
    Ownership(decide::OwnershipArgs),
    /// Decide about deletions that rest because they were so many
    Deletions(decide::DeletionArgs),
    /// End conflicts, one or all of a connection, with the hub's values or the CRM's
    Resolve(decide::ResolveArgs),
    /// Leave a share of what a CRM account allows to the customer's other apps, and tell its budget for a day where the CRM does not
    Limits(limits::Args),
    /// Read now what changed in a connection's CRM and write what is pending, rather than when that is due next
    Sync(Which),
    /// Show what the last full comparison of a CRM with the hub found, or begin another, and mend what differs
    Compare(compare::Args),
    /// Take back what changes made of records, where nobody has written it since; shown first, done with --apply
    Undo(undo::Args),
    /// Forget a person, here and if that is meant in the CRMs; counted first, done with --apply, then read back
    Erase(erase::Args),
    /// Read a CRM's records by object, list or filter: shown page by page, or told to a workflow on the event bus. They enter the hub as by a pull
    Fetch(fetch::Args),
    /// Bring a file of rows in, CSV or NDJSON, or look at an import that is there: what would become of its rows is counted, and written with --start
    Import(files::ImportArgs),
    /// Write all records of an object into a file, which an import takes
    Export(files::ExportArgs),
    /// What the product reads of one person, as JSON: fields, score, totals, where they are, whether they want e-mails
    Profile(fetch::ProfileArgs),
    /// Everything about one person: the record, its links, its history, as JSON
    Record(show::Person),
    /// Explain a field of a record: who wrote it and when, what did not prevail, and how it stands in each CRM, as JSON
    Explain(show::Field),
    /// Explain a person's score: every event, and what it added by which rule, as JSON
    Score(show::Person),
    /// Show a tenant's rules for scores as JSON, or give it others: everybody is scored anew
    Scoring(scoring::Args),
    /// Show a tenant's rules for what is made of events as JSON, or give it others: notes, tasks, deals
    Effects(effects::Args),
    /// Show a tenant's triggers as JSON, or give it others: what begins when a condition comes to hold
    Triggers(triggers::Args),
    /// Show from when on silence, lag, refusals and errors of a tenant's connections are told as JSON, or change it
    Watch(watch::Args),
    /// Show for how many days a tenant keeps history and ended exceptions as JSON, or change it
    Retention(retention::Args),
    /// Show who is told of what waits for a tenant's people as JSON, or change it: Slack, Telegram, PagerDuty, webhooks
    Alerts(alerts::Args),
    /// Show what the journal could not keep, as after a fault of the history table, and keep it with --apply once the cause is gone
    Replay(replay::Args),
    /// What waits for a person, as JSON
    Exceptions { tenant: TenantId },
    /// A tenant's connections, as JSON
    Connections { tenant: TenantId },
    /// All records of a tenant, one JSON object per line
    Dump { tenant: TenantId },
    /// Apply the sync requests on standard input as if it were some days later, for demonstrations
    #[command(hide = true)]
    Later(later::Args),
}

#[derive(clap::Args)]
struct Which {
    tenant: TenantId,
    connection: ConnectionId,
}

#[tokio::main]
async fn main() -> Result<()> {
    let command = Cli::parse().command;
    let app = App::from_env()
        .await
        .context("run it in the environment that the stack's output OperatorEnvironment prints")?;
    #[expect(clippy::disallowed_methods, reason = "a person's command is where time comes in")]
    let now = jiff::Timestamp::now();
    #[expect(clippy::disallowed_methods, reason = "whose command it is")]
    let who = std::env::var("USER").map_or_else(|_| "operator".to_owned(), |user| format!("operator ({user})"));
    let cx = Context::new(now, Duration::from_secs(300), "operator").of(Some(who));
    match command {
        Command::App(args) => invite::register(&app, &cx, args).await,
        Command::Link(args) => invite::run(&app, &cx, args).await,
        Command::Disconnect(Which { tenant, connection }) => invite::disconnect(&app, &cx, &tenant, &connection).await,
        Command::Adopt(args) => adopt::run(&app, &cx, args).await,
        Command::Connect(args) => connect::run(&app, &cx, args).await,
        Command::Doctor(args) => doctor::run(&app, &cx, args).await,
        Command::Preview(args) => show::preview(&app, args).await,
        Command::Activate(Which { tenant, connection }) => {
            app.activate(&cx, &tenant, &connection).await?;
            println!("{connection} is active: what changed is pulled, what is pending is pushed");
            Ok(())
        }
        Command::Pause(Which { tenant, connection }) => {
            let found = app.store.connection(&tenant, &connection).await?.context("there is no such connection")?;
            app.store.set_state(&found, &State::Paused { reason: "by hand".to_owned() }).await?;
            println!("{connection} is paused; `operator activate {tenant} {connection}` resumes it");
            Ok(())
        }
        Command::Mapping(args) => mapping::run(&app, &cx, args).await,
        Command::Migrate { tenant } => mapping::migrate(&app, &cx, &tenant).await,
        Command::Policy(args) => decide::policy(&app, args).await,
        Command::Ownership(args) => decide::ownership(&app, args).await,
        Command::Deletions(args) => decide::deletions(&app, &cx, args).await,
        Command::Resolve(args) => decide::resolve(&app, &cx, args).await,
        Command::Release(Which { tenant, connection }) => {
            app.release(&cx, &tenant, &connection).await?;
            println!("{connection} writes what it held back; for a day nothing more is asked");
            Ok(())
        }
        Command::Rotate(Which { tenant, connection }) => invite::rotate(&app, &cx, &tenant, &connection).await,
        Command::Mode(args) => switches::mode(&app, &cx, args).await,
        Command::Stop(args) => switches::stop(&app, &cx, args).await,
        Command::Go(whose) => switches::go(&app, &cx, whose).await,
        Command::Sync(Which { tenant, connection }) => {
            let found = app.store.connection(&tenant, &connection).await?.context("there is no such connection")?;
            anyhow::ensure!(found.works(), "{connection} does not work now: see operator doctor {tenant} {connection}");
            app.sync_all(&cx, &found).await?;
            println!("{connection} is being read, and what is pending is written");
            Ok(())
        }
        Command::Limits(args) => limits::run(&app, args).await,
        Command::Compare(args) => compare::run(&app, &cx, args).await,
        Command::Erase(args) => erase::run(&app, &cx, args).await,
        Command::Undo(args) => undo::run(&app, &cx, args).await,
        Command::Fetch(args) => fetch::run(&app, &cx, args).await,
        Command::Import(args) => files::import(&app, &cx, args).await,
        Command::Export(args) => files::export(&app, &cx, args).await,
        Command::Profile(args) => fetch::profile(&app, args).await,
        Command::Record(person) => show::record(&app, &person).await,
        Command::Explain(field) => show::explain(&app, &field).await,
        Command::Score(person) => show::score(&app, &person).await,
        Command::Scoring(args) => scoring::run(&app, &cx, args).await,
        Command::Effects(args) => effects::run(&app, args).await,
        Command::Triggers(args) => triggers::run(&app, args).await,
        Command::Watch(args) => watch::run(&app, args).await,
        Command::Retention(args) => retention::run(&app, args).await,
        Command::Alerts(args) => alerts::run(&app, args).await,
        Command::Replay(args) => replay::run(&app, &cx, args).await,
        Command::Exceptions { tenant } => show::json(&app.store.exceptions(&tenant).await?),
        Command::Connections { tenant } => show::json(&app.store.connections(&tenant).await?),
        Command::Dump { tenant } => show::dump(&app, &tenant).await,
        Command::Later(args) => later::run(&app, now, args).await,
    }
}

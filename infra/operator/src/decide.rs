//! What a person decides: policies, deletions that rest, and conflicts.

use crate::{Which, show};
use anyhow::{Context as _, Result, bail};
use serde::de::DeserializeOwned;
use shared::{
    App,
    connection::Connection,
    context::Context,
    id::TenantId,
    planner::{Deletes, Guard, Joining, Policy, Strategy, Take},
    record::Object,
};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct PolicyArgs {
    #[command(flatten)]
    which: Which,
    /// Who wins where both sides changed a field: crm_wins, local_wins, newest_wins or manual
    #[arg(long, value_parser = word::<Strategy>)]
    conflicts: Option<Strategy>,
    /// Only of one object, such as `deal`, or of one of the hub's fields, such as `person.phone`; without --conflicts as all others again
    #[arg(long)]
    of: Option<String>,
    /// What a deletion in the CRM means: ignore, soft_delete, propagate or restore
    #[arg(long, value_parser = word::<Deletes>)]
    deletes: Option<Deletes>,
    /// What becomes of fields that differ at the first meeting: conflict, hub_wins, crm_wins or newest_wins
    #[arg(long, value_parser = word::<Joining>)]
    joining: Option<Joining>,
    /// More deletions than this in an hour wait for a person
    #[arg(long)]
    most_deletions: Option<u32>,
    /// So does more than this percentage of what the connection knows
    #[arg(long)]
    deletion_share: Option<u32>,
    /// More records than this that no sync request asks to be written in an hour wait for a person
    #[arg(long)]
    most_writes: Option<u32>,
    /// So do more records than this percentage that would lose a value
    #[arg(long)]
    blank_share: Option<u32>,
}

/// A word as the policy's JSON spells it.
pub(crate) fn word<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    serde_json::from_value(name.into()).map_err(|error| error.to_string())
}

async fn find(app: &App, Which { tenant, connection }: &Which) -> Result<Connection> {
    app.store.connection(tenant, connection).await?.context("there is no such connection")
}

pub(crate) async fn policy(app: &App, args: PolicyArgs) -> Result<()> {
    let before = find(app, &args.which).await?.policy;
    let mut policy = before.clone();
    match &args.of {
        Some(of) => set_apart(&mut policy, of, args.conflicts)?,
        None => policy.conflicts = args.conflicts.unwrap_or(policy.conflicts),
    }
    policy.deletes = args.deletes.unwrap_or(policy.deletes);
    policy.joining = args.joining.unwrap_or(policy.joining);
    policy.guard.most = args.most_deletions.unwrap_or(policy.guard.most);
    policy.guard.share = args.deletion_share.unwrap_or(policy.guard.share);
    if let Some(most) = args.most_writes {
        policy.writes = Guard { most, few: most, ..policy.writes };
    }
    policy.blanks.share = args.blank_share.unwrap_or(policy.blanks.share);
    if policy != before {
        app.set_policy(&args.which.tenant, &args.which.connection, policy.clone()).await?;
    }
    show::json(&policy)
}

/// A rule for the conflicts of one object, or of one of its fields; `None` ends it.
fn set_apart(policy: &mut Policy, of: &str, strategy: Option<Strategy>) -> Result<()> {
    let (object, field) = of.split_once('.').map_or((of, None), |(object, field)| (object, Some(field)));
    let object: Object = object.parse()?;
    let apart = policy.apart.entry(object.clone()).or_default();
    match (field, strategy) {
        (None, strategy) => apart.conflicts = strategy,
        (Some(field), Some(strategy)) => drop(apart.fields.insert(field.to_owned(), strategy)),
        (Some(field), None) => drop(apart.fields.remove(field)),
    }
    if apart.conflicts.is_none() && apart.fields.is_empty() {
        policy.apart.remove(&object);
    }
    Ok(())
}

#[derive(clap::Args)]
pub(crate) struct OwnershipArgs {
    tenant: TenantId,
    /// A file of JSON: field -> those who may write it, as this command shows them. A field that is not in it is anybody's
    #[arg(long)]
    from: Option<PathBuf>,
    /// Who holds the record of consent: then what that says of `email_opted_out` is taken too
    #[arg(long, value_parser = ["crm", "email_platform"])]
    consent: Option<String>,
}

pub(crate) async fn ownership(app: &App, args: OwnershipArgs) -> Result<()> {
    let before = app.store.settings(&args.tenant).await?.ownership;
    let mut ownership = match &args.from {
        Some(file) => show::read(file, "says of no field who owns it")?,
        None => before.clone(),
    };
    if let Some(system) = &args.consent {
        ownership = ownership.with_consent_by(&system.parse()?);
    }
    if ownership != before {
        app.store.set_ownership(&args.tenant, &ownership).await?;
    }
    show::json(&ownership)
}

#[derive(clap::Args)]
pub(crate) struct DeletionArgs {
    /// They were meant, and the connection's policy holds for them; or they were not, and nobody else hears of them
    #[arg(value_parser = ["confirm", "dismiss"])]
    decision: String,
    #[command(flatten)]
    which: Which,
}

pub(crate) async fn deletions(app: &App, cx: &Context, DeletionArgs { decision, which }: DeletionArgs) -> Result<()> {
    let meant = decision == "confirm";
    match app.decide_deletions(cx, &find(app, &which).await?, meant).await? {
        true if meant => {
            println!("the deletions of {} are followed; what was restored meanwhile stays", which.connection)
        }
        true => println!("the deletions of {} end their links, and nobody else hears of them", which.connection),
        false => println!("no deletions of {} rest", which.connection),
    }
    Ok(())
}

#[derive(clap::Args)]
pub(crate) struct ResolveArgs {
    #[command(flatten)]
    which: Which,
    /// Whose values are right: ours (the hub's) or theirs (the CRM's)
    #[arg(long, value_parser = word::<Take>, required_unless_present = "take_back")]
    take: Option<Take>,
    /// The other side is, after all: of one conflict that was ended
    #[arg(long, requires = "exception", conflicts_with_all = ["take", "all"])]
    take_back: bool,
    /// One conflict, by the id that `operator exceptions` shows
    #[arg(long, conflicts_with = "all")]
    exception: Option<String>,
    /// All conflicts of the connection
    #[arg(long)]
    all: bool,
}

pub(crate) async fn resolve(app: &App, cx: &Context, args: ResolveArgs) -> Result<()> {
    let connection = find(app, &args.which).await?;
    let mut conflicts = app.store.exceptions(&args.which.tenant).await?;
    match &args.exception {
        Some(id) => conflicts.retain(|one| one.id == *id),
        None if args.all => {}
        None => bail!("name one conflict with --exception, or take --all of the connection"),
    }
    let Some(take) = args.take else {
        let conflict = conflicts.first().context("there is no such conflict")?;
        app.take_back(cx, &connection, conflict).await?;
        println!("the other side is taken after all");
        return Ok(());
    };
    let done = app.resolve(cx, &connection, &conflicts, take).await?;
    println!("{} conflicts ended", done.ended);
    if done.unseen > 0 {
        println!("{} wait on: {} does not show their records now", done.unseen, connection.crm.title());
    }
    Ok(())
}

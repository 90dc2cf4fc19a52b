//! Connections: what there is, how it stands, and what is done with one.

use super::{
    call::{self, Call, Reply, Told},
    page::Page,
    problem::{self, Problem},
    route::{Done, Nothing},
};
use crate::{
    connecting::{Invitation, LINK_LIVES, Turned},
    connection::{Connection, Hold, Mode, State},
    doctor::Finding,
    id::{AccountId, ConnectionId, RecordId},
    mapping::Direction,
    provider::Crm,
    record::{Object, Region},
    settings::Stop,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A connection, as people see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Connection")]
pub struct Shown {
    pub id: ConnectionId,
    /// What kind of system it leads to.
    category: &'static str,
    crm: &'static str,
    /// What people call that.
    display_name: &'static str,
    account: AccountId,
    pub state: State,
    /// A person has approved what it would write.
    approved: bool,
    direction: Direction,
    /// What is kept in step.
    objects: Vec<Object>,
    /// When it exchanges what changed.
    mode: Mode,
    /// Seconds between two pulls in real time.
    pull_every: u32,
    /// It would write so much that a person is asked.
    held: Option<Hold>,
    /// Everything is stopped, and it with it.
    stopped: Option<Stop>,
    /// When it last was read without fault.
    last_success: Option<Timestamp>,
}

impl From<Connection> for Shown {
    fn from(connection: Connection) -> Shown {
        let Connection { id, crm, account, state, approved, direction, mappings, mode, .. } = connection;
        let Connection { pull_every, held, last_success, settings, .. } = connection;
        let (crm, display_name) = (crm.name(), crm.title());
        let objects = mappings.into_keys().collect();
        Shown {
            id,
            category: "crm",
            crm,
            display_name,
            account,
            state,
            approved,
            direction,
            objects,
            mode,
            pull_every,
            held,
            stopped: settings.stopped,
            last_success,
        }
    }
}

pub async fn list(call: &Call<'_>, _: Nothing) -> Told<Page<Shown>> {
    let (tenant, store) = (call.tenant()?, &call.app.store);
    let (connections, everything) = futures::try_join!(store.connections(&tenant), store.stopped())?;
    let shown = |connection| {
        let shown = Shown::from(connection);
        Shown { stopped: everything.clone().or(shown.stopped), ..shown }
    };
    Ok(Page { items: connections.into_iter().map(shown).collect(), next: None }.into())
}

pub async fn show(call: &Call<'_>, _: Nothing) -> Told<Shown> {
    Ok(Shown::from(call.connection().await?).into())
}

/// How a connection stands.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ConnectionStatus")]
pub struct Status {
    connection: Shown,
    /// The CRM asked us to wait until then.
    rests_until: Option<Timestamp>,
    findings: Vec<Finding>,
}

/// Asks the CRM, the stored credentials and our own URL.
pub async fn status(call: &Call<'_>, _: Nothing) -> Told<Status> {
    let connection = call.connection().await?;
    let rests_until = call.app.store.paused_until(&connection.tenant, &connection.id, call.cx.now()).await?;
    let findings = match connection.state {
        State::Closed => Vec::new(),
        _ => call.app.examine(call.cx, &connection).await?,
    };
    Ok(Status { connection: connection.into(), rests_until, findings }.into())
}

/// Why it is paused.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pause {
    #[schemars(length(max = 200))]
    reason: Option<String>,
}

pub async fn pause(call: &Call<'_>, Pause { reason }: Pause) -> Told<Shown> {
    let connection = call.connection().await?;
    if !matches!(connection.state, State::Active | State::Joining | State::Paused { .. }) {
        return Err(stopped(&connection));
    }
    let reason = call::reason(reason)?;
    if !call.app.store.set_state(&connection, &State::Paused { reason }).await? {
        return Err(Problem::new(problem::CONFLICT, "its state changed meanwhile"));
    }
    show(call, Nothing {}).await
}

/// Approves a new connection, or goes on with a paused one: what changed is pulled, what is pending is pushed.
pub async fn resume(call: &Call<'_>, _: Nothing) -> Told<Shown> {
    let connection = call.connection().await?;
    if matches!(connection.state, State::NeedsReauth { .. } | State::Closed) {
        return Err(stopped(&connection));
    }
    call.app.activate(call.cx, &connection.tenant, &connection.id).await?;
    show(call, Nothing {}).await
}

fn stopped(connection: &Connection) -> Problem {
    match connection.state {
        State::NeedsReauth { .. } => Problem::new(problem::REAUTH, "the CRM no longer accepts its credentials"),
        _ => Problem::new(problem::CONFLICT, "it was disconnected"),
    }
}

/// Ends webhooks, access and credentials. The hub keeps what it knows.
pub async fn disconnect(call: &Call<'_>, _: Nothing) -> Told<Shown> {
    let connection = call.connection().await?;
    if connection.state != State::Closed {
        call.app.disconnect(call.cx, &connection).await?;
    }
    show(call, Nothing {}).await
}

/// What is to be synced now.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "SyncNow")]
pub struct Sync {
    /// These alone; left out, everything that changed.
    #[schemars(length(min = 1, max = 200))]
    records: Option<Vec<RecordId>>,
}

pub async fn sync(call: &Call<'_>, Sync { records }: Sync) -> Told<Done> {
    let connection = call.connection().await?;
    if connection.state != State::Active {
        return Err(Problem::new(problem::CONFLICT, "it is not active: resume it first"));
    }
    if !connection.works() {
        return Err(Problem::new(problem::CONFLICT, "everything is stopped: let it go on first"));
    }
    match records {
        None => call.app.sync_all(call.cx, &connection).await?,
        Some(records) if !(1..=200).contains(&records.len()) => {
            return Err(Problem::faults(vec!["records: name 1 to 200".to_owned()]));
        }
        Some(records) => {
            let found = call.app.store.records(&connection.tenant, &records).await?;
            if let Some(lacking) = records.iter().find(|id| !found.contains_key(*id)) {
                return Err(Problem::faults(vec![format!("records: there is no {lacking}")]));
            }
            call.app.sync_these(call.cx, &connection, found.into_values()).await?;
        }
    }
    Ok(Done { done: true }.into())
}

/// What a link may connect.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LinkRequest")]
pub struct Asked {
    /// A name of your choice, unique in the whole stack; it becomes a part of the webhook URL.
    connection: ConnectionId,
    /// What kind of CRM it leads to.
    #[schemars(extend("enum" = Crm::ALL.map(Crm::name)))]
    crm: String,
    /// The country whose way of writing phone numbers is used where none is given.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    region: Region,
    /// What is kept in step; left out, people.
    #[serde(default = "people")]
    objects: Vec<Object>,
    /// Seconds between two pulls.
    #[serde(default = "usual")]
    #[schemars(range(min = 60, max = 86_400))]
    pull_every: u32,
    /// Where the account logs in, such as `https://test.salesforce.com`.
    #[serde(default)]
    login_host: Option<String>,
}

fn people() -> Vec<Object> {
    vec![Object::Person]
}

fn usual() -> u32 {
    300
}

/// A link that a person opens in a browser to connect a CRM account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Link {
    /// Whoever has it can connect an account of theirs, once.
    url: String,
    good_until: Timestamp,
}

pub async fn link(call: &Call<'_>, asked: Asked) -> Told<Link> {
    let tenant = call.tenant()?;
    let Asked { connection, crm, region, objects, pull_every, login_host } = asked;
    let Ok(crm) = crm.parse::<Crm>() else {
        return Err(Problem::faults(vec![format!("crm: it is one of {}", Crm::ALL.map(Crm::name).join(", "))]));
    };
    if !(60..=86_400).contains(&pull_every) {
        return Err(Problem::faults(vec!["pull_every: 60 to 86400 seconds".to_owned()]));
    }
    call.app.store.settle_in(&tenant, call.cx.now()).await?;
    // Without our app at this CRM nobody could go on from the link.
    call.app.secrets.app(crm).await?;
    let invitation = Invitation { tenant, connection, crm, region, objects, pull_every, login_host };
    let secret = call
        .app
        .invite(call.cx, &invitation)
        .await?
        .map_err(|turned: Turned| Problem::faults(vec![turned.to_string()]))?;
    let url = format!("{}/connect/{crm}?link={}", call.origin, secret.reveal());
    Ok(Reply::from(Link { url, good_until: call.cx.now() + LINK_LIVES }))
}

//! All that a function may touch. The environment is read here and nowhere else.

use crate::{
    alerting,
    control::access::Names,
    error::{Error, Result},
    files::Files,
    handler::Accounts,
    history::History,
    id::{ConnectionId, TenantId},
    provider::{Hosts, quota::Book},
    queue::Queue,
    secrets::Secrets,
    store::Store,
    telemetry::DEFAULT_NAMESPACE,
    watch::Held,
};
use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::credentials::EnvironmentVariableCredentialsProvider,
};
use aws_sdk_sqs::config::SharedCredentialsProvider;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

/// The clients and settings of one function, built once.
#[derive(Debug)]
pub struct App {
    pub store: Store,
    pub history: History,
    pub secrets: Secrets,
    pub queue: Queue,
    pub files: Files,
    /// What the journal could not keep.
    pub(crate) failures: Files,
    pub settings: Settings,
    pub(crate) accounts: Accounts,
    pub(crate) lately: Lately,
    pub(crate) held: Held,
    pub(crate) books: Books,
    aws: SdkConfig,
    // Built when they are first used: a function that calls no CRM reads no certificates for it, and its binary lacks the code.
    http: OnceLock<reqwest::Client>,
    events: OnceLock<aws_sdk_eventbridge::Client>,
}

/// What this instance knows of each connection's limits, and whether it is asking for more.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// The name under which it is lent calls.
    pub(crate) holder: String,
    pub(crate) of: Mutex<HashMap<(TenantId, ConnectionId), Kept>>,
}

type Kept = (Arc<Mutex<Book>>, Arc<tokio::sync::Mutex<()>>);

/// What was done about a connection a moment ago, as far as this instance knows.
#[derive(Debug, Default)]
pub struct Lately {
    done: Mutex<HashMap<ConnectionId, Instant>>,
    /// Held by whoever does it: what comes of that is waited for.
    pub(crate) doing: tokio::sync::Mutex<()>,
}

impl Lately {
    /// Whether it was not done within so long; it counts as done.
    pub(crate) fn is_due(&self, id: &ConnectionId, every: Duration) -> bool {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let due = done.get(id).is_none_or(|at| at.elapsed() > every);
        if due {
            done.insert(id.clone(), Instant::now());
        }
        due
    }
}

/// What the template tells every function.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub state_table: String,
    pub history_table: String,
    pub changes: String,
    pub sync_requests: String,
    pub pushes: String,
    pub pulls: String,
    /// Only where people are told of exceptions.
    pub alerts: String,
    pub imports: String,
    /// The bucket of files that come and go.
    pub files: String,
    /// The bucket of what the journal could not keep. Only where a person sees to it.
    pub failures: String,
    pub event_bus: String,
    /// Where metrics are filed; each stack has its own.
    pub metrics: String,
    /// Names of secrets begin with it, so that several stacks fit into one account.
    pub secret_prefix: String,
    /// The URL that CRMs call, where it is not the gateway's own.
    pub public_url: Option<String>,
    pub hosts: Hosts,
    /// Where alerts may go.
    pub alert_hosts: alerting::Hosts,
    /// The claims by which the control API knows people.
    pub claims: Names,
    /// How people log in to the dashboard.
    pub login: Login,
}

/// How a person proves by their browser who they are; without an issuer nobody does.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// As its tokens name it.
    pub issuer: Option<String>,
    /// What the issuer knows us as.
    pub client: String,
    /// Another host at which the issuer redeems codes, such as Cognito's domain.
    pub host: Option<String>,
    /// The URL of the dashboard, where it is not the gateway's own.
    pub url: Option<String>,
}

impl App {
    /// By all that AWS's command line believes: profiles, single sign-on, an instance's role.
    pub async fn from_env() -> Result<App> {
        let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
        App::new(&aws, Settings::from_env()?)
    }

    /// In a function, whose role is in its environment (AWS docs: Lambda environment variables). Whatever else could prove us is left
    /// out of its binary.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn in_lambda() -> Result<App> {
        let mut aws = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(std::env::var("AWS_REGION").ok().map(Region::new))
            .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()));
        // Where an emulator stands in for AWS.
        aws.set_endpoint_url(std::env::var("AWS_ENDPOINT_URL").ok());
        App::new(&aws.build(), Settings::from_env()?)
    }

    pub fn new(aws: &SdkConfig, settings: Settings) -> Result<App> {
        let table = aws_sdk_dynamodb::Client::new(aws);
        Ok(App {
            store: Store::new(table.clone(), settings.state_table.clone()),
            history: History::new(table, settings.history_table.clone()),
            secrets: Secrets::new(aws_sdk_secretsmanager::Client::new(aws), settings.secret_prefix.clone()),
            queue: Queue::new(aws_sdk_sqs::Client::new(aws)),
            files: Files::new(aws.clone(), settings.files.clone()),
            failures: Files::new(aws.clone(), settings.failures.clone()),
            settings,
            accounts: Accounts::default(),
            lately: Lately::default(),
            held: Held::default(),
            books: Books { holder: ulid::Ulid::new().to_string(), of: Mutex::default() },
            aws: aws.clone(),
            http: OnceLock::new(),
            events: OnceLock::new(),
        })
    }

    /// What calls CRMs, and whoever is told of something. It follows no redirects.
    pub fn http(&self) -> Result<&reqwest::Client> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let built = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .user_agent(concat!("crm-sync/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Error::bug("no HTTP client can be built").because(e))?;
        Ok(self.http.get_or_init(|| built))
    }

    /// EventBridge, where what happened is told.
    pub fn events(&self) -> &aws_sdk_eventbridge::Client {
        self.events.get_or_init(|| aws_sdk_eventbridge::Client::new(&self.aws))
    }
}

impl Settings {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    fn from_env() -> Result<Settings> {
        let optional = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let set = |name: &str| {
            optional(name).ok_or_else(|| Error::Config { reason: format!("the environment lacks {name}") })
        };
        Ok(Settings {
            state_table: set("STATE_TABLE")?,
            history_table: set("HISTORY_TABLE")?,
            changes: set("CHANGES_QUEUE_URL")?,
            sync_requests: set("SYNC_REQUESTS_QUEUE_URL")?,
            pushes: set("PUSHES_QUEUE_URL")?,
            pulls: set("PULLS_QUEUE_URL")?,
            alerts: optional("ALERTS_QUEUE_URL").unwrap_or_default(),
            imports: set("IMPORTS_QUEUE_URL")?,
            files: set("FILES_BUCKET")?,
            failures: optional("JOURNAL_FAILURES_BUCKET").unwrap_or_default(),
            event_bus: set("EVENT_BUS")?,
            metrics: optional("METRICS_NAMESPACE").unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
            secret_prefix: set("SECRET_PREFIX")?,
            public_url: optional("PUBLIC_URL"),
            hosts: Hosts { local: optional("CRM_URL") },
            alert_hosts: alerting::Hosts {
                local: optional("CRM_URL"),
                named: optional("ALERT_HOSTS")
                    .iter()
                    .flat_map(|all| all.split(','))
                    .map(|host| host.trim().to_owned())
                    .collect(),
            },
            claims: Names {
                tenant: optional("TENANT_CLAIM").unwrap_or(Names::default().tenant),
                role: optional("ROLE_CLAIM").unwrap_or(Names::default().role),
            },
            login: Login {
                issuer: optional("ISSUER"),
                client: optional("LOGIN_CLIENT").unwrap_or_default(),
                host: optional("LOGIN_HOST"),
                url: optional("DASHBOARD_URL"),
            },
        })
    }
}

//! One emulator for the whole run, and an account of its own for each test.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::{
    config::Credentials,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
        ScalarAttributeType, StreamSpecification, StreamViewType,
    },
};
use aws_sdk_s3::types::{
    Event, FilterRule, FilterRuleName, NotificationConfiguration, NotificationConfigurationFilter, QueueConfiguration,
    S3KeyFilter,
};
use aws_sdk_sqs::types::QueueAttributeName;
use shared::{
    app::{App, Login, Settings},
    provider::Hosts,
};
use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// An emulator that ends when this process does: it is told so by its standard input.
struct Emulator {
    endpoint: String,
    _shell: Child,
}

static EMULATOR: OnceLock<Emulator> = OnceLock::new();
static ACCOUNTS: AtomicU64 = AtomicU64::new(0);
static BUCKETS: AtomicU64 = AtomicU64::new(0);

/// Where `cargo dev` puts the emulator.
fn program() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a test asks where the emulator is")]
    let named = std::env::var("MINISTACK").ok().map(PathBuf::from);
    named.unwrap_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../dev/venv/bin/ministack"))
}

fn emulator() -> &'static Emulator {
    EMULATOR.get_or_init(|| {
        let program = program();
        assert!(
            program.exists(),
            "{} is not there: run `cargo dev test`, which installs the AWS emulator",
            program.display()
        );
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let shell = Command::new("sh")
            .args(["-c", r#""$0" >"$1" 2>&1 </dev/null & pid=$!; cat >/dev/null; kill $pid"#])
            .arg(&program)
            .arg(home.join("emulator.log"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &home)
            .env("TMPDIR", &home)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("SFTP_ENABLED", "0")
            .env("IOT_MTLS_ENABLED", "0")
            .env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/dev/emulator/inside"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        Emulator { endpoint, _shell: shell }
    })
}

/// The SDKs' settings for an account that nobody else uses.
pub(crate) async fn account() -> SdkConfig {
    let endpoint = &emulator().endpoint;
    for _ in 0..100 {
        if reqwest::get(format!("{endpoint}/_ministack/health")).await.is_ok_and(|answer| answer.status().is_success())
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let account = 100_000_000_000
        + u64::from(std::process::id()) * 10_000 % 800_000_000_000
        + ACCOUNTS.fetch_add(1, Ordering::Relaxed);
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new(account.to_string(), "test", None, None, "test"))
        .load()
        .await
}

/// The tables, queues and bus of one stack, and the app over them.
pub(crate) async fn app(aws: &SdkConfig, crm_url: Option<String>, public_url: Option<String>) -> App {
    let login = Login {
        issuer: crm_url.as_ref().map(|simulator| format!("{simulator}/issuer")),
        client: simulator::issuer::AUDIENCE.to_owned(),
        host: None,
        url: public_url.clone(),
    };
    let settings = Settings {
        state_table: table(aws, "state", true).await,
        history_table: table(aws, "history", false).await,
        changes: queue(aws, "changes").await,
        sync_requests: queue(aws, "sync-requests").await,
        pushes: queue(aws, "pushes.fifo").await,
        pulls: queue(aws, "pulls.fifo").await,
        alerts: queue(aws, "alerts").await,
        imports: queue(aws, "imports").await,
        files: bucket(aws).await,
        failures: String::new(),
        event_bus: "default".to_owned(),
        secret_prefix: "crm-sync".to_owned(),
        metrics: "CrmSync/crm-sync".to_owned(),
        public_url,
        alert_hosts: shared::alerting::Hosts { local: crm_url.clone(), named: Vec::new() },
        hosts: Hosts { local: crm_url },
        claims: Default::default(),
        login,
    };
    App::new(aws, settings).unwrap()
}

async fn table(aws: &SdkConfig, name: &str, due: bool) -> String {
    let attribute = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let mut call = aws_sdk_dynamodb::Client::new(aws)
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(vec![attribute("pk"), attribute("sk")]))
        .set_key_schema(Some(vec![key("pk", KeyType::Hash), key("sk", KeyType::Range)]));
    if due {
        let index = GlobalSecondaryIndex::builder()
            .index_name("due")
            .set_key_schema(Some(vec![key("due_pk", KeyType::Hash), key("due_at", KeyType::Range)]))
            .projection(
                Projection::builder()
                    .projection_type(ProjectionType::Include)
                    .set_non_key_attributes(Some(["tenant", "id", "connection"].map(str::to_owned).to_vec()))
                    .build(),
            );
        call = call.attribute_definitions(attribute("due_pk")).attribute_definitions(attribute("due_at"));
        call = call.global_secondary_indexes(index.build().unwrap());
        let stream = StreamSpecification::builder().stream_enabled(true);
        call = call.stream_specification(stream.stream_view_type(StreamViewType::NewAndOldImages).build().unwrap());
    }
    call.send().await.unwrap();
    name.to_owned()
}

async fn queue(aws: &SdkConfig, name: &str) -> String {
    let call = aws_sdk_sqs::Client::new(aws).create_queue().queue_name(name);
    let call = if name.ends_with(".fifo") { call.attributes(QueueAttributeName::FifoQueue, "true") } else { call };
    call.send().await.unwrap().queue_url.unwrap()
}

/// Names of buckets are everybody's. It tells the queue `imports` what was uploaded, as the template's does.
async fn bucket(aws: &SdkConfig) -> String {
    let name = format!("files-{}-{}", std::process::id(), BUCKETS.fetch_add(1, Ordering::Relaxed));
    let (s3, sqs) = (aws_sdk_s3::Client::new(aws), aws_sdk_sqs::Client::new(aws));
    s3.create_bucket().bucket(&name).send().await.unwrap();
    let url = sqs.get_queue_url().queue_name("imports").send().await.unwrap().queue_url.unwrap();
    let arn = sqs.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::QueueArn);
    let arn = arn.send().await.unwrap().attributes.unwrap().remove(&QueueAttributeName::QueueArn).unwrap();
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
    }]});
    let set = sqs.set_queue_attributes().queue_url(&url);
    set.attributes(QueueAttributeName::Policy, policy.to_string()).send().await.unwrap();
    let rule = S3KeyFilter::builder()
        .filter_rules(FilterRule::builder().name(FilterRuleName::Prefix).value("imports/").build());
    let told = QueueConfiguration::builder().queue_arn(arn).events(Event::S3ObjectCreated);
    let told = told.filter(NotificationConfigurationFilter::builder().key(rule.build()).build()).build().unwrap();
    let told = NotificationConfiguration::builder().queue_configurations(told).build();
    s3.put_bucket_notification_configuration().bucket(&name).notification_configuration(told).send().await.unwrap();
    name
}

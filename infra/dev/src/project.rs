//! Where the project and its target directory lie.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) struct Project {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    /// `<target>/dev`: everything this tool makes.
    pub(crate) dev: PathBuf,
    /// What `cargo metadata` says of the workspace's own packages.
    pub(crate) metadata: Value,
}

impl Project {
    /// Asks cargo, which knows CARGO_TARGET_DIR and every config file.
    pub(crate) fn find() -> Result<Self> {
        let folder = from_cargo("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").to_owned());
        let manifest = PathBuf::from(folder).join("Cargo.toml");
        let output = Command::new(cargo())
            .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
            .arg(manifest)
            .output()
            .context("cargo could not be run")?;
        ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let path = |key: &str| {
            metadata[key].as_str().map(PathBuf::from).with_context(|| format!("cargo metadata has no {key}"))
        };
        let (root, target) = (path("workspace_root")?, path("target_directory")?);
        let dev = target.join("dev");
        std::fs::create_dir_all(dev.join("logs")).with_context(|| format!("{} cannot be made", dev.display()))?;
        Ok(Self { root, target, dev, metadata })
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.dev.join("logs").join(format!("{name}.log"))
    }

    /// A file of this tool's own sources, such as `emulator/deploy.py`.
    pub(crate) fn source(&self, relative: &str) -> PathBuf {
        self.root.join("infra/dev").join(relative)
    }

    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(cargo());
        command.current_dir(&self.root);
        command
    }

    /// The path as a person in the project's root would type it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// The cargo that runs us, so that a `+toolchain` is kept.
fn cargo() -> String {
    from_cargo("CARGO").unwrap_or_else(|| "cargo".to_owned())
}

#[expect(clippy::disallowed_methods, reason = "cargo tells the programs that it runs where they are in no other way")]
fn from_cargo(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}

//! The browser that tests drive, and its driver: those that are installed, or else Debian's.

use crate::prerequisites::runs;
use crate::process;
use crate::project::Project;
use crate::step::step;
use crate::stop;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

const NAMES: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    // macOS has no browser on the PATH.
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const NEEDED: &str = "the tests need Chromium or Chrome, and chromedriver of the same version. Debian: sudo apt install chromium chromium-driver; Fedora: sudo dnf install chromium chromedriver; macOS: brew install --cask google-chrome chromedriver; elsewhere, CHROME and CHROMEDRIVER may name the two programs";

pub(crate) struct Browser {
    chrome: PathBuf,
    driver: PathBuf,
}

impl Browser {
    /// What tells a test where it is.
    pub(crate) fn environment(&self) -> [(&'static str, &Path); 2] {
        [("CHROME", &self.chrome), ("CHROMEDRIVER", &self.driver)]
    }
}

/// Finds the browser, or installs it where that asks nobody.
pub(crate) fn install(project: &Project) -> Result<Browser> {
    if let Some(browser) = installed() {
        return Ok(browser);
    }
    let debian = Path::new("/etc/debian_version").exists() && runs("apt-get", &["--version"]);
    if !debian || !rustix::process::geteuid().is_root() {
        bail!(NEEDED);
    }
    step("Browser installed", |progress| {
        let log = project.log("browser");
        let apt = |arguments: &[&str]| {
            let mut apt = Command::new("apt-get");
            process::logged(apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"), &log, progress)
        };
        let packages = ["install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"];
        if apt(&packages).is_err() {
            stop::check()?;
            // Its lists may be older than what the mirrors still have.
            apt(&["update"]).and_then(|()| apt(&packages)).context(NEEDED)?;
        }
        let browser = installed().context(NEEDED)?;
        let shown = browser.chrome.display().to_string();
        Ok((browser, shown))
    })
}

/// A browser and its driver, if they are of one version: no other pair works.
fn installed() -> Option<Browser> {
    let (chrome, driver) = (program("CHROME", NAMES)?, program("CHROMEDRIVER", &["chromedriver"])?);
    (version(&chrome)? == version(&driver)?).then_some(Browser { chrome, driver })
}

/// The program that a variable names, or else the first of these that is on the PATH.
#[expect(clippy::disallowed_methods, reason = "where the browser is, is for the person at the machine to say")]
fn program(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Ok(named) = std::env::var(variable) {
        return Some(named.into());
    }
    let path = std::env::var("PATH").ok()?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|program| program.is_file())
}

fn version(program: &Path) -> Option<u32> {
    let output = Command::new(program).arg("--version").output().ok().filter(|output| output.status.success())?;
    version_in(&String::from_utf8_lossy(&output.stdout))
}

/// The first part of the version that a program tells.
fn version_in(said: &str) -> Option<u32> {
    said.split_whitespace().find_map(|word| word.split_once('.')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn browsers_and_drivers_tell_their_version() {
        assert_eq!(version_in("Chromium 148.0.7778.167 built on Debian GNU/Linux 12 (bookworm)"), Some(148));
        assert_eq!(version_in("Google Chrome for Testing 131.0.6778.85"), Some(131));
        assert_eq!(version_in("ChromeDriver 148.0.7778.167 (65db666ac2cf-refs/branch-heads/7778@{#2783})"), Some(148));
        assert_eq!(version_in("Command '/usr/bin/chromium-browser' requires the chromium snap."), None);
    }
}

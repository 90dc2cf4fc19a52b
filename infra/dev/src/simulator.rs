//! The CRM simulator: its own binary, which tells its address in one line of JSON.

use crate::functions;
use crate::process::Beside;
use crate::project::Project;
use crate::step::step;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

pub(crate) const PACKAGE: &str = "simulator";

pub(crate) struct Simulator {
    pub(crate) process: Beside,
    pub(crate) url: String,
}

#[derive(Deserialize)]
struct Ready {
    url: String,
}

pub(crate) fn start(project: &Project) -> Result<Simulator> {
    step("CRM simulator started", |_| {
        let log = project.log("simulator");
        let mut command = Command::new(functions::binary(project, PACKAGE));
        command.args(["--port", "0"]).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut process = Beside::start(&mut command)?;
        let mut output = BufReader::new(process.child.stdout.take().context("the simulator has no stdout")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let ready: Ready = serde_json::from_str(&line).with_context(|| {
            format!("the simulator did not tell its address, but {line:?}. Its log: {}", log.display())
        })?;
        // Whatever else it prints must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        let url = ready.url.trim_end_matches('/').to_owned();
        Ok((Simulator { process, url: url.clone() }, url))
    })
}

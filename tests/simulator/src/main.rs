//! `simulator [--port N] [--seed N] [--webhooks-to URL]`: runs until it is told to stop; its first line is `{"url":"http://127.0.0.1:…"}`.

use simulator::{Options, Simulator};
use std::process::ExitCode;

const USAGE: &str = "simulator [--port N] [--seed N] [--webhooks-to URL of the HubSpot app]";

#[tokio::main]
async fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let sim = match Simulator::start(options).await {
        Ok(sim) => sim,
        Err(error) => {
            eprintln!("cannot listen: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("{}", serde_json::json!({"url": sim.url}));
    stopped().await;
    sim.stop().await;
    ExitCode::SUCCESS
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(flag) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{flag} needs a value"));
        match flag.as_str() {
            "--port" => options.port = value()?.parse().map_err(|e| format!("--port: {e}"))?,
            "--seed" => options.seed = value()?.parse().map_err(|e| format!("--seed: {e}"))?,
            "--webhooks-to" => options.webhooks_to = Some(value()?),
            _ => return Err(format!("unknown argument {flag}")),
        }
    }
    Ok(options)
}

/// Returns on Ctrl-C, and on the signal that `kill` sends.
async fn stopped() {
    let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

//! Somebody is told that much is refused, and that it is over: from the watchdog to Slack, which first asks for patience.

use super::errands::invoke;
use super::scene::{Scene, TENANT};
use super::sight::Sight;
use crate::{http, operator};
use anyhow::Result;
use serde_json::{Value, json};

/// The simulator's own.
const SLACK: &str = "https://hooks.slack.com/services/T000/B000/of-the-simulator\n";

pub(super) fn somebody_is(scene: &mut Scene<'_>) -> Result<()> {
    let alerts = json!({"channels": {"ops": {"is": "slack"}}, "rules": [{"to": ["ops"], "codes": ["many_refused"]}]});
    decide(scene, "alerts", &alerts)?;
    operator::tell(scene.project, scene.stack, &["alerts", TENANT, "--secret", "ops"], SLACK)?;
    http::post(&format!("{}/_sim/alerts", scene.stack.simulator), &json!([{"status": 429, "retry_after": 1}]))?;
    decide(scene, "watch", &json!({"reject_percent": 0, "reject_least": 1}))?;
    invoke(scene, "watchdog", "watch")?;
    slack_hears(scene, "many_refused on demo / hubspot")?;
    decide(scene, "watch", &json!({}))?;
    invoke(scene, "watchdog", "watch")?;
    slack_hears(scene, "Over: many_refused on demo / hubspot")
}

/// As a person would, with the `operator` command.
fn decide(scene: &Scene<'_>, what: &str, decided: &Value) -> Result<()> {
    let file = scene.project.dev.join(format!("{what}.json"));
    std::fs::write(&file, decided.to_string())?;
    let file = file.to_string_lossy();
    operator::ask(scene.project, scene.stack, &[what, TENANT, "--from", &file]).map(drop)
}

fn slack_hears(scene: &mut Scene<'_>, begins: &str) -> Result<()> {
    let url = format!("{}/_sim/alerts", scene.stack.simulator);
    Sight::of("ops", "watch", begins).wait(scene, |_| {
        let taken: Vec<Value> = http::get_json(&url)?;
        let texts: Vec<&str> = taken.iter().filter_map(|one| one["message"]["text"].as_str()).collect();
        let times = texts.iter().filter(|text| text.starts_with(begins)).count();
        Ok(if times == 1 { Ok(()) } else { Err(format!("{texts:?}")) })
    })
}

//! What the template says of alarms and metrics, their pages say too.

use super::definition::{resources, template};
use regex::Regex;
use serde_json::Value as Json;
use shared::telemetry::Metric;
use std::{collections::BTreeSet, fs, path::PathBuf};

const OURS: &str = "CrmSync/${AWS::StackName}";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The page that an alarm's description ends by.
fn page(alarm: &Json) -> &str {
    alarm["AlarmDescription"].as_str().unwrap().rsplit(' ').next().unwrap()
}

#[test]
fn each_alarm_has_its_runbook_and_each_runbook_its_alarm() {
    let mut pages = BTreeSet::new();
    for (name, alarm) in resources("AWS::CloudWatch::Alarm") {
        let text =
            fs::read_to_string(root().join(page(alarm))).unwrap_or_else(|e| panic!("{name}: {}: {e}", page(alarm)));
        assert!(text.contains(&format!("`{name}`")), "{} does not name {name}", page(alarm));
        for part in ["## What it means", "## See the cause", "## What to do", "## It is over when"] {
            assert!(text.contains(part), "{} lacks {part}", page(alarm));
        }
        pages.insert(page(alarm).to_owned());
    }
    for file in fs::read_dir(root().join("infra/runbooks")).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        assert!(file == "README.md" || pages.contains(&format!("infra/runbooks/{file}")), "no alarm leads to {file}");
    }
}

/// A query that a page names is saved by the template, and each saved query is named by a page.
#[test]
fn saved_queries_are_those_that_the_runbooks_name() {
    let name = Regex::new(r"`<stack>/([a-z-]+)`").unwrap();
    let mut named = BTreeSet::new();
    for file in fs::read_dir(root().join("infra/runbooks")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        named.extend(name.captures_iter(&text).map(|found| found[1].to_owned()));
    }
    let saved = resources("AWS::Logs::QueryDefinition").into_values();
    let saved: BTreeSet<String> =
        saved.map(|query| query["Name"]["Fn::Sub"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(named, saved);
}

fn exists(metric: &str) {
    assert!(Metric::ALL.iter().any(|known| known.name() == metric), "nothing measures {metric}");
}

#[test]
fn alarms_and_the_dashboard_name_metrics_that_exist() {
    let ours = |alarm: &&Json| alarm["Namespace"]["Fn::Sub"] == OURS;
    let alarms = resources("AWS::CloudWatch::Alarm");
    let named = alarms.values().filter(|alarm| ours(alarm));
    assert!(named.clone().count() > 5);
    named.for_each(|alarm| exists(alarm["MetricName"].as_str().unwrap()));
    let of_expression =
        Regex::new(r#"^SEARCH\('\{"CrmSync/\$\{AWS::StackName\}",crm\} MetricName="(\w+)"', '\w+', 300\)$"#).unwrap();
    let mut shown = 0;
    for dashboard in resources("AWS::CloudWatch::Dashboard").into_values() {
        let body: Json = serde_json::from_str(dashboard["DashboardBody"]["Fn::Sub"].as_str().unwrap()).unwrap();
        for row in
            body["widgets"].as_array().unwrap().iter().flat_map(|w| w["properties"]["metrics"].as_array().unwrap())
        {
            match (row[0].as_str(), row[0]["expression"].as_str()) {
                (Some(OURS), _) => exists(row[1].as_str().unwrap()),
                (Some("AWS/SQS" | "AWS/Lambda"), _) => continue,
                (_, Some(expression)) => exists(&of_expression.captures(expression).unwrap()[1]),
                other => panic!("{other:?}"),
            }
            shown += 1;
        }
    }
    assert!(shown > 15, "{shown}");
    let environment = &template()["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(environment["METRICS_NAMESPACE"]["Fn::Sub"], OURS, "what alarms look for is where functions file it");
}

#[test]
fn the_table_of_metrics_is_the_codes() {
    let text = fs::read_to_string(root().join("infra/runbooks/README.md")).unwrap();
    let row = |metric: &Metric| format!("| `{}` | {} | {} |", metric.name(), metric.unit(), metric.means());
    let table: Vec<String> = Metric::ALL.iter().map(row).collect();
    let found: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(found, table, "copy it:\n{}", table.join("\n"));
}

//! The template's alarms, and what CloudWatch makes of them.

use jiff::Timestamp;
use serde_json::Value as Json;
use std::{collections::BTreeMap, path::PathBuf, process::Command, sync::OnceLock};

/// The name under which the tests have deployed the stack.
pub(super) const STACK: &str = "crm-sync";

/// template.yaml as plain data: short tags in their long form, as the emulator is given it.
pub(crate) fn template() -> &'static Json {
    static TEMPLATE: OnceLock<Json> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let python = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../dev/venv/bin/python");
        let program = "import json, sys, template; json.dump(template.load(sys.argv[1]), sys.stdout, default=str)";
        let mut ask = Command::new(python);
        ask.args(["-c", program]).arg(root.join("template.yaml")).env("PYTHONPATH", root.join("infra/dev/emulator"));
        let told = ask.output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        serde_json::from_slice(&told.stdout).unwrap()
    })
}

/// The resources of one type, by their names in the template.
pub(crate) fn resources(kind: &str) -> BTreeMap<&'static str, &'static Json> {
    let all = template()["Resources"].as_object().unwrap().iter();
    all.filter(|(_, resource)| resource["Type"] == kind).map(|(name, it)| (name.as_str(), &it["Properties"])).collect()
}

/// A value of the template, where what it refers to is named as the template names it.
fn resolved(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        _ if value["Fn::Sub"].is_string() => value["Fn::Sub"].as_str().unwrap().replace("${AWS::StackName}", STACK),
        _ if value["Ref"].is_string() => value["Ref"].as_str().unwrap().to_owned(),
        _ => format!("{}.{}", value["Fn::GetAtt"][0].as_str().unwrap(), value["Fn::GetAtt"][1].as_str().unwrap()),
    }
}

/// One value that CloudWatch was told.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) namespace: String,
    pub(super) metric: String,
    pub(super) dimensions: Vec<(String, String)>,
    pub(super) at: Timestamp,
    pub(super) value: f64,
}

impl Point {
    /// What a line of a function's log tells, as CloudWatch reads it.
    pub(super) fn of_line(line: &str) -> Vec<Point> {
        let line: Json = serde_json::from_str(line).unwrap();
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        let at = Timestamp::from_millisecond(line["_aws"]["Timestamp"].as_i64().unwrap()).unwrap();
        let mut points = Vec::new();
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            for set in directive["Dimensions"].as_array().unwrap() {
                let dimensions: Vec<_> =
                    set.as_array().unwrap().iter().map(|name| (text(name), text(&line[text(name)]))).collect();
                for metric in directive["Metrics"].as_array().unwrap() {
                    let metric = text(&metric["Name"]);
                    let values = match &line[&metric] {
                        Json::Array(values) => values.iter().map(|value| value.as_f64().unwrap()).collect(),
                        value => vec![value.as_f64().unwrap()],
                    };
                    let point = |value| Point {
                        namespace: text(&directive["Namespace"]),
                        metric: metric.clone(),
                        dimensions: dimensions.clone(),
                        at,
                        value,
                    };
                    points.extend(values.into_iter().map(point));
                }
            }
        }
        points
    }
}

#[derive(Debug)]
pub(super) struct Alarm {
    pub(super) namespace: String,
    pub(super) metric: String,
    pub(super) dimensions: Vec<(String, String)>,
    statistic: String,
    pub(super) period: i64,
    periods: i64,
    most: usize,
    threshold: f64,
    comparison: String,
    missing: String,
}

impl Alarm {
    pub(super) fn named(name: &str) -> Alarm {
        let alarms = resources("AWS::CloudWatch::Alarm");
        let it = alarms.get(name).unwrap_or_else(|| panic!("template.yaml has no alarm {name}"));
        let text = |name: &str| it[name].as_str().unwrap().to_owned();
        let dimensions = it["Dimensions"].as_array().into_iter().flatten();
        let periods = it["EvaluationPeriods"].as_i64().unwrap();
        Alarm {
            namespace: resolved(&it["Namespace"]),
            metric: text("MetricName"),
            dimensions: dimensions.map(|one| (resolved(&one["Name"]), resolved(&one["Value"]))).collect(),
            statistic: text("Statistic"),
            period: it["Period"].as_i64().unwrap(),
            periods,
            most: it["DatapointsToAlarm"].as_i64().unwrap_or(periods).try_into().unwrap(),
            threshold: it["Threshold"].as_f64().unwrap(),
            comparison: text("ComparisonOperator"),
            missing: text("TreatMissingData"),
        }
    }

    /// Whether it is in alarm: of its last periods so many are over the threshold (Amazon CloudWatch docs: Evaluating an alarm).
    pub(super) fn fires(&self, points: &[Point], now: Timestamp) -> bool {
        let period = |at: Timestamp| at.as_second().div_euclid(self.period);
        let mine = |point: &&Point| {
            point.namespace == self.namespace && point.metric == self.metric && point.dimensions == self.dimensions
        };
        let is_over = |place: i64| {
            let of_period = points.iter().filter(mine).filter(|point| period(point.at) == place);
            let values: Vec<f64> = of_period.map(|point| point.value).collect();
            match (values.is_empty(), self.missing.as_str()) {
                (true, "breaching") => true,
                (true, "notBreaching") => false,
                (true, other) => panic!("{other} is not known here"),
                (false, _) => self.compares(self.statistic_of(&values)),
            }
        };
        let last = period(now);
        (last - self.periods + 1..=last).filter(|place| is_over(*place)).count() >= self.most
    }

    fn statistic_of(&self, values: &[f64]) -> f64 {
        match self.statistic.as_str() {
            "Maximum" => values.iter().copied().fold(f64::MIN, f64::max),
            "Sum" => values.iter().sum(),
            other => panic!("{other} is not known here"),
        }
    }

    fn compares(&self, value: f64) -> bool {
        match self.comparison.as_str() {
            "GreaterThanThreshold" => value > self.threshold,
            "LessThanThreshold" => value < self.threshold,
            other => panic!("{other} is not known here"),
        }
    }
}

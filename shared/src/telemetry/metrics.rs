//! What one invocation measures, gathered into a line for each CRM: a line for each record would cost more than the work.

use super::Metric;
use crate::{
    id::{ConnectionId, TenantId},
    provider::Crm,
    watch::Counts,
};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Where metrics are filed when the template names no namespace.
pub const DEFAULT_NAMESPACE: &str = "CrmSync";
/// Values of one metric in one line (Amazon CloudWatch docs: embedded metric format, specification).
const MOST_VALUES: usize = 100;

/// One invocation's.
#[derive(Debug)]
pub struct Metrics {
    begun: Timestamp,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    of: BTreeMap<Option<Crm>, BTreeMap<Metric, Vec<f64>>>,
    connections: BTreeMap<(TenantId, ConnectionId), Counts>,
}

impl Metrics {
    pub fn since(begun: Timestamp) -> Metrics {
        Metrics { begun, kept: Mutex::default() }
    }

    /// So many more.
    pub fn count(&self, metric: Metric, crm: Option<Crm>, more: usize) {
        if more > 0 {
            self.kept(|kept| match kept.values(metric, crm).first_mut() {
                Some(sum) => *sum += more as f64,
                None => kept.values(metric, crm).push(more as f64),
            });
        }
    }

    /// One value of several, as of a duration.
    pub fn value(&self, metric: Metric, crm: Option<Crm>, value: f64) {
        self.kept(|kept| kept.values(metric, crm).push(value.max(0.0).round()));
    }

    /// What was done for a connection.
    pub fn on(&self, tenant: &TenantId, connection: &ConnectionId, note: impl FnOnce(&mut Counts)) {
        self.kept(|kept| note(kept.connections.entry((tenant.clone(), connection.clone())).or_default()));
    }

    /// What was done for each connection since this was last asked.
    pub fn connections(&self) -> BTreeMap<(TenantId, ConnectionId), Counts> {
        self.kept(|kept| std::mem::take(&mut kept.connections))
    }

    /// All of it since this was last asked, as CloudWatch's embedded metric format:
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
    /// The CRM is the only dimension there ever is: each value of one is billed.
    pub fn lines(&self, namespace: &str, now: Timestamp) -> Vec<String> {
        let mut of = self.kept(|kept| std::mem::take(&mut kept.of));
        let took = now.duration_since(self.begun).as_millis() as f64;
        let spoke = of.iter_mut().filter(|(crm, metrics)| crm.is_some() && metrics.contains_key(&Metric::ApiCalls));
        spoke.for_each(|(_, metrics)| drop(metrics.insert(Metric::Duration, vec![took])));
        of.into_iter().map(|(crm, metrics)| line(namespace, now, crm, metrics)).collect()
    }

    fn kept<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn values(&mut self, metric: Metric, crm: Option<Crm>) -> &mut Vec<f64> {
        self.of.entry(crm).or_default().entry(metric).or_default()
    }
}

fn line(namespace: &str, now: Timestamp, crm: Option<Crm>, metrics: BTreeMap<Metric, Vec<f64>>) -> String {
    let definitions: Vec<Json> = metrics.keys().map(|m| json!({"Name": m.name(), "Unit": m.unit()})).collect();
    let dimensions = if crm.is_some() { json!([["crm"]]) } else { json!([[]]) };
    let mut line = Map::new();
    let about = json!({"Namespace": namespace, "Dimensions": dimensions, "Metrics": definitions});
    line.insert("_aws".to_owned(), json!({"Timestamp": now.as_millisecond(), "CloudWatchMetrics": [about]}));
    line.extend(crm.map(|crm| ("crm".to_owned(), json!(crm.name()))));
    for (metric, values) in metrics {
        let values = spread(values);
        let value = if let [one] = values[..] { json!(one) } else { json!(values) };
        line.insert(metric.name().to_owned(), value);
    }
    Json::Object(line).to_string()
}

/// As many of the values as a line takes: the least, the greatest, and between them as they are spread.
fn spread(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    match values.len() <= MOST_VALUES {
        true => values,
        false => (0..MOST_VALUES).map(|place| values[place * last / (MOST_VALUES - 1)]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_VALUES, Metric, Metrics, spread};
    use crate::provider::Crm;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    #[test]
    fn an_invocation_is_a_line_for_each_crm() {
        let metrics = Metrics::since(Timestamp::UNIX_EPOCH);
        metrics.count(Metric::Inserted, Some(Crm::Zoho), 2);
        metrics.count(Metric::Inserted, Some(Crm::Zoho), 3);
        metrics.count(Metric::ApiCalls, Some(Crm::Zoho), 1);
        metrics.value(Metric::SyncLag, Some(Crm::Zoho), 1500.4);
        metrics.value(Metric::SyncLag, Some(Crm::Zoho), 20.0);
        metrics.count(Metric::Changes, None, 4);
        metrics.count(Metric::Exceptions, None, 0);
        let now = Timestamp::from_millisecond(250).unwrap();
        let lines: Vec<Json> = metrics.lines("N", now).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let about = |dimensions: Json, names: Json| json!({"Timestamp": 250, "CloudWatchMetrics": [{"Namespace": "N", "Dimensions": dimensions, "Metrics": names}]});
        let named = |name: &str, unit: &str| json!({"Name": name, "Unit": unit});
        let of_zoho = json!([
            named("Inserted", "Count"),
            named("ApiCalls", "Count"),
            named("SyncLag", "Milliseconds"),
            named("Duration", "Milliseconds")
        ]);
        let expected = vec![
            json!({"_aws": about(json!([[]]), json!([named("Changes", "Count")])), "Changes": 4.0}),
            json!({"_aws": about(json!([["crm"]]), of_zoho), "crm": "zoho", "Inserted": 5.0, "ApiCalls": 1.0, "SyncLag": [20.0, 1500.0], "Duration": 250.0}),
        ];
        assert_eq!(lines, expected);
        assert!(metrics.lines("N", now).is_empty(), "told once");
    }

    proptest! {
        #[test]
        fn a_line_never_holds_more_than_it_may(values in prop::collection::vec(0.0..1e9_f64, 1..400)) {
            let kept = spread(values.clone());
            let most = values.iter().copied().fold(0.0, f64::max);
            let least = values.iter().copied().fold(f64::MAX, f64::min);
            prop_assert_eq!(kept.len(), values.len().min(MOST_VALUES));
            prop_assert_eq!((kept[0], kept[kept.len() - 1]), (least, most));
            prop_assert!(kept.iter().all(|one| values.contains(one)));
        }
    }
}

//! Logs and metrics. A log line reads alone and carries fields; it never holds a name, an e-mail address, a phone or a secret.

use std::error::Error;
use tracing_subscriber::EnvFilter;

/// JSON lines on standard output, which Lambda keeps.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_span_list(false);
    if lines.with_env_filter(filter).try_init().is_err() {
        tracing::debug!("logs are set up already");
    }
}

/// An error and everything beneath it, on one line.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut beneath = error.source();
    while let Some(cause) = beneath {
        line = format!("{line}: {cause}");
        beneath = cause.source();
    }
    line
}

/// Writes one metric as CloudWatch's embedded metric format, dimensioned by CRM where there is one.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
pub fn count(metric: &str, crm: Option<crate::provider::Crm>, amount: usize, at: jiff::Timestamp) {
    let dimensions = if crm.is_some() { serde_json::json!([["crm"]]) } else { serde_json::json!([[]]) };
    let line = serde_json::json!({
        "_aws": {"Timestamp": at.as_millisecond(), "CloudWatchMetrics": [
            {"Namespace": "CrmSync", "Dimensions": dimensions, "Metrics": [{"Name": metric, "Unit": "Count"}]}]},
        "crm": crm.map(|c| c.name()),
        metric: amount,
    });
    #[expect(clippy::print_stdout, reason = "CloudWatch reads metrics from standard output")]
    {
        println!("{line}");
    }
}

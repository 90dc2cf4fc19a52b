//! Sync requests under another clock: what would happen if they came back after their id was forgotten.

use anyhow::{Result, ensure};
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use jiff::{SignedDuration, Timestamp};
use shared::{App, context::Context, handler};
use std::{io::Read, time::Duration};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many days from now it shall be
    #[arg(long)]
    days: i64,
}

/// Hands the lines of standard input, a sync request each, to the same code that the queue's function runs.
pub(crate) async fn run(app: &App, now: Timestamp, Args { days }: Args) -> Result<()> {
    let cx = Context::new(now + SignedDuration::from_hours(24 * days), Duration::from_secs(60), "operator-later");
    let queue = app.settings.sync_requests.rsplit('/').next().unwrap_or_default();
    let mut lines = String::new();
    std::io::stdin().read_to_string(&mut lines)?;
    let mut event = SqsEvent::default();
    for (place, line) in lines.lines().enumerate() {
        let mut message = SqsMessage::default();
        message.message_id = Some(format!("later-{place}"));
        message.event_source_arn = Some(format!("arn:aws:sqs:local:0:{queue}"));
        message.body = Some(line.to_owned());
        event.records.push(message);
    }
    let taken = event.records.len();
    let kept = handler::reconcile(app, &cx, event).await?.batch_item_failures.len();
    ensure!(kept == 0, "{kept} of {taken} requests were handed back");
    println!("{taken} applied as of {}", cx.now());
    Ok(())
}

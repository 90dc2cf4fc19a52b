//! Sync requests under another clock: what would happen if they came back after their id was forgotten, or had come two days ago.

use anyhow::{Result, ensure};
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use jiff::{SignedDuration, Timestamp};
use shared::{App, context::Context, handler};
use std::{io::Read, time::Duration};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many hours from now it shall be
    #[arg(long, allow_hyphen_values = true)]
    hours: i64,
    /// What is to be pushed then is pushed then too: nobody else may take it
    #[arg(long)]
    pushes: bool,
}

/// Hands the lines of standard input, a sync request each, to the same code that the queue's function runs.
pub(crate) async fn run(app: &App, now: Timestamp, Args { hours, pushes }: Args) -> Result<()> {
    let cx = Context::new(now + SignedDuration::from_hours(hours), Duration::from_secs(60), "operator-later");
    let mut lines = String::new();
    std::io::stdin().read_to_string(&mut lines)?;
    let message = |(place, line): (usize, &str)| message(&app.settings.sync_requests, &format!("later-{place}"), line);
    let event = event(lines.lines().enumerate().map(message).collect());
    let taken = event.records.len();
    let kept = handler::reconcile(app, &cx, event).await?.batch_item_failures.len();
    ensure!(kept == 0, "{kept} of {taken} requests were handed back");
    if pushes {
        push(app, &cx).await?;
    }
    app.report(&cx).await;
    app.flush().await;
    println!("{taken} applied as of {}", cx.now());
    Ok(())
}

/// Does the work of the function `outbound` until its queue is empty.
async fn push(app: &App, cx: &Context) -> Result<()> {
    let queue = &app.settings.pushes;
    let sqs = aws_sdk_sqs::Client::new(&aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await);
    loop {
        let call = sqs.receive_message().queue_url(queue).max_number_of_messages(10);
        let got = call.message_system_attribute_names(MessageSystemAttributeName::All).send().await?;
        let got = got.messages.unwrap_or_default();
        if got.is_empty() {
            return Ok(());
        }
        let kept = handler::outbound(app, cx, event(got.iter().map(|one| received(queue, one)).collect())).await?;
        let is_kept = |id: &str| kept.batch_item_failures.iter().any(|failure| failure.item_identifier == id);
        for one in got.iter().filter(|one| !is_kept(one.message_id().unwrap_or_default())) {
            sqs.delete_message().queue_url(queue).set_receipt_handle(one.receipt_handle.clone()).send().await?;
        }
    }
}

fn received(queue: &str, one: &Message) -> SqsMessage {
    let mut message = message(queue, one.message_id().unwrap_or_default(), one.body().unwrap_or_default());
    let told = one.attributes().into_iter().flatten();
    message.attributes = told.map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect();
    message.receipt_handle.clone_from(&one.receipt_handle);
    message
}

fn message(queue: &str, id: &str, body: &str) -> SqsMessage {
    let mut message = SqsMessage::default();
    message.message_id = Some(id.to_owned());
    message.event_source_arn = Some(format!("arn:aws:sqs:local:0:{}", queue.rsplit('/').next().unwrap_or_default()));
    message.body = Some(body.to_owned());
    message
}

fn event(records: Vec<SqsMessage>) -> SqsEvent {
    let mut event = SqsEvent::default();
    event.records = records;
    event
}

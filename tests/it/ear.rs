//! Whoever listens to the event bus: a rule, a queue behind it, and all that lies there.

use crate::world::World;
use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value as Json, json};

pub(crate) struct Ear {
    sqs: aws_sdk_sqs::Client,
    queue: String,
}

/// An event of the bus.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) kind: String,
    pub(crate) detail: Json,
}

impl Heard {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.detail[name].as_str().unwrap_or_default()
    }
}

impl World {
    /// Listens to events whose names begin so, from now on.
    pub(crate) async fn listen(&self, kinds: &[&str]) -> Ear {
        let sqs = aws_sdk_sqs::Client::new(&self.aws);
        let queue = sqs.create_queue().queue_name("ear").send().await.unwrap().queue_url.unwrap();
        let asked = sqs.get_queue_attributes().queue_url(&queue).attribute_names(QueueAttributeName::QueueArn);
        let arn = asked.send().await.unwrap().attributes.unwrap()[&QueueAttributeName::QueueArn].clone();
        let bus = &self.app.settings.event_bus;
        let pattern = json!({"source": ["crm-sync"], "detail-type": kinds}).to_string();
        let rule = self.app.events().put_rule().name("ear").event_bus_name(bus).event_pattern(pattern);
        rule.send().await.unwrap();
        let target = Target::builder().id("ear").arn(arn).build().unwrap();
        self.app.events().put_targets().rule("ear").event_bus_name(bus).targets(target).send().await.unwrap();
        Ear { sqs, queue }
    }
}

impl Ear {
    /// What was told since it was last asked.
    pub(crate) async fn heard(&self) -> Vec<Heard> {
        let mut heard = Vec::new();
        loop {
            let call = self.sqs.receive_message().queue_url(&self.queue).max_number_of_messages(10);
            let got = call.send().await.unwrap().messages.unwrap_or_default();
            if got.is_empty() {
                return heard;
            }
            for message in got {
                let event: Json = serde_json::from_str(&message.body.unwrap()).unwrap();
                let kind = event["detail-type"].as_str().unwrap().to_owned();
                heard.push(Heard { kind, detail: event["detail"].clone() });
                let receipt = message.receipt_handle.unwrap();
                self.sqs.delete_message().queue_url(&self.queue).receipt_handle(receipt).send().await.unwrap();
            }
        }
    }
}

//! The `operator` command, in the environment of the running stack.

use crate::project::Project;
use crate::stack::Stack;
use crate::{emulator, functions};
use std::process::Command;

pub(crate) const PACKAGE: &str = "operator";

pub(crate) fn command(project: &Project, stack: &Stack) -> Command {
    let mut command = Command::new(functions::binary(project, PACKAGE));
    command
        .env("AWS_ENDPOINT_URL", &stack.aws.endpoint)
        .env("AWS_REGION", &stack.aws.region)
        .env("AWS_ACCESS_KEY_ID", &stack.aws.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &stack.aws.secret_access_key)
        .env("STATE_TABLE", &stack.tables.state)
        .env("HISTORY_TABLE", &stack.tables.history)
        .env("CHANGES_QUEUE_URL", &stack.queues.changes)
        .env("SYNC_REQUESTS_QUEUE_URL", &stack.queues.sync_requests)
        .env("PUSHES_QUEUE_URL", &stack.queues.pushes)
        .env("PULLS_QUEUE_URL", &stack.queues.pulls)
        .env("EVENT_BUS", &stack.event_bus)
        .env("SECRET_PREFIX", emulator::STACK)
        .env("PUBLIC_URL", &stack.api)
        .env("CRM_URL", &stack.simulator)
        .env("RUST_LOG", "warn");
    command
}

//! The state table's stream: history, timeline, events.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::run(shared::handler::journal).await
}

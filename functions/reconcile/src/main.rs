//! Queues `changes` and `sync-requests`: what they say enters the hub, what is pending goes out.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::run(shared::handler::reconcile).await
}

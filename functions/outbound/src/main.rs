//! Queue `pushes` (FIFO, group = connection): writes to the CRM, remembers what was agreed.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::run(shared::handler::outbound).await
}

//! Schedule and queue `pulls`: asks each CRM what changed, and sweeps what is pending.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::run(shared::handler::delta_pull).await
}

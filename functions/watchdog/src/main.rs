//! Every connection is looked at every few minutes: what is silent, late, refused or shut out is told.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::run(shared::handler::watchdog).await
}

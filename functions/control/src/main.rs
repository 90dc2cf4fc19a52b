//! /v1: what the people who run a tenant ask and decide.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::run(shared::handler::control).await
}

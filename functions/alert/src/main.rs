//! The queue `alerts`: people are told of exceptions, each once, where their tenant wants to hear of them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::run(shared::handler::alert).await
}

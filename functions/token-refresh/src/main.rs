//! Schedule: renews tokens and webhook subscriptions before they run out.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::run(shared::handler::token_refresh).await
}

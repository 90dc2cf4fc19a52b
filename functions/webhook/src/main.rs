//! POST /webhooks/{crm} and /webhooks/{crm}/{connection}: proves a delivery, notes what may have changed, answers fast.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::run(shared::handler::webhook).await
}

//! GET /connect/{crm} and /connect/callback: a person lets us into a CRM account. DELETE: a CRM says that we are out.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::run(shared::handler::connect).await
}

//! Queue `imports`: files that were uploaded become sync requests, row by row; and records become files.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::run(shared::handler::import).await
}

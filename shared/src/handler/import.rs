//! Queue `imports`.
use crate::{app::App, context::Context, error::Result};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
pub async fn import(_app: &App, _cx: &Context, _event: SqsEvent) -> Result<SqsBatchResponse> {
    Ok(SqsBatchResponse::default())
}

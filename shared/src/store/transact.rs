//! Several steps that are done together or not at all.

use super::{Store, records::Lost, together::Joint, trouble, where_it_held};
use crate::{error::Error, record::Key};
use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{TransactWriteItem, Update},
};

/// What a step of a transaction claims, and what it does.
pub(super) type Step = (Option<Key>, TransactWriteItem);

impl Store {
    /// All steps or none; a single put or update is no transaction, which would cost twice. Where `marks_once`, the last step says that a
    /// request is done. They are made once more where those who went together failed.
    pub(super) async fn transact(
        &self,
        make: impl Fn() -> Result<Vec<Step>, Lost>,
        marks_once: bool,
    ) -> Result<(), Lost> {
        let mut steps = make()?;
        if steps.len() == 1 && !marks_once {
            let (_, only) = steps.remove(0);
            return self.alone(only).await;
        }
        let once = marks_once.then(|| steps.len() - 1);
        let (claims, steps): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
        let steps = match self.together.done(&self.client, steps).await {
            Joint::Done => return Ok(()),
            Joint::Alone(steps) => steps,
            Joint::Failed => make()?.into_iter().map(|(_, step)| step).collect(),
        };
        // On the heap, as what is seldom sent: a page's records wait here side by side, and a call takes more room than all else of one.
        let call = self.client.transact_write_items().set_transact_items(Some(steps));
        let Err(error) = Box::pin(call.send()).await else {
            return Ok(());
        };
        let reasons = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled.cancellation_reasons(),
            _ => return Err(trouble(error).into()),
        };
        let failed: Vec<usize> =
            (0..reasons.len()).filter(|i| reasons[*i].code() == Some("ConditionalCheckFailed")).collect();
        if once.is_some_and(|once| failed.contains(&once)) {
            return Err(Lost::Done);
        }
        if reasons
            .iter()
            .any(|r| r.code() == Some("ValidationError") && r.message().is_some_and(|m| m.contains("size")))
        {
            return Err(Lost::TooLarge);
        }
        match failed.first() {
            Some(0) => Err(Lost::Race),
            Some(&place) => match claims.into_iter().nth(place).flatten() {
                Some(key) if key.is_unique() => Err(Lost::Taken(key)),
                _ => Err(Lost::Race),
            },
            None if reasons.iter().any(|r| r.code() == Some("TransactionConflict")) => Err(Lost::Race),
            None => Err(trouble(error).into()),
        }
    }

    async fn alone(&self, step: TransactWriteItem) -> Result<(), Lost> {
        if let Some(update) = step.update {
            return self.update(update).await;
        }
        let Some(put) = step.put else { return Err(Error::bug("a transaction of one delete").into()) };
        let call = self.client.put_item().table_name(put.table_name).set_item(Some(put.item));
        let call = call
            .set_condition_expression(put.condition_expression)
            .set_expression_attribute_values(put.expression_attribute_values);
        let call = call.set_expression_attribute_names(put.expression_attribute_names);
        let Err(error) = Box::pin(call.send()).await else {
            return Ok(());
        };
        match error.as_service_error() {
            Some(e) if e.is_conditional_check_failed_exception() => Err(Lost::Race),
            Some(e) if e.meta().message().is_some_and(|m| m.contains("size")) => Err(Lost::TooLarge),
            _ => Err(trouble(error).into()),
        }
    }

    pub(super) async fn update(&self, update: Update) -> Result<(), Lost> {
        let call = self.client.update_item().table_name(update.table_name).set_key(Some(update.key));
        let call =
            call.update_expression(update.update_expression).set_condition_expression(update.condition_expression);
        let call = call.set_expression_attribute_names(update.expression_attribute_names);
        let call = call.set_expression_attribute_values(update.expression_attribute_values);
        where_it_held(Box::pin(call.send()).await)?.map(drop).ok_or(Lost::Race)
    }
}

/// DynamoDB takes one action per item in a transaction; of two on one phone the first, which claims it, stays.
pub(super) fn one_per_item(steps: Vec<Step>) -> Vec<Step> {
    let mut seen = Vec::new();
    let key_of = |step: &TransactWriteItem| step.update().map(|u| u.key().clone());
    let first = |(_, step): &Step| match key_of(step) {
        Some(key) if seen.contains(&key) => false,
        key => {
            seen.extend(key);
            true
        }
    };
    steps
        .into_iter()
        .filter({
            let mut first = first;
            move |step| first(step)
        })
        .collect()
}

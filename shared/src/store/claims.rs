//! Which record has a key: claimed, released, handed over, each a step of a transaction.

use super::records::Holder;
use super::{Store, item, keys, keys::Pk, text, unbuilt};
use crate::{
    error::Result,
    record::{Key, Record},
};
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update, builders::UpdateBuilder};

impl Store {
    pub(super) fn hand_over(&self, from: &Record, to: &Record, key: &Key) -> Result<TransactWriteItem> {
        let at = keys::identity(&to.tenant, &to.object, key);
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item(&at, "key", &Holder { record: to.id.clone() })?))
            .condition_expression("#record = :from")
            .expression_attribute_names("#record", "record")
            .expression_attribute_values(":from", text(from.id.as_str()));
        Ok(TransactWriteItem::builder().put(put.build().map_err(unbuilt)?).build())
    }

    pub(super) fn claim(&self, record: &Record, key: &Key, must_be_unclaimed: bool) -> Result<TransactWriteItem> {
        let at = keys::identity(&record.tenant, &record.object, key);
        if key.is_unique() {
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(item(&at, "key", &Holder { record: record.id.clone() })?))
                .condition_expression("attribute_not_exists(pk) OR #record = :record")
                .expression_attribute_names("#record", "record")
                .expression_attribute_values(":record", text(record.id.as_str()));
            return Ok(TransactWriteItem::builder().put(put.build().map_err(unbuilt)?).build());
        }
        let update = self
            .lookup(&at, record, "ADD holders :record SET kind = :kind")
            .expression_attribute_values(":kind", text("key"));
        let update =
            if must_be_unclaimed { update.condition_expression("attribute_not_exists(holders)") } else { update };
        Ok(TransactWriteItem::builder().update(update.build().map_err(unbuilt)?).build())
    }

    pub(super) fn release(&self, record: &Record, key: &Key) -> Result<TransactWriteItem> {
        let at = keys::identity(&record.tenant, &record.object, key);
        if key.is_unique() {
            let delete = Delete::builder()
                .table_name(&self.table)
                .set_key(Some(at.attributes()))
                .condition_expression("#record = :record")
                .expression_attribute_names("#record", "record")
                .expression_attribute_values(":record", text(record.id.as_str()));
            return Ok(TransactWriteItem::builder().delete(delete.build().map_err(unbuilt)?).build());
        }
        let update = self.lookup(&at, record, "DELETE holders :record").build().map_err(unbuilt)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn lookup(&self, at: &Pk, record: &Record, change: &str) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .set_key(Some(at.attributes()))
            .update_expression(change)
            .expression_attribute_values(":record", AttributeValue::Ss(vec![record.id.to_string()]))
    }
}

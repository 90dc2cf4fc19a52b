//! What only its bearer knows, such as a link that may start a connect: stored by its digest, gone when it was used or is
//! too old.

use super::{Item, Store, attribute, keys, number, read, trouble};
use crate::{
    error::{Error, Result},
    id::hex,
    provider::Secret,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// What is kept of a ticket: enough to know it again, not enough to use it.
pub fn digest(ticket: &Secret) -> String {
    hex(&Sha256::digest(ticket.reveal()))
}

/// A fresh one, of 256 bits, fit for a URL, a form and a cookie.
pub fn fresh() -> Result<Secret> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| Error::retryable("the machine has no random numbers"))?;
    Ok(Secret::new(hex(&bytes)))
}

impl Store {
    /// Keeps what a ticket stands for.
    pub async fn issue<T: Serialize>(&self, digest: &str, of: &T, now: Timestamp, lives: SignedDuration) -> Result<()> {
        let mut item: Item = keys::ticket(digest).attributes();
        let dies = now + lives;
        item.extend([
            ("kind".to_owned(), attribute(&"ticket")?),
            ("of".to_owned(), attribute(of)?),
            ("dies".to_owned(), number(dies.as_second())),
            // DynamoDB forgets it some time after that; whether it is still good is not left to that.
            ("ttl".to_owned(), number(dies.as_second())),
        ]);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(drop).map_err(trouble)
    }

    /// What a ticket stands for, while it is good.
    pub async fn ticket<T: DeserializeOwned>(&self, digest: &str, now: Timestamp) -> Result<Option<T>> {
        let found: Option<Ticket<T>> = self.get(&keys::ticket(digest)).await?;
        Ok(found.filter(|ticket| ticket.dies > now.as_second()).map(|ticket| ticket.of))
    }

    /// As [`Store::ticket`], and the ticket is used: of two who come with it, the second has nothing.
    pub async fn take_ticket<T: DeserializeOwned>(&self, digest: &str, now: Timestamp) -> Result<Option<T>> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(keys::ticket(digest).attributes()));
        let delete = delete.return_values(aws_sdk_dynamodb::types::ReturnValue::AllOld);
        let before = delete.send().await.map_err(trouble)?.attributes;
        let ticket = before.map(read::<Ticket<T>>).transpose()?;
        Ok(ticket.filter(|ticket| ticket.dies > now.as_second()).map(|ticket| ticket.of))
    }
}

#[derive(serde::Deserialize)]
struct Ticket<T> {
    of: T,
    dies: i64,
}

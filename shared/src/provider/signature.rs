//! Bytes that arrived at our door, and the proof that they came from the CRM.

use http::{HeaderMap, Method};
use subtle::ConstantTimeEq;

/// A delivery, not yet trusted.
pub struct Delivery {
    pub method: Method,
    /// The full URL as the CRM called it, built from what the gateway set, never from a client's header.
    pub url: String,
    pub headers: HeaderMap,
    /// The raw body, byte for byte.
    pub body: Vec<u8>,
}

/// A delivery whose proof was checked. Only this can be read for hints.
pub struct Verified<'d>(&'d Delivery);

/// Which proofs are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schemes {
    /// Only those that cover a timestamp, where the CRM has one.
    Timestamped,
    /// Also older ones that can be replayed; a connection must ask for it.
    Legacy,
}

/// Why a delivery is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    #[error("no signature")]
    Missing,
    #[error("the signature does not match")]
    Mismatch,
    #[error("signed too long ago, or in the future")]
    Stale,
}

/// What a CRM must be answered to believe that a delivery was taken.
#[derive(Clone, Copy, Debug)]
pub struct Ack {
    pub content_type: &'static str,
    pub body: &'static str,
}

impl Verified<'_> {
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }
}

impl Delivery {
    /// A header's value, where it is sent exactly once.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        values.next().is_none().then(|| value.as_bytes())
    }
}

/// The only way to a [`Verified`]: what was sent equals one of the proofs that the secrets in force make.
///
/// All of them are compared, each in constant time.
pub fn proved<'d>(delivery: &'d Delivery, sent: &[u8], expected: &[Vec<u8>]) -> Result<Verified<'d>, Forged> {
    let matches = expected.iter().fold(subtle::Choice::from(0), |any, proof| any | proof.as_slice().ct_eq(sent));
    if bool::from(matches) { Ok(Verified(delivery)) } else { Err(Forged::Mismatch) }
}

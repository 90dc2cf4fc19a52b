//! The control API keeps to its own document, whatever it is sent: Schemathesis reads that and makes calls of every kind.

use crate::{
    control::Desk,
    engine::ada,
    world::{TENANT, World},
};
use serde_json::{Value as Json, json};
use shared::provider::Crm;
use std::{path::PathBuf, process::Stdio};

/// What holds of every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,negative_data_rejection";
/// What says that a call is refused: also that it is for another version.
const REFUSALS: &str =
    "[checks.negative_data_rejection]\nexpected-statuses = [400, 401, 403, 404, 405, 409, 412, 422, 428]\n";
/// They end what the others are about.
const ENDS: [&str; 2] = ["disconnect", "seeTenantOff"];

/// Where `cargo dev` puts it.
fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../dev/contract-venv/bin/schemathesis")
}

/// The document, in which the places of paths say what there is to name, and what there is not.
async fn document(desk: &Desk<'_>) -> Json {
    let mut document = desk.get("/v1/openapi.json").await;
    let first = async |list: &str| desk.get(list).await["items"][0]["id"].clone();
    let (record, exception) = (first("/records").await, first("/exceptions").await);
    assert!(record.is_string() && exception.is_string(), "{record} {exception}");
    let import = desk.post("/imports", json!({"format": "csv", "bytes": 8})).await["id"].clone();
    let export = desk.post("/exports", json!({"format": "csv"})).await["id"].clone();
    let operations = document["paths"].as_object_mut().unwrap().values_mut();
    for operation in operations.flat_map(|path| path.as_object_mut().unwrap().values_mut()) {
        let parameters = operation["parameters"].as_array_mut().unwrap().iter_mut();
        for place in parameters.filter(|one| one["in"] == "path") {
            place["schema"]["enum"] = match place["name"].as_str().unwrap() {
                "tenant" => json!([TENANT]),
                "connection" => json!([Crm::HubSpot.name(), "none"]),
                "record" => json!([record, "none"]),
                "exception" => json!([exception, "none"]),
                "object" => json!(["person", "company"]),
                "import" => json!([import, "none"]),
                "export" => json!([export, "none"]),
                other => panic!("what is a {other}?"),
            };
        }
    }
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_to_its_document() {
    let program = program();
    assert!(program.exists(), "{} is not there: run `cargo dev test`, which installs it", program.display());
    let world = World::of(&[Crm::HubSpot]).await;
    world.settle().await;
    let mut unknown = ada("r2");
    unknown["connection_id"] = json!("none");
    world.send(&[ada("r1"), unknown]).await;
    world.settle().await;
    let root = Desk::of(&world, "root");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("contract");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("control-api.json");
    std::fs::write(&file, document(&root).await.to_string()).unwrap();
    std::fs::write(folder.join("schemathesis.toml"), REFUSALS).unwrap();
    let mut schemathesis = std::process::Command::new(program);
    schemathesis
        .arg("run")
        .arg(&file)
        .args(["--url", world.app.settings.public_url.as_ref().unwrap(), "--checks", CHECKS])
        .args(["--phases", "coverage,fuzzing", "--max-examples", "2", "--seed", "1", "--workers", "1", "--no-color"])
        .args(["--header", &format!("Authorization: Bearer {}", root.token.as_ref().unwrap())])
        .args(ENDS.iter().flat_map(|name| ["--exclude-operation-id", *name]))
        .current_dir(&folder)
        .stdin(Stdio::null());
    let done = tokio::task::spawn_blocking(move || schemathesis.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    std::fs::write(folder.join("said.txt"), &said).unwrap();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
}

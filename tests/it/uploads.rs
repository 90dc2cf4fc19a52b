//! Files in the dashboard: sent by a real browser, counted, written, saved.

use crate::{
    browser::Browser,
    imports::{HUBSPOT, a_world, records, work},
    stage::screens,
    visitor::Visitor,
};
use serde_json::json;

#[tokio::test]
async fn an_operator_imports_a_file_in_a_browser() {
    let world = a_world().await;
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("hubspot-crm-exports.csv");
    std::fs::write(&file, HUBSPOT).unwrap();
    let (origin, browser) = (world.app.settings.public_url.clone().unwrap(), Browser::open("uploads").await);
    browser.goto(&format!("{origin}/tenants/demo/files")).await;
    browser.click("#oscar").await;
    browser.click(".new summary").await;
    let chosen = browser.find("input[type=file]").await;
    browser.post(&format!("{chosen}/value"), &json!({"text": file})).await;
    browser.click(".new details summary").await;
    browser.write("textarea", "Lead Status =\nFavourite colour = colour").await;
    browser.pictures(&screens(), "files", 1100).await;
    browser.click(".new button.main").await;
    browser.find("form[action$='/cancel']").await;
    assert_eq!(browser.text("h1").await, "hubspot-crm-exports.csv");
    work(&world).await;
    assert_eq!(browser.text("form[action$='/start'] button").await, "Write it", "the page has looked again by itself");
    browser.pictures(&screens(), "import-counted", 1300).await;
    assert_eq!(
        browser.text(".summary").await.split_whitespace().collect::<Vec<_>>(),
        "5 rows 3 new 0 changed 0 the same 2 refused".split(' ').collect::<Vec<_>>()
    );
    assert!(records(&world).await.is_empty(), "nothing is written before that");
    browser.click("form[action$='/start'] button").await;
    assert!(browser.text(".notice").await.contains("It is being written"));
    work(&world).await;
    browser.find(".pill.good").await;
    browser.pictures(&screens(), "import-done", 1300).await;
    let written = records(&world).await;
    assert_eq!(written.len(), 2, "{written:?}");
    let colours: Vec<String> = written.iter().filter_map(|one| Some(one.fields.get("colour")?.to_string())).collect();
    assert!(colours.contains(&"green".to_owned()), "{colours:?}");
    browser.end().await;
}

#[tokio::test]
async fn what_was_imported_and_exported_is_saved_from_the_bucket() {
    let world = a_world().await;
    let mut admin = Visitor::at_home(&world, "ada").await;
    admin.open("/tenants/demo/files").await.shows(&["Nothing was imported yet", "Export"]);
    let refused = admin.press("Send it, and count", &[("format", "csv")]).await;
    assert_eq!(refused.status, 422, "a form that says no size");
    admin.open("/tenants/demo/files").await;
    let to = admin.press("Send it, and count", &[("format", "csv"), ("bytes", "4"), ("name", "a.csv")]).await;
    let policy = &admin.open("/tenants/demo/files").await.policy;
    let bucket = to.text.split("data-put=\"").nth(1).unwrap().split("/files-").next().unwrap();
    assert!(policy.contains(&format!("connect-src 'self' {bucket};")), "{policy}: {bucket}");
    admin.page.shows(&["a.csv", "waits for its file"]);
    admin.press(">Export<", &[("object", "person"), ("format", "csv")]).await.shows(&["It can be saved here"]);
    work(&world).await;
    let page = admin.open("/tenants/demo/files").await;
    let link = page.text.split("href=\"").find(|part| part.contains("/file\"")).unwrap().split('"').next().unwrap();
    let sent = admin.get(link).await;
    assert_eq!(sent.status, 303);
    let saved = reqwest::get(sent.to.unwrap()).await.unwrap();
    assert!(saved.headers()["content-disposition"].to_str().unwrap().contains("person-"), "{saved:?}");
    let mut vera = Visitor::at_home(&world, "vera").await;
    assert!(!vera.open("/tenants/demo/files").await.text.contains("Send it, and count"), "that takes an operator");
    assert_eq!(vera.get(link).await.status, 403, "and that an admin");
}

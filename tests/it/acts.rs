//! What an admin does in a real browser, act by act, each seen in the CRM and in the history: in a world of the tests, and on the stack that
//! `cargo dev demo --browser` has up.

use crate::{
    audit::the_history_is_the_difference,
    browser::Browser,
    stage::{Stage, screens},
    world::World,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use shared::{
    cause::By,
    history::Entry,
    provider::Crm,
    record::{Record, Value},
};
use std::path::PathBuf;

#[tokio::test]
async fn an_admin_does_it_all_in_a_browser() {
    let world = World::of(&[Crm::HubSpot, Crm::Zoho]).await;
    world.settle().await;
    plays(&Stage::of(&world), 40).await;
}

#[tokio::test]
#[ignore = "`cargo dev demo --browser` plays it on its stack"]
async fn an_admin_does_it_all_on_the_stack() {
    #[expect(clippy::disallowed_methods, reason = "whoever has the stack up says where it is")]
    let file = std::env::var("STACK").expect("STACK names the stack's file: run `cargo dev demo --browser`");
    plays(&Stage::of_stack(&PathBuf::from(file)), 500).await;
}

/// Whose mailboxes are all in one domain, so that whoever else there is stays out of it.
const THEIRS: &str = "@acts.example.com";
/// An account of HubSpot's beside the one that is connected, and what its connection is called.
const SECOND: &str = "778";
const CONNECTION: &str = "demo-hubspot";

struct Play<'s> {
    stage: &'s Stage<'s>,
    browser: Browser,
}

async fn plays(stage: &Stage<'_>, crowd: usize) {
    let play = Play { stage, browser: Browser::open("acts").await };
    play.logs_in().await;
    let failed = play.a_request_fails().await;
    play.connects().await;
    play.maps_a_custom_field().await;
    play.tries_again(&failed).await;
    play.settles_a_conflict().await;
    play.undoes_a_bad_run(crowd).await;
    play.forgets_a_person(&failed).await;
    let changes = the_history_is_the_difference(&stage.app).await;
    println!("{changes} changes add up to the records");
    let loaded = play.browser.loaded_by(&stage.origin).await;
    assert!(loaded.iter().all(|url| url.contains(&stage.origin)), "{loaded:?}");
    play.browser.end().await;
}

#[expect(clippy::disallowed_methods, reason = "on a stack the time is what it is")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn lead(id: &str, run: &str, fields: Json) -> Json {
    let mut lead = json!({"email": format!("{id}{THEIRS}"), "last_name": id});
    lead.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({
        "version": 1, "id": format!("acts-{run}-{id}"), "tenant_id": "demo", "object": "lead", "direction": "send", "source": "workflow",
        "occurred_at": now(), "lead": lead, "workflow": {"id": "acts", "run_id": run, "step_id": "1"},
    })
}

impl Play<'_> {
    fn at(&self, path: &str) -> String {
        format!("{}/tenants/demo{path}", self.stage.origin)
    }

    async fn goto(&self, path: &str) {
        self.browser.goto(&self.at(path)).await;
    }

    async fn picture(&self, name: &str) {
        self.browser.pictures(&screens(), &format!("act-{name}"), 900).await;
    }

    /// Who changed a record by this.
    async fn changes(&self, record: &Record, by: impl Fn(&By) -> bool) -> usize {
        let history = self.stage.app.history.of(&record.tenant, &record.id).await.unwrap();
        let is = |entry: &&Entry| matches!(entry, Entry::Change { cause, .. } if by(&cause.by));
        history.iter().filter(is).count()
    }

    async fn logs_in(&self) {
        self.goto("").await;
        self.browser.click("#ada").await;
        self.browser.find(".cards").await;
    }

    /// For a connection that nobody has made yet; the request's mailbox.
    async fn a_request_fails(&self) -> String {
        let mut asked = lead("olive", "early", json!({"favourite_colour": "green", "first_name": "Olive"}));
        asked["connection_id"] = json!(CONNECTION);
        self.stage.send(&[asked]).await;
        let waits = async || {
            let all = self.stage.app.store.exceptions(&"demo".parse().unwrap()).await.unwrap();
            all.iter().any(|one| one.steps.iter().any(|step| step.request.as_str() == "acts-early-olive"))
        };
        self.stage.until("the request is kept as an exception", waits).await;
        format!("olive{THEIRS}")
    }

    async fn connects(&self) {
        let (id, secret) = &self.stage.hubspot;
        let account = json!({"crm": "hubspot", "account_id": SECOND, "client_id": id, "client_secret": secret});
        self.stage.sim("accounts", &account).await;
        self.goto("").await;
        self.browser.click(".offers li:first-child summary").await;
        self.picture("connect").await;
        self.browser.click(".offers details[open] button").await;
        self.browser.click("#connect").await;
        self.browser.click("#go").await;
        self.browser.find("#approve").await;
        // A vendor's page is on another site than ours, which decides about the cookies of the way back.
        let consent = self.browser.get("url").await.as_str().unwrap().replacen("127.0.0.1", "localhost", 1);
        self.browser.goto(&consent).await;
        self.browser.click(&format!("input[value='{SECOND}']")).await;
        self.browser.click("#approve").await;
        let said = self.browser.text("main:not(:has(form))").await;
        assert!(said.contains(&format!("The connection is called {CONNECTION}.")), "{said}");
    }

    async fn maps_a_custom_field(&self) {
        let rules = format!("/connections/{CONNECTION}/mappings/person");
        self.goto(&rules).await;
        let row = self.browser.count("table.rules tbody tr").await - 3;
        self.browser.write(&format!("[name='hub.{row}']"), "favourite_colour").await;
        self.browser.write(&format!("[name='remote.{row}']"), "favourite_colour").await;
        self.browser.click("button[value=try]").await;
        self.browser.find("#tried").await;
        self.picture("mapping").await;
        self.browser.click("button[value=give]").await;
        self.browser.find("table.rules").await;
        self.goto("").await;
        let joined = async || self.stands().await.contains("demo-hubspot");
        self.stage.until("the connection is shown", joined).await;
        let approve = format!("form[action$='/{CONNECTION}/resume'] button");
        self.picture("approve").await;
        self.browser.click(&approve).await;
        assert!(self.browser.text(".notice").await.contains("It goes on"));
    }

    async fn stands(&self) -> String {
        self.goto("").await;
        self.browser.text("main").await
    }

    async fn tries_again(&self, mailbox: &str) {
        self.goto("/exceptions?code=unknown_connection").await;
        self.picture("failed").await;
        self.browser.click("form[action$='/retry'] button").await;
        assert!(self.browser.text(".notice").await.contains("once more"));
        let arrived = async || {
            let shown = self.stage.contacts(Some(SECOND), mailbox).await;
            shown.len() == 1 && shown[0].1["favourite_colour"] == "green"
        };
        self.stage.until("the lead is in the new account, with its colour", arrived).await;
        let told =
            async || self.changes(&self.stage.record(mailbox).await, |by| matches!(by, By::Push { .. })).await > 0;
        self.stage.until("the history tells of it", told).await;
    }

    async fn settles_a_conflict(&self) {
        let (stage, mailbox) = (self.stage, format!("ivy{THEIRS}"));
        stage.ask_a_person("hubspot").await;
        stage.send(&[lead("ivy", "first", json!({"last_call": "before"}))]).await;
        let there = async || stage.contacts(None, &mailbox).await.len() == 1;
        stage.until("she is in HubSpot", there).await;
        // Until HubSpot's clock has moved on, its state could be that of our own write.
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let (id, _) = stage.contacts(None, &mailbox).await.remove(0);
        stage.sim("hubspot/contacts", &json!({"id": id, "fields": {"last_call": "theirs"}, "silent": true})).await;
        stage.send(&[lead("ivy", "second", json!({"last_call": "ours"}))]).await;
        let asked = async || {
            self.goto("/conflicts").await;
            self.browser.text("main").await.contains("theirs")
        };
        stage.until("a person is asked", asked).await;
        self.picture("conflict").await;
        self.browser.click(".theirs button").await;
        assert!(self.browser.text(".notice").await.contains("It is decided"));
        let ended = async || stage.record(&mailbox).await.fields.get("last_call") == Value::text("theirs").as_ref();
        stage.until("theirs counts", ended).await;
        let told =
            async || self.changes(&stage.record(&mailbox).await, |by| matches!(by, By::Person { .. })).await == 1;
        stage.until("the history names a person", told).await;
    }

    async fn undoes_a_bad_run(&self, crowd: usize) {
        let stage = self.stage;
        let number = |ends: &'static str| async move {
            let shown = stage.contacts(None, THEIRS).await;
            let of = |one: &&(String, Json)| one.1["phone"].as_str().is_some_and(|phone| phone.ends_with(ends));
            shown.iter().filter(of).count()
        };
        let say = |run: &str, phone: &str| -> Vec<Json> {
            (0..crowd).map(|n| lead(&format!("p{n}"), run, json!({"phone": phone}))).collect()
        };
        stage.send(&say("good", "+14155550111")).await;
        stage.until("all of them are in HubSpot", async || number("0111").await == crowd).await;
        stage.send(&say("bad", "+14155550999")).await;
        stage.until("all of them have the wrong number", async || number("0999").await == crowd).await;
        self.goto("/undo").await;
        // The functions of a world have a clock of their own; the run tells these changes from others.
        self.browser.write("[name=since]", &(now() - SignedDuration::from_hours(24 * 30)).to_string()).await;
        self.browser.write("[name=run]", "bad").await;
        self.browser.click("form[method=get] button").await;
        assert!(self.browser.text("main").await.contains(&format!("{crowd} values of {crowd} records")));
        self.picture("undo").await;
        self.browser.click("button.danger").await;
        let said = self.browser.text(".notice").await;
        assert!(said.contains("It is being taken back"), "{said}");
        stage.until("all of them have their own number again", async || number("0111").await == crowd).await;
        let told = async || self.changes(&stage.record(&format!("p1{THEIRS}")).await, |by| *by == By::Undo).await == 1;
        stage.until("the history tells of it", told).await;
    }

    async fn forgets_a_person(&self, mailbox: &str) {
        let stage = self.stage;
        let record = stage.record(mailbox).await;
        self.goto(&format!("/records/{}/erase", record.id)).await;
        self.picture("forget").await;
        self.browser.click("[name=in_crms]").await;
        self.browser.click("button.danger").await;
        assert!(self.browser.text(".notice").await.contains("forgotten"));
        let proved = async || {
            self.goto(&format!("/records/{}/erase", record.id)).await;
            self.browser.text("main").await.contains("nothing is left, here or in a CRM")
        };
        stage.until("nothing is left, as the page reads back", proved).await;
        self.picture("forgotten").await;
        for account in [None, Some(SECOND)] {
            assert!(stage.contacts(account, mailbox).await.is_empty());
        }
        assert!(stage.record(mailbox).await.erased.is_some());
        assert_eq!(self.changes(&record, |by| *by == By::Erasure).await, 1);
    }
}

//! Rules against the accounts' own fields: those that come with the system fit, and what is spelt another way comes back.

use crate::{
    engine::{ada, codes, hub},
    story::request,
    world::{World, connection, tenant},
};
use serde_json::{Value as Json, json};
use shared::{
    connection::Connection,
    mapping::{Mapping, Rule},
    planner::{Apart, Strategy},
    provider::Crm,
    record::{Object, Record, Value},
    remap::Rules,
    store::Commit,
};

/// The mappings that come with the operator.
fn standards(crm: Crm) -> Vec<(String, Object, Rules)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/operator/mappings");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut read: Vec<_> = files
        .map(|path| {
            let file: Json = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let of: Object = file["of"].as_str().unwrap().parse().unwrap();
            (name, of, Rules::parse(&file["mapping"].to_string()).unwrap(), file["crm"] == crm.name())
        })
        .filter(|(.., is_for)| *is_for)
        .map(|(name, of, rules, _)| (name, of, rules))
        .collect();
    read.sort_by(|a, b| a.0.cmp(&b.0));
    read
}

/// What is wrong with these rules for a connection, which has them from now on if nothing is.
pub(crate) async fn tried(world: &World, crm: Crm, object: &Object, rules: Rules) -> Vec<String> {
    // No CRM likes to be asked for everything at once.
    world.wait(jiff::SignedDuration::from_secs(15)).await;
    let origin = world.app.settings.public_url.clone().unwrap();
    let done = world.app.remap(&world.cx("remap"), &world.stored(crm).await, object, rules, &origin).await.unwrap();
    done.err().map(|unfit| unfit.0).unwrap_or_default()
}

pub(crate) async fn remap(world: &World, crm: Crm, object: &Object, rules: Rules) {
    assert_eq!(tried(world, crm, object, rules).await, Vec::<String>::new(), "{crm}");
}

pub(crate) async fn activate(world: &World, crm: Crm) {
    world.settle().await;
    world.app.activate(&world.cx("approve"), &tenant(), &connection(crm)).await.unwrap();
    world.settle().await;
}

pub(crate) fn rules_of(mapping: &Mapping) -> Rules {
    let Mapping { object, id_field, include, rules, .. } = mapping.clone();
    Rules { object, id_field, include, rules }
}

/// What a connection starts with may be given to it again, and so may what comes with the operator.
#[tokio::test]
async fn the_rules_that_come_with_us_fit_the_accounts() {
    for crm in Crm::ALL {
        let objects: Vec<Object> = Object::known().filter(|object| crm.default_mapping(object).is_some()).collect();
        let world = World::of_objects(&[crm], &objects).await;
        world.settle().await;
        for object in &objects {
            let rules = rules_of(world.stored(crm).await.mapping(object).unwrap());
            remap(&world, crm, object, rules).await;
        }
        for (name, object, rules) in standards(crm) {
            let all = rules.rules.len();
            let (rules, lacking) =
                world.app.spared(&world.cx("spared"), &world.stored(crm).await, rules).await.unwrap();
            assert!(rules.rules.len() >= 3, "{name}: {lacking:?}");
            assert_eq!(rules.rules.len() + lacking.len(), all);
            remap(&world, crm, &object, rules).await;
        }
    }
}

/// A number goes into a field of texts, and an edit of the text is a number again.
#[tokio::test]
async fn a_number_that_is_spelt_as_a_text_comes_back() {
    let crms = [Crm::Salesforce, Crm::Zoho];
    let world = World::of(&crms).await;
    world.settle().await;
    for crm in crms {
        let mut rules = rules_of(world.stored(crm).await.mapping(&Object::Person).unwrap());
        let rule = |form: Json| json!({"hub": "duration", "remote": "Description", "as": form});
        rules.rules.push(serde_json::from_value(rule(Json::Null)).unwrap());
        let wrong = tried(&world, crm, &Object::Person, rules.clone()).await;
        assert!(
            wrong[0].ends_with("Description takes a text, and is sent a number; say \"as\": \"text\""),
            "{wrong:?}"
        );
        *rules.rules.last_mut().unwrap() = serde_json::from_value(rule(json!("text"))).unwrap();
        remap(&world, crm, &Object::Person, rules).await;
        activate(&world, crm).await;
    }
    world
        .send(&[request(
            "r1",
            json!({"id": "lead-7", "email": "ada@example.com", "last_name": "Byron", "duration": 184}),
        )])
        .await;
    world.settle().await;
    let shown = async |route: &str, shown_in: &str| {
        let all = world.shown(route).await;
        (all[0]["id"].clone(), all[0][shown_in]["Description"].clone())
    };
    let (in_salesforce, in_zoho) =
        (async || shown("salesforce/lead", "fields").await, async || shown("zoho/leads", "fields").await);
    assert_eq!((in_salesforce().await.1, in_zoho().await.1), (json!("184"), json!("184")));
    let id = in_zoho().await.0;
    world.sim("zoho/leads", &json!({"id": id, "fields": {"Description": "200"}})).await;
    world.settle().await;
    assert_eq!(in_salesforce().await.1, json!("200"));
    assert_eq!(hub(&world, "ada@example.com").await.fields.get("duration"), Some(&Value::number(200.into())));
    world.sim("zoho/leads", &json!({"id": id, "fields": {"Description": "long"}})).await;
    world.settle().await;
    assert_eq!(in_salesforce().await.1, json!("200"), "no number");
    assert_eq!(codes(&world).await.len(), 1, "a person is told");
}

/// A request names fields as its sender does; rules and records of old are renamed, and nobody is written to for it.
#[tokio::test]
async fn fields_of_other_names_get_the_hubs_own() {
    let world = World::new().await;
    world.settle().await;
    let lead = json!({"id": "lead-7", "Email": "ada@example.com", "firstName": "Ada", "lastname": "Byron", "organization": "Before"});
    let mut asked = request("r1", lead);
    asked["sync_fields"] = json!({"last_call": "{{firstName}} of {{organization}}"});
    world.send(&[asked]).await;
    world.settle().await;
    let record = hub(&world, "ada@example.com").await;
    let known: Vec<&str> = record.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(known, ["company", "email", "first_name", "id", "last_name"]);
    assert_eq!(world.shown("hubspot/contacts").await[0]["properties"]["last_call"], "Ada of Before");

    let before = world.stored(Crm::HubSpot).await;
    let legacy = |rule: &Rule| Rule { hub: rule.hub.replace("company", "organization"), ..rule.clone() };
    let mut old = before.clone();
    let mapping = old.mappings.get_mut(&Object::Person).unwrap();
    mapping.rules = mapping.rules.iter().map(legacy).collect();
    let apart = Apart { fields: [("organization".to_owned(), Strategy::CrmWins)].into(), ..Apart::default() };
    old.policy.apart.insert(Object::Person, apart);
    assert!(world.app.store.update_connection(&before, &old).await.unwrap());
    let mut fields = record.fields.clone();
    assert!(fields.rename("company", "organization"));
    let of_old = Record { fields, version: record.version + 1, ..record.clone() };
    let commit = Commit::of(Some(&record), &of_old);
    world.app.store.commit(&commit, &before.region, world.now()).await.map_err(|_| "lost").unwrap();
    world.settle().await;
    for crm in [Crm::HubSpot, Crm::Zoho] {
        world.calls(crm).await;
    }
    let renamed = world.app.rename(&world.cx("migrate"), &tenant()).await.unwrap();
    assert_eq!((renamed.connections, renamed.records, renamed.left), (vec![connection(Crm::HubSpot)], 1, 0));
    world.settle().await;
    let Connection { mappings, policy, .. } = world.stored(Crm::HubSpot).await;
    assert_eq!(mappings[&Object::Person].rules, before.mappings[&Object::Person].rules);
    assert_eq!(policy.apart[&Object::Person].fields, [("company".to_owned(), Strategy::CrmWins)].into());
    let fields = hub(&world, "ada@example.com").await.fields;
    assert_eq!((fields.get("company"), fields.get("organization")), (Value::text("Before").as_ref(), None));
    let written = async |crm: Crm| {
        world
            .calls(crm)
            .await
            .into_keys()
            .filter(|route| !route.contains("search") && !route.starts_with("GET"))
            .collect::<Vec<_>>()
    };
    assert!(written(Crm::HubSpot).await.is_empty() && written(Crm::Zoho).await.is_empty());
    let again = world.app.rename(&world.cx("migrate"), &tenant()).await.unwrap();
    assert_eq!((again.connections.len(), again.records), (0, 0));
    assert!(codes(&world).await.is_empty());
    world.send(&[ada("r2")]).await;
    world.settle().await;
}

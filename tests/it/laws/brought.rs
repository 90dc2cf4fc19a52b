//! Connections that no browser made: by a token, by a client's secret, by a key.

use super::peer;
use crate::{
    connect::a_world,
    engine::{ada, codes},
    world::{World, connection, tenant},
};
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value as Json, json};
use shared::{
    brought::Brought,
    connecting::{Finished, Invitation, Turned},
    connection::State,
    error::{Error, Result},
    provider::{By, Crm, Need, Secret},
    record::Region,
};

crate::laws::laws_of! {
    a_connection_made_without_a_browser_works_like_any_other
    what_the_crm_refuses_connects_nothing
    a_credential_that_died_is_told_and_another_one_goes_on
    a_key_goes_to_no_other_host
}

/// Every way of a CRM, each in a world of its own.
pub(crate) async fn in_every_way(crm: Crm, law: impl AsyncFn(World, Crm, By)) {
    for way in crm.capabilities().ways {
        law(a_world(crm).await, crm, way.by).await;
    }
}

/// What an admin copies; the account is told of it.
pub(crate) async fn copied(world: &World, crm: Crm, by: By) -> Brought {
    let way = shared::brought::way(crm, by).unwrap();
    let needs = |need: Need| way.needs.contains(&need);
    let account = account(world, crm).await;
    let mut told = json!({"crm": crm.name(), "account_id": account["account_id"]});
    let secret = match by {
        By::Token => {
            told["private_app_token"] = json!(format!("token-of-{crm}"));
            format!("token-of-{crm}")
        }
        By::ClientCredentials => format!("secret-of-the-{crm}-app"),
        By::JwtBearer => {
            let (private, public) = key();
            told["public_key"] = json!(public);
            private
        }
    };
    let signs = needs(Need::WebhookSecret);
    if signs {
        told["client_secret"] = json!("secret-of-the-accounts-own-app");
    }
    world.sim("accounts", &told).await;
    // An organisation's id where the account is named so, a user elsewhere.
    let subject = if by == By::JwtBearer { "integration@example.com" } else { account["account_id"].as_str().unwrap() };
    Brought {
        by,
        secret: Secret::new(secret),
        client_id: needs(Need::ClientId).then(|| format!("client-{crm}")),
        subject: needs(Need::Subject).then(|| subject.to_owned()),
        webhook_secret: signs.then(|| Secret::new("secret-of-the-accounts-own-app")),
    }
}

pub(crate) async fn account(world: &World, crm: Crm) -> Json {
    let accounts = world.shown("accounts").await;
    accounts.as_array().unwrap().iter().find(|one| one["crm"] == crm.name()).unwrap().clone()
}

fn key() -> (String, String) {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let pem = |label: &str, der: &[u8]| {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der))
    };
    (pem("PRIVATE KEY", private.as_ref()), pem("PUBLIC KEY", public.as_ref()))
}

pub(crate) async fn connects(
    world: &World,
    crm: Crm,
    brought: Brought,
) -> Result<std::result::Result<Finished, Turned>> {
    // One of the vendor's own, where the way needs it; here all of them lead to the simulator.
    let own = ["https://acme.my.salesforce.com", "https://accounts.zoho.eu"];
    let needed = shared::brought::way(crm, brought.by).is_ok_and(|way| way.needs.contains(&Need::LoginHost));
    let login_host = own.into_iter().find(|host| needed && crm.login_host(host).is_some()).map(str::to_owned);
    let invitation = invitation(crm, login_host);
    let origin = world.app.settings.public_url.clone().unwrap();
    world.app.connect_with(&world.cx("connect"), &invitation, brought, &origin).await
}

fn invitation(crm: Crm, login_host: Option<String>) -> Invitation {
    let region = Region::default();
    let objects = vec![shared::record::Object::Person];
    Invitation { tenant: tenant(), connection: connection(crm), crm, region, objects, pull_every: 300, login_host }
}

/// An admin does what they are asked to: so the CRM calls the URL that they were told.
async fn clicks(world: &World, crm: Crm, finished: &Finished) {
    let origin = world.app.settings.public_url.as_deref().unwrap();
    let to_do = finished.opened.to_do().join(" ");
    if let Some(url) = to_do.split(' ').find(|word| word.starts_with(origin)) {
        let url = url.trim_end_matches([',', '.']);
        let account = account(world, crm).await;
        let told = json!({"crm": crm.name(), "account_id": account["account_id"], "webhook_url": url});
        world.sim("accounts", &told).await;
    }
}

async fn another_token(world: &World, crm: Crm) {
    let account = account(world, crm).await;
    let told = json!({"crm": crm.name(), "account_id": account["account_id"], "private_app_token": "another"});
    world.sim("accounts", &told).await;
}

async fn state(world: &World, crm: Crm) -> Option<State> {
    let stored = world.app.store.connection(&tenant(), &connection(crm)).await.unwrap();
    stored.map(|stored| stored.state)
}

async fn a_connection_made_without_a_browser_works_like_any_other(crm: Crm) {
    in_every_way(crm, async |world, crm, by| {
        let brought = copied(&world, crm, by).await;
        world.type_in(crm, &[vec![("last_name", "Here"), ("email", "here@example.com")]]).await;
        let finished = connects(&world, crm, brought).await.unwrap().unwrap();
        assert_eq!(json!(finished.opened.connection.account), account(&world, crm).await["account_id"], "{by}");
        assert_eq!(state(&world, crm).await, Some(State::Joining), "{by}");
        clicks(&world, crm, &finished).await;
        world.settle().await;
        world.send(&[ada("r1")]).await;
        world.settle().await;
        assert_eq!(world.people(crm).await.len(), 1, "{by}: nothing is written before it is approved");
        world.account(peer(crm)).await;
        world.connect(peer(crm)).await;
        world.app.activate(&world.cx("approve"), &tenant(), &connection(crm)).await.unwrap();
        world.settle().await;
        let people = world.people(crm).await;
        assert_eq!((people.len(), people[0].name().as_str()), (2, "Ada Byron"), "{by}");
        // Tokens die, and are renewed where anything renews them.
        world.sim("faults", &json!({crm.name(): {"expire_tokens": true}})).await;
        world.sim("faults", &json!({})).await;
        // The CRM tells of an edit by itself: nothing is pulled meanwhile.
        world.edit(crm, &people[0].id, &[("phone", "+14155550177")]).await;
        world.settle().await;
        assert_eq!(world.people(peer(crm)).await[0].get("phone"), "+14155550177", "{by}");
        assert_eq!(state(&world, crm).await, Some(State::Active), "{by}");
    })
    .await;
}

async fn what_the_crm_refuses_connects_nothing(crm: Crm) {
    in_every_way(crm, async |world, crm, by| {
        let mut brought = copied(&world, crm, by).await;
        brought.secret = Secret::new(if by == By::JwtBearer { key().0 } else { "wrong".to_owned() });
        let refused = connects(&world, crm, brought).await;
        assert!(matches!(refused, Err(Error::AuthExpired { .. } | Error::Config { .. })), "{by}: {}", refused.is_ok());
        assert_eq!(state(&world, crm).await, None, "{by}");
        assert!(world.app.secrets.current_grant(&tenant(), &connection(crm)).await.is_err(), "{by}: it is not kept");
    })
    .await;
}

async fn a_credential_that_died_is_told_and_another_one_goes_on(crm: Crm) {
    in_every_way(crm, async |world, crm, by| {
        let brought = copied(&world, crm, by).await;
        connects(&world, crm, brought).await.unwrap().unwrap();
        world.app.activate(&world.cx("approve"), &tenant(), &connection(crm)).await.unwrap();
        world.settle().await;
        match by {
            // Whoever has it may make another one, which ends it.
            By::Token => another_token(&world, crm).await,
            By::ClientCredentials | By::JwtBearer => {
                drop(world.sim("faults", &json!({crm.name(): {"revoke_grant": true}})).await);
            }
        }
        world.send(&[ada("r1")]).await;
        world.settle().await;
        assert!(matches!(state(&world, crm).await, Some(State::NeedsReauth { .. })), "{by}");
        assert!(codes(&world).await.contains(&"needs_reauth".to_owned()), "{by}");
        world.sim("faults", &json!({})).await;
        let brought = copied(&world, crm, by).await;
        let finished = connects(&world, crm, brought).await.unwrap().unwrap();
        assert!(finished.again, "{by}");
        world.settle().await;
        assert_eq!(state(&world, crm).await, Some(State::Active), "{by}");
        assert_eq!(world.only(crm).await.name(), "Ada Byron", "{by}");
    })
    .await;
}

async fn a_key_goes_to_no_other_host(crm: Crm) {
    in_every_way(crm, async |world, crm, by| {
        let brought = copied(&world, crm, by).await;
        let origin = world.app.settings.public_url.clone().unwrap();
        let invitation = invitation(crm, Some("https://evil.example".to_owned()));
        world.calls(crm).await;
        let refused = world.app.connect_with(&world.cx("connect"), &invitation, brought, &origin).await;
        assert!(matches!(refused, Err(Error::Config { .. })), "{by}");
        assert!(world.calls(crm).await.is_empty(), "{by}");
    })
    .await;
    let world = a_world(crm).await;
    let invited = world.app.invite(&world.cx("i"), &invitation(crm, Some("https://evil.example".to_owned()))).await;
    assert_eq!(invited.unwrap().unwrap_err(), Turned::LoginHost, "nor is a person sent there");
}

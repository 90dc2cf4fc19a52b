//! What proves deliveries is another token within thirty days, and no delivery is refused for it.

use super::{
    peer, tenant_of,
    webhook::{genuine, send},
};
use crate::{
    engine::ada,
    world::{World, tenant},
};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use shared::{
    handler,
    provider::{Crm, Grant, OtherToken, Webhooks},
};

crate::laws::laws_of! {
    a_token_follows_another_and_no_delivery_is_refused
}

/// The first token of every world.
const FIRST: &str = "token-of-the-channel";

async fn grant(world: &World, crm: Crm) -> Grant {
    let this = world.stored(crm).await;
    world.app.secrets.current_grant(&tenant(), &this.id).await.unwrap().grant
}

fn token(grant: &Grant) -> String {
    grant.webhook_token.as_ref().map(|token| token.reveal().to_owned()).unwrap_or_default()
}

/// The schedule, when everything is due once more.
async fn an_hour_later(world: &World) {
    world.wait(SignedDuration::from_mins(59)).await;
    let tick = serde_json::from_value(json!({"tick": "tokens"})).unwrap();
    handler::token_refresh(&world.app, &world.cx("tick"), tick).await.unwrap();
}

/// A delivery of an edit, as the CRM makes it now. The edit arrives.
async fn delivered(world: &World, crm: Crm, phone: &str) -> Json {
    world.edit(crm, &world.only(crm).await.id, &[("phone", phone)]).await;
    world.settle().await;
    assert_eq!(world.only(peer(crm)).await.get("phone"), phone);
    genuine(world, crm).await
}

async fn a_token_follows_another_and_no_delivery_is_refused(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let first = delivered(&world, crm, "+14155550101").await;
    match crm.capabilities().webhooks {
        Webhooks::PerApp => a_vendors_secret_stays(&world, crm).await,
        Webhooks::PerConnection { lives: None } => a_person_has_a_week(&world, crm, &first).await,
        Webhooks::PerConnection { lives: Some(_) } => by_itself(&world, crm, &first).await,
    }
}

async fn a_vendors_secret_stays(world: &World, crm: Crm) {
    let before = grant(world, crm).await;
    an_hour_later(world).await;
    let origin = world.app.settings.public_url.as_deref().unwrap();
    assert!(world.app.replace_token(&world.cx("rotate"), &world.stored(crm).await, origin).await.is_err());
    assert_eq!(token(&grant(world, crm).await), token(&before));
    world.app.secrets.put_app(crm, &format!("client-{crm}"), "told before it is in force", world.now()).await.unwrap();
    delivered(world, crm, "+14155550105").await;
}

async fn a_person_has_a_week(world: &World, crm: Crm, first: &Json) {
    an_hour_later(world).await;
    assert_eq!(token(&grant(world, crm).await), FIRST, "nobody but a person can tell the CRM");
    let origin = world.app.settings.public_url.as_deref().unwrap();
    let clicks = world.app.replace_token(&world.cx("rotate"), &world.stored(crm).await, origin).await.unwrap();
    let next = token(&grant(world, crm).await);
    assert!(next != FIRST && clicks.unwrap().reveal().contains(&next), "it is said where the new one goes");
    let again = world.app.replace_token(&world.cx("rotate"), &world.stored(crm).await, origin).await.unwrap();
    assert!(
        again.unwrap().reveal().contains(&next),
        "whoever asks again is told the same: the first is good as was said"
    );
    let mut entered = first.clone();
    entered["url"] = first["url"].as_str().unwrap().replace(FIRST, &next).into();
    assert_eq!((send(first).await, send(&entered).await), (200, 200));
    world.wait(SignedDuration::from_hours(7 * 24 + 1)).await;
    assert_eq!((send(first).await, send(&entered).await), (401, 200));
}

async fn by_itself(world: &World, crm: Crm, first: &Json) {
    an_hour_later(world).await;
    let begun = grant(world, crm).await;
    assert!(
        token(&begun) == FIRST && matches!(begun.other_token, Some(OtherToken::Next { .. })),
        "good before it is told"
    );
    delivered(world, crm, "+14155550102").await;

    an_hour_later(world).await;
    let told = grant(world, crm).await;
    assert!(token(&told) != FIRST && matches!(told.other_token, Some(OtherToken::Before { .. })));
    assert_eq!(told.refresh_token, begun.refresh_token);
    let second = delivered(world, crm, "+14155550103").await;
    assert_eq!((send(first).await, send(&second).await), (200, 200), "what is under way is believed");

    world.wait(SignedDuration::from_hours(25)).await;
    assert_eq!((send(first).await, send(&second).await), (401, 200), "only the new one is good");
    an_hour_later(world).await;
    an_hour_later(world).await;
    assert_eq!(token(&grant(world, crm).await), token(&told), "it is young");
    world.wait(SignedDuration::from_hours(28 * 24)).await;
    an_hour_later(world).await;
    an_hour_later(world).await;
    assert_ne!(token(&grant(world, crm).await), token(&told), "and thirty days old at the most");
    delivered(world, crm, "+14155550104").await;
}

//! What proves the deliveries of a connection is a token of ours, and within thirty days it is another one.
//!
//! Functions know credentials for minutes, and deliveries are sent again. So a new token is good before the CRM is told of it, and the
//! one before for a day after that: nobody's delivery is refused. It is told when the subscription is renewed, and kept as any grant is.

use crate::{
    app::App,
    connection::Connection,
    context::Context,
    error::{Error, Result},
    provider::{Grant, OtherToken, Secret, Webhooks},
    store::tickets::fresh,
};
use jiff::{SignedDuration, Timestamp};

/// A token of this age is followed by another one, which takes up to a day.
pub const OLD: SignedDuration = SignedDuration::from_hours(29 * 24);
/// By then every function knows of a new one: it keeps credentials for five minutes.
const KNOWN: SignedDuration = SignedDuration::from_mins(10);
/// A CRM sends again what we did not take: Pipedrive for three minutes, Salesforce for a day.
const STAYS: SignedDuration = SignedDuration::from_hours(24);
/// How long a person has to put a new one in the place of the old one, where the CRM has no API for it.
const BY_HAND: SignedDuration = SignedDuration::from_hours(7 * 24);
/// As long as a refresh may take.
const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// A token. Zoho takes 50 characters of it at most.
pub(crate) fn fresh_token() -> Result<Secret> {
    Ok(Secret::new(fresh()?.reveal().get(..48).unwrap_or_default()))
}

/// The token that the CRM is to be told of now.
pub(crate) fn following(grant: &Grant, now: Timestamp) -> Option<Secret> {
    match &grant.other_token {
        Some(OtherToken::Next { token, since }) if *since + KNOWN <= now => Some(token.clone()),
        _ => None,
    }
}

/// With the next token in the place of the first, which the CRM knows.
pub(crate) fn followed(grant: &Grant, now: Timestamp) -> Grant {
    match &grant.other_token {
        Some(OtherToken::Next { token, .. }) => replaced(grant, token.clone(), now, STAYS),
        _ => grant.clone(),
    }
}

fn replaced(grant: &Grant, token: Secret, now: Timestamp, stays: SignedDuration) -> Grant {
    let before = grant.webhook_token.clone();
    let before = before.map(|token| OtherToken::Before { token, until: now + stays });
    Grant { webhook_token: Some(token), token_since: Some(now), other_token: before, ..grant.clone() }
}

/// Whether another one is to be made.
fn is_old(grant: &Grant, now: Timestamp) -> bool {
    grant.webhook_token.is_some() && !follows(grant, now) && grant.token_since.is_none_or(|since| since + OLD <= now)
}

/// Whether one token follows another just now: a third would shut out whoever still sends the first.
fn follows(grant: &Grant, now: Timestamp) -> bool {
    match &grant.other_token {
        Some(OtherToken::Next { .. }) => true,
        Some(OtherToken::Before { until, .. }) => *until > now,
        None => false,
    }
}

impl App {
    /// Makes another token where the present one is old and the CRM can be told.
    pub(crate) async fn age_token(&self, cx: &Context, connection: &Connection) -> Result<()> {
        let held = self.secrets.grant(&connection.tenant, &connection.id).await?;
        if !can_be_told(connection) || !is_old(&held.grant, cx.now()) {
            return Ok(());
        }
        // What is in memory may be what somebody else has just seen to.
        self.next_token(cx, connection, |grant| is_old(grant, cx.now())).await
    }

    /// Makes another token now, whatever the age of the present one, unless it follows one already: the CRM is told when its subscription is
    /// renewed next. Where it has no API for that, what a person must do within a week; until then both are good.
    pub async fn replace_token(&self, cx: &Context, connection: &Connection, origin: &str) -> Result<Option<Secret>> {
        if connection.crm.capabilities().webhooks == Webhooks::PerApp {
            return Err(Error::Config { reason: "its deliveries are proved by a secret of the vendor's".to_owned() });
        }
        if can_be_told(connection) {
            return self.next_token(cx, connection, |grant| !follows(grant, cx.now())).await.map(|()| None);
        }
        let token = fresh_token()?;
        let replaced = |grant: &Grant| match follows(grant, cx.now()) {
            true => grant.clone(),
            false => replaced(grant, token.clone(), cx.now(), BY_HAND),
        };
        self.regrant(cx, connection, replaced).await?;
        let held = self.secrets.grant(&connection.tenant, &connection.id).await?;
        Ok(crate::provision::webhook_clicks(connection, &held.grant, origin))
    }

    async fn next_token(&self, cx: &Context, connection: &Connection, due: impl Fn(&Grant) -> bool) -> Result<()> {
        let next = Some(OtherToken::Next { token: fresh_token()?, since: cx.now() });
        let with = |grant: &Grant| match due(grant) {
            true => Grant { other_token: next.clone(), ..grant.clone() },
            false => grant.clone(),
        };
        self.regrant(cx, connection, with).await
    }

    /// Changes what is kept of a grant. Under the lease of a refresh: a version has one successor, and one that the CRM gave goes before.
    pub(crate) async fn regrant(
        &self,
        cx: &Context,
        connection: &Connection,
        change: impl Fn(&Grant) -> Grant,
    ) -> Result<()> {
        let Connection { tenant, id, .. } = connection;
        let busy = || Error::retryable("the connection's token is being refreshed");
        let lease = self.store.take_lease(tenant, id, LEASE, cx.now()).await?.ok_or_else(busy)?;
        let done = async {
            let mut current = self.secrets.current_grant(tenant, id).await?;
            // Whoever stored it died before it was the current one; nobody else is at work under the lease.
            if let Some(left) = self.secrets.left_behind(tenant, id, &current).await? {
                if !self.secrets.promote(tenant, id, &current, &left).await? {
                    return Err(busy());
                }
                current = left;
            }
            let next = change(&current.grant);
            if next == current.grant {
                return Ok(());
            }
            let stored = self.secrets.store(tenant, id, &current, &next).await?;
            // Somebody has connected again meanwhile: theirs is as young.
            self.secrets.promote(tenant, id, &current, &stored).await.map(drop)
        };
        let done = done.await;
        self.store.return_lease(tenant, id, &lease, &lease.recent).await?;
        done
    }
}

/// Whether the subscription is ours to make, and so to change.
fn can_be_told(connection: &Connection) -> bool {
    matches!(connection.crm.capabilities().webhooks, Webhooks::PerConnection { lives: Some(_) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::AppCredentials;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + hours * 3600).unwrap()
    }

    fn proofs(grant: &Grant, hours: i64) -> Vec<String> {
        grant.proofs(at(hours)).iter().map(|proof| proof.reveal().to_owned()).collect()
    }

    #[test]
    fn an_apps_secret_before_is_good_for_a_while() {
        let app = |until| AppCredentials {
            client_id: "us".to_owned(),
            client_secret: Secret::new("now"),
            previous_secret: Some(Secret::new("before")),
            previous_until: until,
        };
        assert_eq!((app(Some(at(1))).proofs(at(0)).len(), app(Some(at(1))).proofs(at(1)).len()), (2, 1));
        assert_eq!(app(None).proofs(at(9_999)).len(), 2, "one that was told before there were ends");
    }

    #[test]
    fn one_token_follows_another_and_both_are_good_in_between() {
        let first = Grant { webhook_token: Some(Secret::new("first")), token_since: Some(at(0)), ..Grant::none() };
        assert!(!is_old(&first, at(29 * 24 - 1)) && is_old(&first, at(29 * 24)));
        assert!(is_old(&Grant { token_since: None, ..first.clone() }, at(0)), "nobody knows how old it is");
        assert!(!is_old(&Grant::none(), at(0)), "there is none");
        let next = OtherToken::Next { token: Secret::new("next"), since: at(700) };
        let both = Grant { other_token: Some(next), ..first.clone() };
        assert_eq!(proofs(&both, 700), ["first", "next"]);
        assert!(following(&both, at(700)).is_none(), "not every function knows of it");
        assert!(following(&both, at(701)).is_some() && !is_old(&both, at(701)));
        let after = followed(&both, at(701));
        assert_eq!(proofs(&after, 701 + 23), ["next", "first"]);
        assert_eq!(proofs(&after, 701 + 24), ["next"]);
        assert!(following(&after, at(702)).is_none() && !is_old(&after, at(702)));
        assert_eq!(followed(&after, at(703)), after, "to do it again changes nothing");
        assert!(is_old(&after, at(701 + 29 * 24)));
    }
}

//! From what was seen to what is wrong: no clock, no network, no store.

use super::Seen;
use crate::{
    connection::State,
    error::{Error, Result},
    mapping::Mapping,
    provider::{Creates, Fact, Field, Grant, Hook, Means, Webhooks},
    record::Object,
    rotation,
    sync::remedy::remedy,
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

/// One line of what a connection's examination came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    pub mark: Mark,
    pub about: &'static str,
    pub what: String,
    /// Stable, and `None` where nothing is wrong.
    pub code: Option<&'static str>,
    /// What to do; empty where nothing is.
    pub todo: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    Good,
    /// It works, but not as it might, or nobody can see whether it does.
    Look,
    Bad,
}

/// With less than this share of a day's calls left it is said so.
const FEW: u64 = 10;
/// The same where nobody says how many a day has: about what pulls alone take.
const FEW_CALLS: u64 = 300;
/// Clocks that are further apart than this are noted: signatures and assertions are good for minutes.
const APART: SignedDuration = SignedDuration::from_secs(90);
/// Clocks that are further apart than this have deliveries refused (HubSpot docs: validating requests).
const TOO_FAR: SignedDuration = SignedDuration::from_mins(4);

/// What is wrong with a connection, and what is right, in an order that a person reads well.
pub fn findings(seen: &Seen<'_>) -> Vec<Finding> {
    let mut all = vec![state(seen), access(seen)];
    // What is stored about a token says nothing when the CRM no longer takes it.
    let refused = matches!(error(seen), Some(Error::AuthExpired { .. }));
    all.extend(token(seen).into_iter().chain(scopes(seen)).filter(|finding| finding.mark == Mark::Bad || !refused));
    all.extend(fields(seen));
    all.extend(webhook(seen));
    all.extend(seen.door.as_ref().map(door));
    let facts = seen.facts.as_deref().unwrap_or_default();
    all.extend(facts.iter().filter_map(|fact| match fact {
        Fact::Unanswered { about, reason } => Some(look(about, reason.clone(), "unanswered")),
        Fact::Account(_) | Fact::Scopes(_) | Fact::Quota { .. } | Fact::Webhook(_) | Fact::Clock(_) => None,
    }));
    all.extend(quota(seen, facts));
    all.extend(clock(facts, seen.now));
    all
}

fn good(about: &'static str, what: impl Into<String>) -> Finding {
    Finding { mark: Mark::Good, about, what: what.into(), code: None, todo: String::new() }
}

fn look(about: &'static str, what: impl Into<String>, code: &'static str) -> Finding {
    Finding { mark: Mark::Look, about, what: what.into(), code: Some(code), todo: remedy(code).to_owned() }
}

fn bad(about: &'static str, what: impl Into<String>, code: &'static str) -> Finding {
    Finding { mark: Mark::Bad, ..look(about, what, code) }
}

/// To the minute, which is what people plan by.
fn at(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn state(seen: &Seen<'_>) -> Finding {
    match &seen.connection.state {
        State::Active => good("state", "it is active"),
        State::Joining => look("state", "nothing is written to it before it is approved", "not_approved"),
        State::Paused { reason } => bad("state", format!("it is paused: {reason}"), "connection_stopped"),
        State::NeedsReauth { since } => {
            bad("state", format!("its credentials are refused since {}", at(*since)), "needs_reauth")
        }
        State::Closed => bad("state", "it is disconnected", "needs_reauth"),
    }
}

/// Whether the CRM lets us in, and into the right account.
fn access(seen: &Seen<'_>) -> Finding {
    let expected = &seen.connection.account;
    let named = seen.facts.iter().flatten().find_map(|fact| match fact {
        Fact::Account(account) => Some(account),
        _ => None,
    });
    match (named, error(seen)) {
        (_, Some(Error::AuthExpired { reason })) => bad("access", reason, "needs_reauth"),
        (_, Some(Error::Config { reason })) => bad("access", reason, "connection_stopped"),
        (_, Some(Error::RateLimited { .. })) => look("access", "the CRM asks us to wait", "waiting_for_crm"),
        (_, Some(Error::Retryable { what, .. })) => look("access", what, "unanswered"),
        (_, Some(error @ Error::Bug { .. })) => look("access", error.to_string(), "unanswered"),
        (Some(other), None) if other != expected => {
            bad("access", format!("it lets us into the account {other}, and not into {expected}"), "another_account")
        }
        (_, None) => good("access", format!("the account {expected} lets us in")),
    }
}

/// The first error of a question.
fn error<'a>(seen: &'a Seen<'_>) -> Option<&'a Error> {
    seen.facts.as_ref().err().or(seen.schema.as_ref().err())
}

fn token(seen: &Seen<'_>) -> Option<Finding> {
    let Some(grant) = &seen.grant else { return Some(bad("token", "no credentials are stored", "needs_reauth")) };
    let by = match (&grant.means, grant.is_renewable()) {
        (Means::Consent, true) => "its refresh token",
        (Means::ClientCredentials { .. }, _) => "its app's secret",
        (Means::JwtBearer { .. }, _) => "its app's key",
        (Means::Token | Means::Consent, _) => {
            return Some(match grant.expires_at {
                None => good("token", "it does not expire; nothing renews it"),
                Some(until) => {
                    bad("token", format!("it expires at {}, and nothing renews it", at(until)), "needs_reauth")
                }
            });
        }
    };
    let until = grant.expires_at.map(|until| format!("good until {}, ", at(until))).unwrap_or_default();
    Some(good("token", format!("{until}renewed by {by}")))
}

/// A token that tells no scopes has those of its user.
fn scopes(seen: &Seen<'_>) -> Vec<Finding> {
    let told = seen.facts.iter().flatten().find_map(|fact| match fact {
        Fact::Scopes(scopes) => Some(scopes),
        _ => None,
    });
    let known = told.or(seen.grant.as_ref().map(|grant| &grant.scopes)).filter(|scopes| !scopes.is_empty());
    let Some(granted) = known else {
        return match error(seen) {
            None => vec![good("scopes", "none are told; what was asked for was answered")],
            Some(_) => Vec::new(),
        };
    };
    let objects: Vec<Object> = seen.connection.mappings.keys().cloned().collect();
    let lacking = |needed: &String| !granted.iter().any(|granted| covers(granted, needed));
    let lacks: Vec<String> = seen.connection.crm.scopes(&objects).into_iter().filter(lacking).collect();
    match lacks.is_empty() {
        true => vec![good("scopes", "all that we need are granted")],
        false => lacks.iter().map(|scope| bad("scopes", format!("{scope} is not granted"), "scope_missing")).collect(),
    }
}

/// Whether a scope includes another: `ZohoCRM.modules.ALL` all below it, `contacts:full` what only reads, `full` everything.
fn covers(granted: &str, needed: &str) -> bool {
    let below = granted.strip_suffix("ALL").filter(|above| above.ends_with('.'));
    let full = granted.strip_suffix(":full").zip(needed.split_once(':'));
    granted.eq_ignore_ascii_case(needed)
        || granted == "full"
        || below.is_some_and(|above| needed.starts_with(above))
        || full.is_some_and(|(granted, (needed, _))| granted == needed)
}

fn fields(seen: &Seen<'_>) -> Vec<Finding> {
    let Ok(schemas) = &seen.schema else { return Vec::new() };
    let of = |(object, schema): (&Object, &Vec<Field>)| {
        let mapping = seen.connection.mapping(object).ok()?;
        Some(fields_of(seen, mapping, schema))
    };
    schemas.iter().filter_map(of).flatten().collect()
}

fn fields_of(seen: &Seen<'_>, mapping: &Mapping, schema: &[Field]) -> Vec<Finding> {
    let known = |name: &str| schema.iter().find(|field| field.name == name || field.label == name);
    let mapped = mapped(mapping);
    let mut found: Vec<Finding> = Vec::new();
    for (name, sends) in &mapped {
        match known(name) {
            None => found.push(bad("fields", format!("{name} is not there, or hidden from us"), "field_gone")),
            Some(field) if *sends && !field.writable => {
                found.push(bad("fields", format!("{name} may not be written by us"), "field_read_only"));
            }
            Some(_) => {}
        }
    }
    if found.is_empty() {
        found.push(good(
            "fields",
            format!("{} mapped fields of {} are there, and ours to write", mapped.len(), mapping.object),
        ));
    }
    let id = mapping.has_room().then(|| known(&mapping.id_field)).flatten();
    found.extend(id.map(|field| unique(seen, field)));
    found
}

/// The fields that are looked for in the mapping's object, and whether we write them.
fn mapped(mapping: &Mapping) -> Vec<(&str, bool)> {
    let here = mapping.rules.iter().filter(|rule| rule.only.as_ref().is_none_or(|only| only.object == mapping.object));
    let rules = here.map(|rule| (rule.remote.as_str(), rule.direction.sends()));
    rules.chain(mapping.has_room().then_some((mapping.id_field.as_str(), true))).collect()
}

fn unique(seen: &Seen<'_>, field: &Field) -> Finding {
    let name = &field.name;
    match seen.connection.crm.capabilities().creates {
        Creates::Once if !field.unique => bad("record ids", format!("{name} takes a value twice"), "id_not_unique"),
        Creates::Once => good("record ids", format!("{name} takes no value twice")),
        Creates::Guarded => good("record ids", format!("{name} holds them; we see to it that none is there twice")),
    }
}

fn webhook(seen: &Seen<'_>) -> Option<Finding> {
    let hook = seen.facts.iter().flatten().find_map(|fact| match fact {
        Fact::Webhook(hook) => Some(hook),
        _ => None,
    })?;
    let own = seen.grant.as_ref().is_some_and(|grant: &Grant| grant.means != Means::Consent);
    Some(match hook {
        Hook::Missing => {
            bad("webhooks", "no subscription brings us changes; they are found by pulling", "webhook_missing")
        }
        Hook::Alive { status: Some(status), .. } if !(200..300).contains(status) => {
            look("webhooks", format!("the last delivery was answered {status}"), "webhook_failing")
        }
        Hook::Alive { until: Some(until), .. } if *until < seen.now => {
            bad("webhooks", format!("the subscription ended at {}", at(*until)), "webhook_missing")
        }
        Hook::Alive { until: Some(until), .. } => {
            good("webhooks", format!("subscribed until {}, and renewed before", at(*until)))
        }
        Hook::Alive { until: None, .. } => good("webhooks", "subscribed"),
        Hook::Unseen if seen.connection.crm.capabilities().webhooks == Webhooks::PerApp && !own => {
            good("webhooks", "they are our app's, for all its accounts")
        }
        Hook::Unseen if seen.grant.as_ref().is_some_and(|grant| grant.webhook_token.is_none()) => look(
            "webhooks",
            "nothing proves deliveries, so none is taken; changes are found by pulling",
            "webhook_unproved",
        ),
        Hook::Unseen if old(seen) => look(
            "webhooks",
            "the token in the URL that an admin has set up is more than 29 days old",
            "webhook_token_old",
        ),
        Hook::Unseen => look("webhooks", "no API shows whether an admin has set them up", "webhook_unseen"),
    })
}

/// Whether a token that only a person can replace is old.
fn old(seen: &Seen<'_>) -> bool {
    let ours = seen.connection.crm.capabilities().webhooks != Webhooks::PerApp;
    let known = seen.grant.as_ref().filter(|grant| ours && grant.webhook_token.is_some());
    // Of one that was made before it was noted when, nobody knows how old it is.
    known.is_some_and(|grant| grant.token_since.is_none_or(|since| since + rotation::OLD <= seen.now))
}

/// Whoever proves nothing is refused: so our URL is there, and asks for a proof.
fn door(answer: &Result<u16, String>) -> Finding {
    match answer {
        Ok(401) => good("our URL", "it answers, and refuses what is not proved"),
        Ok(status) => bad("our URL", format!("it answers {status} to what is not proved"), "webhook_unreachable"),
        Err(reason) => bad("our URL", format!("it does not answer: {reason}"), "webhook_unreachable"),
    }
}

fn quota(seen: &Seen<'_>, facts: &[Fact]) -> Option<Finding> {
    if let Some(until) = seen.rests_until {
        let what = format!("the CRM asked us to wait: it is called again after {}", at(until));
        return Some(look("quota", what, "waiting_for_crm"));
    }
    let told = facts.iter().find_map(|fact| match fact {
        Fact::Quota { left, of } => Some((*left, *of)),
        _ => None,
    });
    let Some((left, of)) = told else {
        let asked = facts.iter().any(|fact| matches!(fact, Fact::Unanswered { about: "quota", .. }));
        return (error(seen).is_none() && !asked)
            .then(|| good("quota", "what is left of the day's calls is not told; it has not asked us to wait"));
    };
    let what =
        of.map_or(format!("{left} calls are left of the day's"), |of| format!("{left} of {of} calls a day are left"));
    // What is left to the customer's other apps is not ours.
    let share = u64::from(seen.connection.allowance.left_to_others.min(100));
    let others = of.or(seen.connection.allowance.per_day).map_or(0, |of| of * share / 100);
    let (left, of) = (left.saturating_sub(others), of.map(|of| of - others));
    Some(match of {
        _ if left == 0 => bad("quota", what, "quota_low"),
        of if left < of.map_or(FEW_CALLS, |of| of / FEW) => look("quota", what, "quota_low"),
        _ => good("quota", what),
    })
}

fn clock(facts: &[Fact], now: Timestamp) -> Option<Finding> {
    let theirs = facts.iter().find_map(|fact| match fact {
        Fact::Clock(at) => Some(*at),
        _ => None,
    })?;
    let apart = now.duration_since(theirs).abs();
    let what = format!("{} seconds apart from the CRM's", apart.as_secs());
    Some(match apart {
        apart if apart > TOO_FAR => bad("clock", what, "clock_off"),
        apart if apart > APART => look("clock", what, "clock_off"),
        _ => good("clock", "it agrees with the CRM's"),
    })
}

#[cfg(test)]
#[path = "findings_tests.rs"]
mod tests;

use super::*;
use crate::{
    connecting::{Invitation, new_connection},
    connection::Connection,
    context::Context,
    provider::{Crm, Secret},
    record::Region,
};
use std::{collections::BTreeMap, time::Duration};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn connection(crm: Crm) -> Connection {
    let (tenant, connection) = ("acme".parse().unwrap(), crm.name().parse().unwrap());
    let region = Region::default();
    let objects = vec![Object::Person];
    let invitation = Invitation { tenant, connection, crm, region, objects, pull_every: 300, login_host: None };
    let made = new_connection(&invitation, "62515".parse().unwrap(), &Context::new(NOW, Duration::ZERO, "test"));
    Connection { state: State::Active, ..made }
}

fn schema(connection: &Connection) -> BTreeMap<Object, Vec<Field>> {
    let mapping = connection.mapping(&Object::Person).unwrap();
    let field = |name: &str| Field {
        name: name.to_owned(),
        label: name.to_owned(),
        writable: true,
        unique: true,
        ..Field::default()
    };
    BTreeMap::from([(Object::Person, mapped(mapping).into_iter().map(|(name, _)| field(name)).collect())])
}

fn grant(scopes: Vec<String>) -> Grant {
    Grant { access_token: Secret::new("t"), means: Means::Token, scopes, ..Grant::none() }
}

fn healthy(connection: &Connection) -> Seen<'_> {
    let facts = vec![Fact::Account("62515".parse().unwrap()), Fact::Clock(NOW)];
    let grant = grant(connection.crm.scopes(&[Object::Person]));
    let schema = Ok(schema(connection));
    let (grant, facts, door) = (Some(grant), Ok(facts), Some(Ok(401)));
    Seen { connection, now: NOW, grant, schema, facts, rests_until: None, door }
}

fn wrong(seen: &Seen<'_>) -> Vec<(Mark, &'static str)> {
    let found = findings(seen).into_iter().filter_map(|one| Some((one.mark, one.code?)));
    found.collect()
}

#[test]
fn what_is_well_has_nothing_to_do() {
    for crm in Crm::ALL {
        let connection = connection(crm);
        let found = findings(&healthy(&connection));
        assert!(found.iter().all(|one| one.mark == Mark::Good && one.todo.is_empty()), "{found:?}");
        for about in ["state", "access", "token", "scopes", "fields", "record ids", "our URL", "quota", "clock"] {
            assert!(found.iter().any(|one| one.about == about), "{crm} {about}");
        }
    }
}

#[test]
fn each_trouble_has_its_code_and_every_code_its_remedy() {
    let connection = connection(Crm::HubSpot);
    let well = || healthy(&connection);
    let fact = |fact: Fact| Seen { facts: Ok(vec![fact]), ..well() };
    let config = || Error::Config { reason: "MISSING_SCOPES".to_owned() };
    let limited = || Error::RateLimited { after: Duration::from_secs(1) };
    let far = NOW + SignedDuration::from_mins(5);
    let token = || Grant { webhook_token: Some(Secret::new("w")), token_since: Some(NOW), ..grant(Vec::new()) };
    let aged = || Grant { token_since: Some(NOW - SignedDuration::from_hours(29 * 24)), ..token() };
    let by_hand = self::connection(Crm::Salesforce);
    let proved = || Seen { grant: Some(token()), ..fact(Fact::Webhook(Hook::Unseen)) };
    let (mut hidden, mut locked, mut twice) = (well(), well(), well());
    hidden.schema.as_mut().unwrap().get_mut(&Object::Person).unwrap().retain(|field| field.name != "email");
    locked
        .schema
        .as_mut()
        .unwrap()
        .get_mut(&Object::Person)
        .unwrap()
        .iter_mut()
        .for_each(|field| field.writable = false);
    twice.schema.as_mut().unwrap().get_mut(&Object::Person).unwrap().iter_mut().for_each(|field| field.unique = false);
    let seen = [
        (hidden, Mark::Bad, "field_gone"),
        (locked, Mark::Bad, "field_read_only"),
        (twice, Mark::Bad, "id_not_unique"),
        (Seen { grant: None, ..well() }, Mark::Bad, "needs_reauth"),
        (
            Seen { grant: Some(grant(vec!["crm.objects.contacts.read".to_owned()])), ..well() },
            Mark::Bad,
            "scope_missing",
        ),
        (Seen { schema: Err(config()), ..well() }, Mark::Bad, "connection_stopped"),
        (Seen { facts: Err(Error::retryable("no answer")), ..well() }, Mark::Look, "unanswered"),
        (Seen { door: Some(Ok(503)), ..well() }, Mark::Bad, "webhook_unreachable"),
        (Seen { door: Some(Err("refused".to_owned())), ..well() }, Mark::Bad, "webhook_unreachable"),
        (fact(Fact::Account("1".parse().unwrap())), Mark::Bad, "another_account"),
        (fact(Fact::Quota { left: 0, of: None }), Mark::Bad, "quota_low"),
        (fact(Fact::Quota { left: 25, of: Some(100) }), Mark::Look, "quota_low"),
        // A fifth is left to others.
        (fact(Fact::Quota { left: 20, of: Some(100) }), Mark::Bad, "quota_low"),
        (fact(Fact::Quota { left: 299, of: None }), Mark::Look, "quota_low"),
        (Seen { schema: Err(limited()), ..well() }, Mark::Look, "waiting_for_crm"),
        (Seen { rests_until: Some(far), ..well() }, Mark::Look, "waiting_for_crm"),
        (fact(Fact::Webhook(Hook::Missing)), Mark::Bad, "webhook_missing"),
        (fact(Fact::Webhook(Hook::Unseen)), Mark::Look, "webhook_unproved"),
        (proved(), Mark::Look, "webhook_unseen"),
        (Seen { connection: &by_hand, grant: Some(aged()), ..proved() }, Mark::Look, "webhook_token_old"),
        (
            Seen { connection: &by_hand, grant: Some(Grant { token_since: None, ..token() }), ..proved() },
            Mark::Look,
            "webhook_token_old",
        ),
        (fact(Fact::Webhook(Hook::Alive { until: None, status: Some(500) })), Mark::Look, "webhook_failing"),
        (fact(Fact::Clock(far)), Mark::Bad, "clock_off"),
        (fact(Fact::Unanswered { about: "quota", reason: "403".to_owned() }), Mark::Look, "unanswered"),
    ];
    for (seen, mark, code) in seen {
        assert!(wrong(&seen).contains(&(mark, code)), "{code}: {:?}", wrong(&seen));
        assert!(!remedy(code).starts_with("Look at the reason"), "{code} has no remedy");
        assert!(findings(&seen).iter().all(|one| one.code.is_some() != one.todo.is_empty()), "{code}");
    }
}

#[test]
fn a_field_that_is_only_read_need_not_be_ours_to_write() {
    let mut connection = connection(Crm::HubSpot);
    for mapping in connection.mappings.values_mut() {
        mapping.rules.iter_mut().for_each(|rule| rule.direction = crate::mapping::Direction::FromCrm);
    }
    let mut seen = healthy(&connection);
    let id = connection.mapping(&Object::Person).unwrap().id_field.clone();
    seen.schema
        .as_mut()
        .unwrap()
        .get_mut(&Object::Person)
        .unwrap()
        .iter_mut()
        .for_each(|field| field.writable = field.name == id);
    assert!(wrong(&seen).is_empty());
}

#[test]
fn a_wider_scope_covers_a_narrower_one() {
    for (granted, needed, does) in [
        ("ZohoCRM.modules.ALL", "ZohoCRM.modules.leads.READ", true),
        ("zohocrm.org.read", "ZohoCRM.org.READ", true),
        ("ZohoCRM.modules.leads.ALL", "ZohoCRM.modules.leads.CREATE", true),
        ("ZohoCRM.modules.deals.ALL", "ZohoCRM.modules.leads.READ", false),
        ("contacts:full", "contacts:read", true),
        ("contacts:read", "contacts:full", false),
        ("full", "api", true),
        ("crm.objects.contacts.read", "crm.objects.contacts.write", false),
    ] {
        assert_eq!(covers(granted, needed), does, "{granted} {needed}");
    }
}

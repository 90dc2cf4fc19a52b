//! The crowd: who they are, and who of them a CRM knows already. Pure.

use crate::screens::SCREENS;
use serde_json::{Value, json};

pub(super) enum Acquaintance {
    Stranger,
    /// The CRM has this e-mail address.
    Email(&'static str),
    /// The CRM has this phone, and no e-mail address.
    Phone(&'static str),
}

/// Every tenth is known by e-mail, every twentieth by phone only, each in one CRM. Pipedrive is searched for whom has an
/// e-mail address by that alone: whom it knows by phone it would have told before.
pub(super) fn acquaintance(n: usize) -> Acquaintance {
    let crm = |of: usize| SCREENS[n / 20 % of].crm;
    match n % 20 {
        0 | 10 => Acquaintance::Email(crm(SCREENS.len())),
        5 => Acquaintance::Phone(crm(SCREENS.len() - 1)),
        _ => Acquaintance::Stranger,
    }
}

pub(super) fn email(n: usize) -> String {
    format!("crowd-{n}@example.com")
}

/// As a person in the United States types it.
fn typed_phone(n: usize) -> String {
    format!("({}) {}-{:04}", 212 + n / 7_000_000, 200 + n / 10_000 % 700, n % 10_000)
}

fn phone(n: usize) -> String {
    format!("+1{}{}{:04}", 212 + n / 7_000_000, 200 + n / 10_000 % 700, n % 10_000)
}

/// The lead of a sync request. Nobody tells the company of someone whom a CRM knows by phone: the CRM does, and the other
/// CRM hears it later, in a write of its own.
pub(crate) fn lead(n: usize) -> Value {
    let mut lead = json!({
        "id": format!("crowd-{n}"), "first_name": format!("First {n}"), "last_name": format!("Last {n}"),
        "email": email(n), "phone": phone(n), "callStatus": "completed", "duration": n % 600,
    });
    if !matches!(acquaintance(n), Acquaintance::Phone(_)) {
        lead["company"] = json!(format!("Company {}", n % 97));
    }
    lead
}

/// What a CRM's user typed long before, and in which CRM.
pub(super) fn known(n: usize) -> Option<(&'static str, Value)> {
    let (crm, by_email) = match acquaintance(n) {
        Acquaintance::Stranger => return None,
        Acquaintance::Email(crm) => (crm, true),
        Acquaintance::Phone(crm) => (crm, false),
    };
    let (mailbox, phone) = (email(n), typed_phone(n));
    let (last_name, company) = (format!("Acquaintance {n}"), format!("Known Company {n}"));
    let mut person = vec![("first_name", "Old"), ("last_name", last_name.as_str()), ("company", company.as_str())];
    person.push(if by_email { ("email", mailbox.as_str()) } else { ("phone", phone.as_str()) });
    let fields = SCREENS.iter().find(|screen| screen.crm == crm)?.typed(&person);
    Some((crm, fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_tenth_is_known_by_email_and_a_twentieth_by_phone() {
        let count = |wanted: fn(&Acquaintance) -> bool| (0..10_000).filter(|n| wanted(&acquaintance(*n))).count();
        assert_eq!(count(|a| matches!(a, Acquaintance::Email(_))), 1000);
        assert_eq!(count(|a| matches!(a, Acquaintance::Phone(_))), 500);
    }

    #[test]
    fn no_two_people_share_a_phone() {
        assert_eq!((0..30_000).map(phone).collect::<BTreeSet<_>>().len(), 30_000);
        assert_eq!(crate::story::oracle::normal("phone", &typed_phone(12_345)), phone(12_345));
    }
}

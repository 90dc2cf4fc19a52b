//! What tells one record from another. To parse a key is to normalise it.

use super::{Fields, Object, Value};
use crate::id::{ConnectionId, RemoteId};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A mailbox, trimmed and lower-cased, with one `@` and a dotted domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Email(String);

impl Email {
    pub fn parse(raw: &str) -> Option<Email> {
        let email = raw.trim().to_lowercase();
        let (local, domain) = email.split_once('@')?;
        let sound = !local.is_empty()
            && domain.contains('.')
            && !domain.contains('@')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !email.contains(['#', '/', '<', '>', ','])
            && !email.contains(char::is_whitespace)
            && email.len() <= 254;
        sound.then_some(Email(email))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A telephone number as E.164 spells it: `+14155550100`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Phone(String);

/// The country whose way of writing numbers a tenant uses where none is given, as ISO 3166-1 alpha-2: `US`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(pub String);

impl Default for Region {
    fn default() -> Region {
        Region("US".to_owned())
    }
}

impl Phone {
    /// The whole text is the number, as people of the region type it; an extension is left out.
    pub fn parse(raw: &str, region: &Region) -> Option<Phone> {
        let raw = raw.trim();
        // What stands behind a comma or semicolon may be another number, though the library would take it for an extension; and it
        // panics at some texts that it does not hold viable.
        if raw.contains([',', ';']) || !PHONE_NUMBER_UTIL.is_viable_phone_number(raw) {
            return None;
        }
        let number =
            PhoneNumber::parse(raw, region.0.parse().ok()).ok().filter(|number| number.national_number != 0)?;
        let phone = Phone(number.to_string());
        // Some digits mean something in their own country only: they tell nobody apart.
        let stands_alone = || phone.number().is_some_and(|number| number.to_string() == phone.0);
        (raw == phone.0 || stands_alone()).then_some(phone)
    }
    fn number(&self) -> Option<PhoneNumber> {
        self.0.parse().ok()
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The number without its country code, digits only; how HubSpot indexes phones for search.
    pub fn national_digits(&self) -> String {
        self.number().map_or_else(|| self.0.clone(), |number| number.get_national_significant_number())
    }
    /// The ways people type this number, for CRMs that compare phones letter by letter.
    pub fn spellings(&self) -> Vec<String> {
        let Some(number) = self.number() else { return vec![self.0.clone()] };
        let international = number.format_as(PhoneNumberFormat::International).into_owned();
        let national = number.format_as(PhoneNumberFormat::National).into_owned();
        let mut all = vec![
            self.0.clone(),
            self.0.trim_start_matches('+').to_owned(),
            international.clone(),
            national.clone(),
            number.get_national_significant_number(),
        ];
        if let Some((code, rest)) = international.split_once(' ') {
            all.extend([rest.to_owned(), rest.replace(['-', ' '], "."), rest.replace('-', " ")]);
            all.push(format!("{}-{}", code.trim_start_matches('+'), rest.replace(' ', "-")));
            all.push(format!("{code} {national}"));
        }
        all.retain(|s| !s.is_empty());
        all.sort();
        all.dedup();
        all
    }
}

/// A company's place in the web: `https://www.Example.com/about` is `example.com`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Domain(String);

impl Domain {
    pub fn parse(raw: &str) -> Option<Domain> {
        let lower = raw.trim().to_lowercase();
        let after_scheme = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
        let host = after_scheme.split(['/', '?', '#', ':']).next().unwrap_or_default();
        let domain = host.strip_prefix("www.").unwrap_or(host).trim_end_matches('.');
        let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
        let sound = domain.contains('.') && domain.len() <= 253 && domain.split('.').all(label);
        sound.then(|| Domain(domain.to_owned()))
    }
    /// The ways people write it.
    pub fn spellings(&self) -> Vec<String> {
        let hosts = [self.0.clone(), format!("www.{}", self.0)];
        let urls = hosts.iter().flat_map(|host| ["https://", "http://"].map(|scheme| format!("{scheme}{host}")));
        let urls: Vec<String> = urls.collect();
        let slashed: Vec<String> = urls.iter().map(|url| format!("{url}/")).collect();
        hosts.into_iter().chain(urls).chain(slashed).collect()
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A company's name as it is compared: in lower case, with single spaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Title(String);

impl Title {
    pub fn parse(raw: &str) -> Option<Title> {
        let words: Vec<&str> = raw.split_whitespace().collect();
        let title = words.join(" ").to_lowercase();
        (!title.is_empty() && title.len() <= 512).then_some(Title(title))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Something that points to a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    /// The same record in one CRM. Unique.
    Remote(ConnectionId, RemoteId),
    /// The id by which the tenant's own product knows the person. Unique.
    Own(String),
    /// Unique.
    Email(Email),
    /// A lookup only: several people may share one, and then it points to nobody.
    Phone(Phone),
    /// Of a company; a lookup, because subsidiaries share it.
    Domain(Domain),
    /// Of a company; a lookup, where nothing better is known.
    Title(Title),
}

impl Key {
    /// The ways people write it, for CRMs that compare letter by letter.
    pub fn spellings(&self) -> Vec<String> {
        match self {
            Key::Phone(phone) => phone.spellings(),
            Key::Domain(domain) => domain.spellings(),
            Key::Email(email) => vec![email.as_str().to_owned()],
            Key::Title(title) => vec![title.as_str().to_owned()],
            Key::Own(_) | Key::Remote(..) => Vec::new(),
        }
    }

    pub fn is_unique(&self) -> bool {
        matches!(self, Key::Remote(..) | Key::Own(_) | Key::Email(_))
    }

    /// Whether records that have another one of this kind are others: people share phones, companies share names.
    pub fn tells_apart(&self) -> bool {
        matches!(self, Key::Own(_) | Key::Email(_) | Key::Domain(_))
    }

    /// The keys that a record's fields give it, the strongest first.
    pub fn of(object: &Object, fields: &Fields, region: &Region) -> Vec<Key> {
        let text = |name: &str| match fields.get(name) {
            Some(Value::Text(text)) => Some(text.as_str().to_owned()),
            _ => None,
        };
        Key::among(object, text, region)
    }

    /// As [`Key::of`], of fields from wherever they come.
    pub fn among(object: &Object, field: impl Fn(&str) -> Option<String>, region: &Region) -> Vec<Key> {
        let own = field("id").filter(|id| !id.is_empty() && id.len() <= 512).map(Key::Own);
        let (strong, weak) = match object {
            Object::Person => (
                field("email").as_deref().and_then(Email::parse).map(Key::Email),
                field("phone").and_then(|raw| Phone::parse(&raw, region)).map(Key::Phone),
            ),
            Object::Company => (
                field("domain").as_deref().and_then(Domain::parse).map(Key::Domain),
                field("name").as_deref().and_then(Title::parse).map(Key::Title),
            ),
            Object::Deal | Object::Note | Object::Task | Object::Custom(_) => (None, None),
        };
        [own, strong, weak].into_iter().flatten().collect()
    }
}

impl fmt::Display for Key {
    /// The key's kind, which is fit for logs; never its value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Key::Remote(..) => "remote id",
            Key::Own(_) => "own id",
            Key::Email(_) => "e-mail",
            Key::Phone(_) => "phone",
            Key::Domain(_) => "domain",
            Key::Title(_) => "name",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::planner::cases(1000))]

        #[test]
        fn an_email_is_parsed_once_and_for_all(raw in "[ ]?[A-Za-zÀ-ÿİΣß.+]{0,6}@?[A-Za-zΣ]{0,4}[.]?[A-Z]{0,3}[ ]?") {
            if let Some(email) = Email::parse(&raw) {
                prop_assert_eq!(Email::parse(email.as_str()), Some(email));
            }
        }

        /// In whatever country it is read the second time.
        #[test]
        fn a_phone_is_parsed_once_and_for_all(raw in "[+]?[ (]?[0-9]{1,4}[) -]?[0-9]{2,4}[-. ]?[0-9]{2,5}( ?x[0-9]{2})?", here in region(), there in region()) {
            if let Some(phone) = Phone::parse(&raw, &here) {
                prop_assert_eq!(Phone::parse(phone.as_str(), &there), Some(phone));
            }
        }

        #[test]
        fn what_is_no_phone_is_refused(raw in ".{0,12}|[+0-9٣x;#*() .-]{0,24}", here in region()) {
            if let Some(phone) = Phone::parse(&raw, &here) {
                let digits = phone.as_str().strip_prefix('+').unwrap();
                prop_assert!(digits.len() > 2 && digits.bytes().all(|b| b.is_ascii_digit()), "{:?}", phone);
            }
        }

        #[test]
        fn every_spelling_of_a_phone_is_that_phone(number in 2_000_000u32..10_000_000) {
            let us = Region::default();
            let phone = Phone::parse(&format!("+1415{number}"), &us).unwrap();
            for spelling in phone.spellings() {
                prop_assert_eq!(Phone::parse(&spelling, &us), Some(phone.clone()), "{}", spelling);
            }
        }
    }

    fn region() -> impl Strategy<Value = Region> {
        prop::sample::select(&["US", "DE", "IT", "GB"][..]).prop_map(|code| Region(code.to_owned()))
    }

    #[test]
    fn a_domain_is_known_in_every_spelling() {
        let domain = Domain::parse(" https://www.Example.co.uk/about?x=1").unwrap();
        assert_eq!(domain.as_str(), "example.co.uk");
        assert!(domain.spellings().iter().all(|spelt| Domain::parse(spelt).as_ref() == Some(&domain)));
        for raw in ["", "example", "https://", "a b.com", "ada@example.com", ".com"] {
            assert_eq!(Domain::parse(raw), None, "{raw}");
        }
        assert_eq!(Title::parse("  Analytical\tLtd "), Title::parse("analytical ltd"));
    }

    /// In a US account, a German mobile lost its first digit, where the national prefix of the wrong country was stripped.
    #[test]
    fn a_number_that_names_its_country_is_the_same_in_every_region() {
        let cases = [
            ("+49 151 23456789", "US"),
            ("+49 151 23456789", "DE"),
            ("0049 151 23456789", "DE"),
            ("011 49 151 23456789", "US"),
        ];
        for (raw, region) in cases {
            let phone = Phone::parse(raw, &Region(region.to_owned())).unwrap();
            assert_eq!(phone.as_str(), "+4915123456789", "{raw} in {region}");
        }
        assert_eq!(Phone::parse("+39 06 1234567", &Region("DE".to_owned())).unwrap().as_str(), "+39061234567");
        assert_eq!(Phone::parse("06 1234567", &Region("IT".to_owned())).unwrap().as_str(), "+39061234567");
        assert_eq!(Phone::parse("0151 23456789", &Region("DE".to_owned())).unwrap().as_str(), "+4915123456789");
        assert_eq!(Phone::parse("(415) 555-0100", &Region::default()).unwrap().as_str(), "+14155550100");
        // What begins like a country's code is not always one.
        assert_eq!(Phone::parse("250 123 456", &Region("RW".to_owned())).unwrap().as_str(), "+250250123456");
    }

    /// Who edits the second of two numbers says something else, and zeros are what people type who have none.
    #[test]
    fn what_is_more_or_less_than_a_number_is_none() {
        for raw in [
            "4155550100;4155550199",
            "612345678, 612345679",
            "(415) 555-0100, mornings",
            "000-000-0000",
            "+1 000 000 0000",
            "1;phone-context=+1tel:",
        ] {
            for region in ["US", "ES", "DE"] {
                assert_eq!(Phone::parse(raw, &Region(region.to_owned())), None, "{raw} in {region}");
            }
        }
        assert_eq!(Phone::parse("(415) 555-0100 x22", &Region::default()).unwrap().as_str(), "+14155550100");
    }

    #[test]
    fn what_is_no_mailbox_is_no_key() {
        for raw in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "a@b@example.com",
            "ada@example",
            "ada @example.com",
            "a#b@example.com",
        ] {
            assert_eq!(Email::parse(raw), None, "{raw}");
        }
        assert_eq!(Email::parse(" Ada@Example.COM ").unwrap().as_str(), "ada@example.com");
    }
}

//! Ids of 18 characters: three that tell the object, twelve that count, three that tell which letters are capitals
//! (Salesforce docs: Object Reference, ID field type).

use crate::records::Source;

/// Objects and what their ids begin with (Salesforce help: standard field record ID prefixes).
const PREFIXES: [(&str, &str); 10] = [
    ("Account", "001"),
    ("Note", "002"),
    ("Contact", "003"),
    ("User", "005"),
    ("Opportunity", "006"),
    ("Lead", "00Q"),
    ("Task", "00T"),
    ("CampaignMember", "00v"),
    ("Campaign", "701"),
    ("Vehicle__c", "a00"),
];
/// In the order of ASCII, so that ids sort as their numbers do.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
const LENGTH: usize = 15;

/// The API name of an object, whatever its case.
pub fn object(name: &str) -> Option<&'static str> {
    super::org::OBJECTS.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

pub fn prefix(object: &str) -> &'static str {
    PREFIXES.iter().find(|(name, _)| *name == object).map_or("000", |(_, prefix)| *prefix)
}

/// The id of the object's record with this number.
pub fn text(object: &str, id: u64) -> String {
    seal(prefix(object), id)
}

/// An id that begins with three given characters.
pub fn seal(prefix: &str, id: u64) -> String {
    let mut digits = [b'0'; LENGTH - 3];
    let mut rest = id;
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    let short: String = prefix.chars().chain(digits.into_iter().map(char::from)).collect();
    let suffix: String = short.as_bytes().chunks(5).map(|chunk| char::from(SUFFIX[capitals(chunk)])).collect();
    short + &suffix
}

/// The number behind an id of this object; 15 characters are case-sensitive, of 18 the suffix tells the case.
pub fn parse(object: &str, text: &str) -> Option<u64> {
    let short = match text.len() {
        LENGTH => text.to_owned(),
        18 if text.is_ascii() => restore(text)?,
        _ => return None,
    };
    let digits = short.strip_prefix(prefix(object))?;
    digits.bytes().try_fold(0u64, |n, digit| {
        let value = DIGITS.iter().position(|d| *d == digit)? as u64;
        n.checked_mul(62)?.checked_add(value)
    })
}

/// An id of any object in its form of 18 characters.
pub fn normal(text: &str) -> Option<String> {
    PREFIXES.iter().find_map(|(object, prefix)| Some(seal(prefix, parse(object, text)?)))
}

/// The connected user, and the person who works in the CRM's own screens.
pub fn user(source: Source) -> String {
    seal("005", FIRST + if source == Source::App { 7 } else { 3 })
}

/// What the first records' numbers begin at: ids look grown, and differ in case only from some others.
pub const FIRST: u64 = 5 * 62u64.pow(10) + 59 * 62u64.pow(4);

fn capitals(chunk: &[u8]) -> usize {
    chunk.iter().enumerate().map(|(i, c)| usize::from(c.is_ascii_uppercase()) << i).sum()
}

fn restore(text: &str) -> Option<String> {
    let (short, suffix) = text.split_at(LENGTH);
    let mut restored = String::with_capacity(LENGTH);
    for (chunk, mark) in short.as_bytes().chunks(5).zip(suffix.bytes()) {
        let bits = SUFFIX.iter().position(|s| *s == mark.to_ascii_uppercase())?;
        for (i, c) in chunk.iter().enumerate() {
            let capital = bits >> i & 1 == 1;
            restored.push(char::from(if capital { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }));
        }
        // A digit cannot be a capital: the suffix is another id's.
        if capitals(&restored.as_bytes()[restored.len() - chunk.len()..]) != bits {
            return None;
        }
    }
    Some(restored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_in_all_its_forms_and_sorts_by_age() {
        for n in [FIRST, FIRST + 1, FIRST + 61, FIRST + 62 * 62] {
            let id = text("Lead", n);
            assert_eq!((id.len(), &id[..3]), (18, "00Q"));
            for form in [&id[..], &id[..15], &id.to_lowercase(), &id.to_uppercase()] {
                assert_eq!(parse("Lead", form), Some(n), "{form}");
            }
            assert_eq!(parse("Contact", &id), None);
            assert!(id < text("Lead", n + 1));
        }
        assert_eq!(parse("Lead", "00Q"), None);
    }

    #[test]
    fn the_suffix_is_the_vendors() {
        // An organisation's id from the vendor's own examples.
        let short = "00Dxx0000001gPL";
        let suffix: String = short.as_bytes().chunks(5).map(|c| char::from(SUFFIX[capitals(c)])).collect();
        assert_eq!(suffix, "EAY");
    }
}

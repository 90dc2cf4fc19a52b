//! Bytes as text, in the few charsets that files have: a crate that knows all of them carries their tables into every function.

/// What Windows-1252 has where Latin-1 has controls; those that it leaves open stay what they are (WHATWG Encoding Standard, index windows-1252).
const WESTERN: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Every byte is a character.
pub(super) fn western(bytes: &[u8]) -> String {
    let one = |byte: &u8| match byte {
        0x80..=0x9f => WESTERN[usize::from(byte - 0x80)],
        byte => char::from(*byte),
    };
    bytes.iter().map(one).collect()
}

/// UTF-16, whose units are read by `unit`. What is half a character is one that stands for none.
pub(super) fn wide(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (units, rest) = bytes.as_chunks();
    let text = char::decode_utf16(units.iter().map(|two| unit(*two)));
    let text = text.map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER));
    text.chain(rest.first().map(|_| char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::{western, wide};
    use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
    use proptest::prelude::*;

    #[test]
    fn every_byte_is_the_character_that_the_standard_names() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(western(&all), WINDOWS_1252.decode_without_bom_handling(&all).0);
    }

    proptest! {
        #[test]
        fn any_units_are_read_as_the_standard_says(units in prop::collection::vec(prop_oneof![any::<u16>(), 0xd7fe_u16..0xe002], 0..20)) {
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            prop_assert_eq!(wide(&little, u16::from_le_bytes), UTF_16LE.decode_without_bom_handling(&little).0);
            prop_assert_eq!(wide(&big, u16::from_be_bytes), UTF_16BE.decode_without_bom_handling(&big).0);
        }
    }
}

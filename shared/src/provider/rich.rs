//! Bodies of notes and tasks, which are HTML in some CRMs. The hub has what a person reads of them.

/// What stands on lines of its own.
const BLOCKS: &[&str] = &["p", "div", "li", "ul", "ol", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"];

/// A text as HTML.
pub(super) fn marked_up(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>")
}

/// What a person reads: breaks and blocks are lines, other tags are nothing. What is no tag and no entity is meant as it stands.
pub(super) fn plain(html: &str) -> String {
    let (mut read, mut rest) = (Read::default(), html);
    while let Some(at) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(at);
        read.text(before);
        rest = match (tag(from), entity(from)) {
            (Some((name, after)), _) => {
                read.tag(&name);
                after
            }
            (None, Some((character, after))) => {
                read.text(character.encode_utf8(&mut [0; 4]));
                after
            }
            (None, None) => {
                let (sign, after) = from.split_at(1);
                read.text(sign);
                after
            }
        };
    }
    read.text(rest);
    read.plain
}

#[derive(Default)]
struct Read {
    plain: String,
    /// The next text stands on a new line.
    ended: bool,
}

impl Read {
    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.end_line();
            self.plain.push_str(text);
        }
    }

    fn tag(&mut self, name: &str) {
        match name {
            "br" => {
                self.end_line();
                self.plain.push('\n');
            }
            block if BLOCKS.contains(&block) => self.ended = true,
            _ => {}
        }
    }

    fn end_line(&mut self) {
        if std::mem::take(&mut self.ended) && !self.plain.is_empty() && !self.plain.ends_with('\n') {
            self.plain.push('\n');
        }
    }
}

/// The name of the tag that a text begins with, and what follows it.
fn tag(text: &str) -> Option<(String, &str)> {
    let (inner, after) = text.strip_prefix('<')?.split_once('>')?;
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    let name: String = inner.chars().take_while(char::is_ascii_alphanumeric).collect();
    (inner.starts_with(|first: char| first.is_ascii_alphabetic())).then(|| (name.to_ascii_lowercase(), after))
}

/// The character that the entity stands for which a text begins with, and what follows it.
fn entity(text: &str) -> Option<(char, &str)> {
    let (name, after) = text.strip_prefix('&')?.split_once(';')?;
    let number = |digits: &str| match digits.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    };
    let character = match (name, name.strip_prefix('#')) {
        ("nbsp", _) => ' ',
        (_, Some(digits)) => char::from_u32(number(digits)?)?,
        _ => quick_xml::escape::resolve_predefined_entity(name)?.chars().next()?,
    };
    Some((character, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_body_is_what_a_person_reads_of_it() {
        for (html, read) in [
            ("She called.", "She called."),
            ("<p>She called.</p>", "She called."),
            ("<div dir=\"auto\"><p style=\"margin:0;\">One</p><p>Two <b>and</b> three</p></div>", "One\nTwo and three"),
            ("One<br>Two<br/>Three", "One\nTwo\nThree"),
            ("<p>One</p><br><p>Two</p>", "One\n\nTwo"),
            ("<ul><li>One</li><li>Two</li></ul>", "One\nTwo"),
            ("Tom &amp; Jerry&#39;s&nbsp;caf&#xE9; &lt;3", "Tom & Jerry's café <3"),
            ("1 < 2 & 3 > 2; R&D", "1 < 2 & 3 > 2; R&D"),
            ("&#xD800; &#99999999999; <unclosed", "&#xD800; &#99999999999; <unclosed"),
        ] {
            assert_eq!(plain(html), read, "{html}");
        }
    }

    proptest! {
        #![proptest_config(crate::planner::cases(1000))]

        #[test]
        fn a_text_is_read_as_it_was_written(text in "[a-c<>&;/# \n]{0,16}|\\PC{0,12}") {
            prop_assert_eq!(plain(&marked_up(&text)), text);
        }

        #[test]
        fn whatever_it_is_is_read(html in "[a-c<>&;/#x0-9 \nbrp]{0,24}") {
            plain(&html);
        }
    }
}

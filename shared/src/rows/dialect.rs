//! How a file writes its rows: charset, delimiter, and where they begin.

use super::{Format, Place, decode, rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How a file writes characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Charset {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "utf-16le")]
    Utf16Le,
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// What Excel saves as CSV on Windows in the west of Europe and in America.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// What stands between two cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Delimiter {
    Comma,
    /// Where the comma parts decimals.
    Semicolon,
    Tab,
    Pipe,
}

/// All that is needed to read a file's rows from any of their places on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dialect {
    pub format: Format,
    pub charset: Charset,
    pub delimiter: Delimiter,
}

/// What a person says of a file; the rest is seen from its first bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hints {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charset: Option<Charset>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Delimiter>,
}

/// Why a file cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    #[error("the file has no row of headers that ends within 1 MiB: is a quote not closed?")]
    NoHeader,
    #[error("the headers are no text of the file's charset: tell which one it is")]
    BadHeader,
}

const DELIMITERS: [Delimiter; 4] = [Delimiter::Comma, Delimiter::Semicolon, Delimiter::Tab, Delimiter::Pipe];
/// Byte order marks (the Unicode standard, 23.8).
const MARKS: [(&[u8], Charset); 3] =
    [(b"\xef\xbb\xbf", Charset::Utf8), (b"\xff\xfe", Charset::Utf16Le), (b"\xfe\xff", Charset::Utf16Be)];

impl Delimiter {
    pub fn byte(self) -> u8 {
        match self {
            Delimiter::Comma => b',',
            Delimiter::Semicolon => b';',
            Delimiter::Tab => b'\t',
            Delimiter::Pipe => b'|',
        }
    }
}

impl Charset {
    fn is_wide(self) -> bool {
        matches!(self, Charset::Utf16Le | Charset::Utf16Be)
    }

    /// A part of a file, so that line ends, quotes and delimiters are the bytes of ASCII. What may be half a character at its end is left out
    /// unless nothing comes after it.
    pub(super) fn text(self, part: &[u8], is_last: bool) -> Cow<'_, [u8]> {
        if !self.is_wide() {
            return Cow::Borrowed(part);
        }
        let mut whole = if is_last { part } else { &part[..part.len() & !1] };
        let high = |two: &[u8]| if self == Charset::Utf16Le { two[1] } else { two[0] };
        if !is_last && whole.len() >= 2 && matches!(high(&whole[whole.len() - 2..]), 0xd8..=0xdb) {
            whole = &whole[..whole.len() - 2];
        }
        let unit = if self == Charset::Utf16Le { u16::from_le_bytes } else { u16::from_be_bytes };
        Cow::Owned(decode::wide(whole, unit).into_bytes())
    }

    /// How many bytes of the file a text of [`Charset::text`] is.
    pub(super) fn width(self, text: &[u8]) -> u64 {
        if !self.is_wide() {
            return text.len() as u64;
        }
        // Half a pair was read as one character of one unit, so it is counted rightly too.
        String::from_utf8_lossy(text).chars().map(|c| 2 * c.len_utf16() as u64).sum()
    }

    /// One cell as text.
    pub(super) fn read(self, cell: &[u8]) -> Result<String, super::NoText> {
        match self {
            Charset::Windows1252 => Ok(decode::western(cell)),
            Charset::Utf8 | Charset::Utf16Le | Charset::Utf16Be => {
                String::from_utf8(cell.to_vec()).map_err(|_| super::NoText)
            }
        }
    }

    /// By its byte order mark, which has so many bytes; otherwise UTF-8 if that is what the first bytes are, and Windows-1252 if not.
    fn of(head: &[u8], hint: Option<Charset>) -> (Charset, usize) {
        if let Some((mark, charset)) = MARKS.iter().find(|(mark, _)| head.starts_with(mark)) {
            return (*charset, mark.len());
        }
        let is_utf8 = match std::str::from_utf8(head) {
            Ok(_) => true,
            // Half a character at the end.
            Err(error) => error.error_len().is_none(),
        };
        (hint.unwrap_or(if is_utf8 { Charset::Utf8 } else { Charset::Windows1252 }), 0)
    }
}

impl Dialect {
    /// By a file's first bytes: how it is to be read, its headers, and the place of its first row. NDJSON has no headers.
    pub fn of(
        format: Format,
        head: &[u8],
        is_all: bool,
        hints: Hints,
    ) -> Result<(Dialect, Vec<String>, Place), Unread> {
        let (charset, mark) = Charset::of(head, hints.charset);
        let of = |delimiter| Dialect { format, charset, delimiter };
        let (body, begins) = (&head[mark..], Place { offset: mark as u64, row: 0 });
        if format == Format::Ndjson {
            return Ok((of(Delimiter::Comma), Vec::new(), begins));
        }
        let header = |delimiter, at: Place| {
            let from = usize::try_from(at.offset).unwrap_or(usize::MAX) - mark;
            rows(&body[from..], at, is_all, &of(delimiter), 1).0.into_iter().next()
        };
        // Excel's own way to say it: `sep=;` in a line of its own before the headers.
        let first = header(Delimiter::Pipe, begins).ok_or(Unread::NoHeader)?;
        let said = first.cells.clone().ok().and_then(|cells| told(&cells));
        let (said, begins) = match said {
            Some(delimiter) => (Some(delimiter), Place { row: 0, ..first.after }),
            None => (hints.delimiter, begins),
        };
        let width =
            |delimiter: &Delimiter| header(*delimiter, begins).and_then(|row| row.cells.ok()).map_or(0, |c| c.len());
        let widest = DELIMITERS.iter().rev().max_by_key(|delimiter| width(delimiter));
        let delimiter = said.or(widest.copied()).unwrap_or(Delimiter::Comma);
        let row = header(delimiter, begins).ok_or(Unread::NoHeader)?;
        Ok((of(delimiter), row.cells.map_err(|_| Unread::BadHeader)?, row.after))
    }
}

fn told(cells: &[String]) -> Option<Delimiter> {
    let line = match cells {
        [one] => one.as_str(),
        [begin, end] if end.is_empty() && begin == "sep=" => "sep=|",
        _ => return None,
    };
    let sign = line.strip_prefix("sep=")?;
    DELIMITERS.into_iter().find(|delimiter| sign.as_bytes() == [delimiter.byte()])
}

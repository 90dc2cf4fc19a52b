//! Files of rows, CSV and NDJSON, as CRMs and spreadsheets write them: read from any row's place on, as a pure function of the bytes.

mod columns;
mod decode;
mod dialect;
mod harmless;
mod request;

pub use columns::{Column, Columns};
pub use dialect::{Charset, Delimiter, Dialect, Hints, Unread};
pub use harmless::{harmless, plain};
pub use request::{Maker, names};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a file holds its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// RFC 4180 and what is like it, with a row of headers.
    Csv,
    /// A JSON object in every line.
    Ndjson,
}

impl Format {
    /// What S3 and browsers call it.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv",
            Format::Ndjson => "application/x-ndjson",
        }
    }

    pub fn extension(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
        }
    }
}

/// A place between two rows of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Bytes before it.
    pub offset: u64,
    /// Rows before it: the header is one, an empty line of CSV none.
    pub row: u64,
}

/// One row, and the place after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// As a spreadsheet counts: the header is row 1.
    pub number: u64,
    /// Of CSV its cells, of NDJSON the one line; an error where the bytes are no text of the file's charset.
    pub cells: Result<Vec<String>, NoText>,
    pub after: Place,
}

/// Bytes that mean nothing in the charset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoText;

/// The most bytes that one row may have.
pub const LONGEST: usize = 1 << 20;

/// The whole rows of a part of a file that begins at a place, `most` at the most, and where they end. `is_last`: nothing comes after it.
pub fn rows(part: &[u8], at: Place, is_last: bool, dialect: &Dialect, most: usize) -> (Vec<Row>, Place) {
    let text = dialect.charset.text(part, is_last);
    let ends = match dialect.format {
        Format::Csv => records(&text, dialect.delimiter, is_last, most),
        Format::Ndjson => lines(&text, is_last, most),
    };
    let (mut rows, mut done, mut place) = (Vec::with_capacity(ends.len()), 0, at);
    let is_whole = ends.len() < most;
    for (cells, end) in ends {
        place = Place { offset: place.offset + dialect.charset.width(&text[done..end]), row: place.row + 1 };
        done = end;
        let cells = cells.iter().map(|cell| dialect.charset.read(cell)).collect();
        rows.push(Row { number: place.row, cells, after: place });
    }
    if is_last && is_whole {
        // Empty lines at the end belong to nobody.
        place.offset = at.offset + part.len() as u64;
    }
    (rows, place)
}

type Cells = Vec<Vec<u8>>;

/// CSV's records, each with where it ends.
fn records(text: &[u8], delimiter: Delimiter, is_last: bool, most: usize) -> Vec<(Cells, usize)> {
    // The crate takes a byte order mark off whatever it reads first, which here may be the middle of a file: an empty line comes first.
    let primed = std::io::Read::chain(b"\n".as_slice(), text);
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.delimiter(delimiter.byte()).has_headers(false).flexible(true).from_reader(primed);
    let (mut record, mut found) = (csv::ByteRecord::new(), Vec::new());
    while found.len() < most && reader.read_byte_record(&mut record).unwrap_or(false) {
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX) - 1;
        if end >= text.len() && !is_last {
            break; // It may go on.
        }
        found.push((record.iter().map(<[u8]>::to_vec).collect(), end));
    }
    found
}

/// NDJSON's lines, each with where it ends.
fn lines(text: &[u8], is_last: bool, most: usize) -> Vec<(Cells, usize)> {
    let mut end = 0;
    let whole = text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n") || is_last);
    let ends = whole.map(|line| {
        end += line.len();
        (vec![line.trim_ascii().to_vec()], end)
    });
    ends.take(most).collect()
}

#[cfg(test)]
mod tests;

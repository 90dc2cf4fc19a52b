//! A result, row by row: a CSV that shows no value of any row.

use crate::{
    error::{Error, Result},
    inbox::Outcome,
    rows::harmless,
    store::Became,
};

/// The headers of a result.
pub(super) const HEADERS: [&str; 5] = ["row", "outcome", "record_id", "code", "reason"];

/// CSV of these lines.
pub fn lines<'a>(lines: impl Iterator<Item = Vec<&'a str>>) -> Result<Vec<u8>> {
    let broken = |e: csv::Error| Error::bug("a line that is no CSV").because(e);
    let mut writer = csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for line in lines {
        writer.write_record(line.iter().map(|cell| harmless(cell).into_owned())).map_err(broken)?;
    }
    writer.into_inner().map_err(|e| Error::bug("a line that is no CSV").because(e.into_error()))
}

/// What became of these rows.
pub(super) fn result(rows: &[(u64, Outcome)]) -> Result<Vec<u8>> {
    let told: Vec<[String; 5]> = rows.iter().map(|(row, outcome)| told(*row, outcome)).collect();
    lines(told.iter().map(|line| line.iter().map(String::as_str).collect()))
}

fn told(row: u64, outcome: &Outcome) -> [String; 5] {
    let of = |word: &str, record: String, code: String, reason: String| {
        [row.to_string(), word.to_owned(), record, code, reason]
    };
    match outcome {
        Outcome::Refused(code, reason) => of("refused", String::new(), code.clone(), reason.clone()),
        Outcome::Done { record, became, odd } => {
            let word = match became {
                Became::Created => "created",
                Became::Updated => "updated",
                Became::Unchanged => "unchanged",
            };
            let each = |part: fn(&(String, String)) -> &str| odd.iter().map(part).collect::<Vec<_>>().join("; ");
            let record = record.as_ref().map(ToString::to_string).unwrap_or_default();
            of(word, record, each(|(code, _)| code), each(|(_, reason)| reason))
        }
    }
}

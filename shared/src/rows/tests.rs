//! Files as the CRMs write them, and any file that could be written.

use super::*;
use proptest::prelude::*;

fn table(format: Format, file: &[u8]) -> (Dialect, Vec<String>, Vec<Row>) {
    let (dialect, headers, begins) = Dialect::of(format, file, true, Hints::default()).unwrap();
    let at = usize::try_from(begins.offset).unwrap();
    let (rows, after) = rows(&file[at..], begins, true, &dialect, usize::MAX);
    assert_eq!(after.offset, file.len() as u64, "nothing is left");
    (dialect, headers, rows)
}

fn cells(rows: &[Row]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.cells.clone().unwrap()).collect()
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

/// Its exports are UTF-8 with commas, and every cell has quotes.
#[test]
fn hubspot() {
    let file = "\"Record ID\",\"First Name\",\"Last Name\",\"Email\",\"Phone Number\"\r\n\"151\",\"Zoë\",\"O\"\"Neil, Jr.\",\"zoe@example.com\",\"\"\r\n";
    let (dialect, headers, rows) = table(Format::Csv, file.as_bytes());
    assert_eq!((dialect.charset, dialect.delimiter), (Charset::Utf8, Delimiter::Comma));
    assert_eq!(headers[0], "Record ID");
    assert_eq!(cells(&rows), [["151", "Zoë", "O\"Neil, Jr.", "zoe@example.com", ""]]);
    assert_eq!(rows[0].number, 2, "as a spreadsheet counts");
}

/// Data Loader names fields as the API does, and keeps line breaks within quotes.
#[test]
fn salesforce() {
    let file = "\"ID\",\"FIRSTNAME\",\"LASTNAME\",\"DESCRIPTION\"\n\"00Q5e00000AbCdEEAV\",\"Ada\",\"Byron\",\"first\nsecond\"\n";
    let (_, _, rows) = table(Format::Csv, file.as_bytes());
    assert_eq!(cells(&rows), [["00Q5e00000AbCdEEAV", "Ada", "Byron", "first\nsecond"]]);
}

#[test]
fn zoho_with_a_byte_order_mark() {
    let file = "\u{feff}Record Id,Lead Owner,First Name,Last Name,Email\nzcrm_411,Max,Grace,Hopper,grace@example.com";
    let (dialect, headers, rows) = table(Format::Csv, file.as_bytes());
    assert_eq!((dialect.charset, headers[0].as_str()), (Charset::Utf8, "Record Id"));
    assert_eq!(cells(&rows)[0][4], "grace@example.com", "the last line has no end");
}

#[test]
fn pipedrive_through_a_german_excel() {
    let file =
        b"Person - Name;Person - Email - Work;Person - Phone - Work\r\nJ\xfcrgen Gro\xdf;j@example.de;030 1234\r\n";
    let (dialect, _, rows) = table(Format::Csv, file);
    assert_eq!((dialect.charset, dialect.delimiter), (Charset::Windows1252, Delimiter::Semicolon));
    assert_eq!(cells(&rows)[0][0], "Jürgen Groß");
}

#[test]
fn excels_unicode_text_and_its_word_for_the_delimiter() {
    for big in [false, true] {
        let file = utf16("E-Mail\tName\r\na@b.co\t\"J\t😀\"\r\n", big);
        let (dialect, headers, rows) = table(Format::Csv, &file);
        assert_eq!((dialect.delimiter, headers.len()), (Delimiter::Tab, 2));
        assert_eq!(cells(&rows), [["a@b.co", "J\t😀"]]);
    }
    let (dialect, headers, rows) = table(Format::Csv, b"sep=;\r\na,b;c\r\n1;2\r\n");
    assert_eq!((dialect.delimiter, headers.len(), rows[0].number), (Delimiter::Semicolon, 2, 2));
}

#[test]
fn empty_lines_are_no_rows_and_ragged_ones_are() {
    let (_, _, rows) = table(Format::Csv, b"a,b\n\n1\n1,2,3\n\n");
    assert_eq!(cells(&rows), [vec!["1"], vec!["1", "2", "3"]]);
    let (_, _, rows) = table(Format::Ndjson, b"{\"a\":1}\r\n\n{\"b\":2}");
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn what_cannot_be_read_says_so() {
    let (_, _, rows) = table(Format::Csv, "naïve,b\n1,2\n".as_bytes());
    assert_eq!(rows.len(), 1);
    let hints = Hints { charset: Some(Charset::Utf8), delimiter: None };
    let (dialect, _, at) = Dialect::of(Format::Csv, b"a,b\n\xfc,2\n3,4\n", true, hints).unwrap();
    let (read, _) = super::rows(b"\xfc,2\n3,4\n", at, true, &dialect, 9);
    assert_eq!((read[0].cells.clone(), read[1].cells.is_ok()), (Err(NoText), true), "the others are read");
    assert_eq!(Dialect::of(Format::Csv, b"\"never closed", false, Hints::default()), Err(Unread::NoHeader));
    assert_eq!(Dialect::of(Format::Csv, b"", true, Hints::default()), Err(Unread::NoHeader));
}

#[derive(Clone, Debug)]
struct Written {
    file: Vec<u8>,
    rows: Vec<Vec<String>>,
    charset: Charset,
}

/// Any table in any dialect. A row of one blank cell is written with quotes, as an empty line would be none.
fn written() -> impl Strategy<Value = Written> {
    let cell = |chars: &'static str| prop::collection::vec(prop::collection::vec(chars, 1..5), 1..6);
    let charsets = prop::sample::select(&[Charset::Utf8, Charset::Utf16Le, Charset::Utf16Be, Charset::Windows1252][..]);
    let wide = cell("[a\",;\t|\r\n '=\u{feff}äß€😀\u{10ffff}\u{d7ff}]{0,4}");
    let narrow = cell("[a\",;\t|\r\n '=äß€]{0,4}");
    let delimiters =
        prop::sample::select(&[Delimiter::Comma, Delimiter::Semicolon, Delimiter::Tab, Delimiter::Pipe][..]);
    let way = (charsets, delimiters, any::<bool>(), any::<bool>(), any::<bool>());
    (wide, narrow, way).prop_map(|(wide, narrow, (charset, delimiter, crlf, quotes, mark))| {
        let rows = if charset == Charset::Windows1252 { narrow } else { wide };
        let style = if quotes { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new();
        let mut writer = writer
            .delimiter(delimiter.byte())
            .quote_style(style)
            .terminator(end)
            .flexible(true)
            .from_writer(Vec::new());
        // The header tells the delimiter, whatever stands in the rows.
        writer.write_record(["h1", "h2", "h3", "h4"]).unwrap();
        rows.iter().for_each(|row| writer.write_record(row).unwrap());
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let file = match charset {
            Charset::Utf8 => if mark { format!("\u{feff}{text}") } else { text }.into_bytes(),
            Charset::Utf16Le | Charset::Utf16Be => utf16(&text, charset == Charset::Utf16Be),
            Charset::Windows1252 => encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
        };
        Written { file, rows, charset }
    })
}

fn hints(written: &Written) -> Hints {
    // Without a mark nobody can tell them apart for certain: `Ã¤` is a text too.
    Hints { charset: Some(written.charset), delimiter: None }
}

proptest! {
    #![proptest_config(crate::planner::cases(1000))]

    #[test]
    fn any_csv_is_read_back(written in written()) {
        let (dialect, _, begins) = Dialect::of(Format::Csv, &written.file, true, hints(&written)).unwrap();
        let at = usize::try_from(begins.offset).unwrap();
        let (read, _) = rows(&written.file[at..], begins, true, &dialect, usize::MAX);
        prop_assert_eq!(cells(&read), written.rows);
    }

    /// However the file is cut, wherever somebody was stopped: each row comes once, in its place.
    #[test]
    fn rows_are_the_same_from_wherever_one_goes_on(written in written(), cut in 1_usize..60, most in 1_usize..4) {
        let (dialect, _, begins) = Dialect::of(Format::Csv, &written.file, true, hints(&written)).unwrap();
        let at = usize::try_from(begins.offset).unwrap();
        let (whole, _) = rows(&written.file[at..], begins, true, &dialect, usize::MAX);
        let (mut place, mut found, mut part) = (begins, Vec::new(), cut);
        while place.offset < written.file.len() as u64 {
            let from = usize::try_from(place.offset).unwrap();
            let until = (from + part).min(written.file.len());
            let (some, after) = rows(&written.file[from..until], place, until == written.file.len(), &dialect, most);
            // A part without a whole row is asked for again, and larger.
            part = if after == place { part + cut } else { cut };
            found.extend(some);
            place = after;
        }
        prop_assert_eq!(found, whole);
    }
}

//! The words of SOQL (Salesforce docs: SOQL and SOSL Reference, quoted string escape sequences, date formats).

use crate::clock::parse_time;

#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Text(String),
    /// Epoch milliseconds.
    Time(i64),
    /// `2026-11-21`
    Date(String),
    Number(f64),
    Bool(bool),
    Null,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    Word(String),
    Mark(&'static str),
    Quoted(String),
}

const MARKS: [&str; 10] = ["!=", "<>", "<=", ">=", "(", ")", ",", "=", "<", ">"];

/// The tokens, or what is wrong.
pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first == '\'' {
            let (value, length) = quoted(rest)?;
            (Token::Quoted(value), length)
        } else if let Some(mark) = MARKS.into_iter().find(|mark| rest.starts_with(mark)) {
            (Token::Mark(mark), mark.len())
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || "(),=<>!'".contains(c)).unwrap_or(rest.len());
            if end == 0 {
                return Err(format!("unexpected token: '{first}'"));
            }
            (Token::Word(rest[..end].to_owned()), end)
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// A text in single quotes. `\%` and `\_` stay as they are, for LIKE to read.
fn quoted(rest: &str) -> Result<(String, usize), String> {
    let mut value = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return Ok((value, at + 1)),
            '\\' => match chars.next().map(|(_, c)| c) {
                Some(c @ ('\'' | '"' | '\\')) => value.push(c),
                Some('n' | 'N') => value.push('\n'),
                Some('r' | 'R') => value.push('\r'),
                Some('t' | 'T') => value.push('\t'),
                Some(c @ ('%' | '_')) => value.extend(['\\', c]),
                other => {
                    return Err(format!("Illegal string literal: Invalid string literal '\\{}'", other.unwrap_or(' ')));
                }
            },
            c => value.push(c),
        }
    }
    Err("line 1:0 mismatched character '<EOF>' expecting '''".to_owned())
}

/// A literal without quotes.
pub fn literal(word: &str) -> Option<Literal> {
    match word.to_lowercase().as_str() {
        "true" => return Some(Literal::Bool(true)),
        "false" => return Some(Literal::Bool(false)),
        "null" => return Some(Literal::Null),
        _ => {}
    }
    if let Ok(number) = word.parse::<f64>() {
        return Some(Literal::Number(number)).filter(|_| number.is_finite());
    }
    if word.len() == 10 && parse_time(&format!("{word}T00:00:00Z")).is_some() {
        return Some(Literal::Date(word.to_owned()));
    }
    parse_time(word).map(Literal::Time)
}

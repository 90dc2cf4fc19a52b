//! Lists, a page at a time. A cursor is nobody's to read but ours: where the page before ended.

use super::problem::{self, Problem};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::borrow::Cow;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The cursor of what comes after these; null at the end.
    pub next: Option<String>,
}

/// How many things a page has at most: 1 to 200. There may be fewer on a page that is not the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub struct Limit(u16);

/// In bytes (DynamoDB docs: constraints, sort key length).
pub const LONGEST_KEY: usize = 1_024;
const MOST: u16 = 200;
const USUAL: u16 = 50;

impl Default for Limit {
    fn default() -> Limit {
        Limit(USUAL)
    }
}

impl TryFrom<u16> for Limit {
    type Error = String;
    fn try_from(limit: u16) -> Result<Limit, String> {
        (1..=MOST).contains(&limit).then_some(Limit(limit)).ok_or_else(|| format!("limit is 1 to {MOST}"))
    }
}

impl Limit {
    pub fn get(self) -> usize {
        usize::from(self.0)
    }

    /// As the table counts.
    pub fn rows(self) -> i32 {
        i32::from(self.0)
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL})
    }
}

/// A place in a list, as a cursor.
pub fn cursor<P: Serialize>(place: &P) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// Where a list goes on; `None` at its beginning.
pub fn place<P: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<P>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    let read = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|json| serde_json::from_slice(&json).ok());
    read.map(Some).ok_or_else(|| Problem::new(problem::CURSOR, "the cursor cannot be read"))
}

/// The same of a list whose places are keys of the table, which all begin alike.
pub fn key(cursor: Option<&str>, begin: &str) -> Result<Option<String>, Problem> {
    let key: Option<String> = place(cursor)?;
    match key {
        Some(key) if key.is_empty() || key.len() > LONGEST_KEY || !key.starts_with(begin) => {
            Err(Problem::new(problem::CURSOR, "the cursor is of another list"))
        }
        key => Ok(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_and_another_is_refused() {
        assert_eq!(place(Some(&cursor(&(3, "a#b")))), Ok(Some((3, "a#b".to_owned()))));
        for bad in ["", "x", "!!", &cursor(&"another list's")] {
            assert!(place::<(u8, String)>(Some(bad)).is_err(), "{bad}");
        }
        assert_eq!(place::<u8>(None), Ok(None));
    }

    #[test]
    fn a_page_has_an_end() {
        #[derive(Deserialize)]
        struct Asked {
            #[serde(default)]
            limit: Limit,
        }
        let read = |query: &str| serde_urlencoded::from_str::<Asked>(query).map(|asked| asked.limit.get());
        assert_eq!(read("").unwrap(), 50);
        assert_eq!(read("limit=200").unwrap(), 200);
        for bad in ["limit=0", "limit=201", "limit=ten", "limit=-1", "limit=1&limit=2"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}

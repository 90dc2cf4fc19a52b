//! What fields an account has, and what it takes to have those that we need.

use crate::record::{RemoteField, Sort};

/// A field of an object, as our token sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    pub name: RemoteField,
    pub label: String,
    /// Whether we may write it.
    pub writable: bool,
    /// Whether the CRM refuses a second record with the same value.
    pub unique: bool,
    /// What it takes of us. Empty: whatever we have, or nobody knows.
    pub takes: &'static [Sort],
    /// Of a closed list, what is in it, as its values are written. Empty: any value, or nobody knows.
    pub options: Vec<String>,
}

/// What fields of a vendor's type take.
pub(super) type Types = &'static [(&'static str, &'static [Sort])];

/// What a field of this type takes.
pub(super) fn takes(types: Types, name: &str) -> &'static [Sort] {
    types.iter().find(|(known, _)| *known == name).map_or(&[], |(_, takes)| *takes)
}

/// A field that an account lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish<'a> {
    pub name: &'a str,
    /// It is to hold our record id.
    pub unique: bool,
}

impl Wish<'_> {
    /// How a person may read the name: `CRM_Sync_Id__c` is "CRM Sync Id".
    pub fn label(&self) -> String {
        self.name.trim_end_matches("__c").replace('_', " ")
    }
}

/// Whether a field's name is a code of 40 hexadecimal digits, as Pipedrive makes them and nobody else names a field.
pub(super) fn is_code(field: &str) -> bool {
    field.len() == 40 && field.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// What came of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    Done,
    /// The API does not allow it: what an admin must do, click by click.
    ByHand(String),
}

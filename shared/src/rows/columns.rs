//! A file's columns, and the hub's fields that they fill.

use crate::{
    id::ConnectionId,
    record::{Object, Sort, canonical},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One column of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// As the file has it.
    pub header: String,
    /// The hub's field that it fills; null: nothing of it is taken.
    pub field: Option<String>,
}

/// What headers mean for one import.
#[derive(Clone, Debug, Default)]
pub struct Columns<'a> {
    pub object: Object,
    /// The connection to the CRM that the file comes from: its column of ids is that CRM's.
    pub connection: Option<&'a ConnectionId>,
    /// Header → field, as a person said it; `None` leaves the column out.
    pub said: BTreeMap<String, Option<String>>,
    /// Fields that the tenant's own rules name.
    pub known: BTreeSet<String>,
    /// Whether any other column becomes a field under its own name.
    pub keep: bool,
}

/// What CRMs' exports call their own ids, squeezed: HubSpot and Zoho `Record ID`, Salesforce `Id`, Pipedrive `ID`.
const IDS: [&str; 5] = ["recordid", "id", "contactid", "leadid", "personid"];
/// What their exports call things beyond the hub's own names for them, squeezed.
const LABELS: [(&str, &str); 13] = [
    ("emailaddress", "email"),
    ("primaryemail", "email"),
    ("primaryphone", "phone"),
    ("mobilephonenumber", "mobile"),
    ("organizationname", "company"),
    ("associatedcompany", "company"),
    ("state/region", "state"),
    ("stateprovince", "state"),
    ("country/region", "country"),
    ("streetaddress", "street"),
    ("mailingstateprovince", "state"),
    ("mailingzippostalcode", "postal_code"),
    ("websiteurl", "website"),
];
/// Pipedrive's exports say whose a column is, and which of several values: `Person - Email - Work`.
const KINDS: [&str; 4] = ["work", "home", "mobile", "other"];

impl Columns<'_> {
    /// The fields that these headers stand for.
    pub fn of(&self, headers: &[String]) -> Vec<Column> {
        headers.iter().map(|header| Column { header: header.clone(), field: self.field(header) }).collect()
    }

    /// The field that one header stands for.
    pub fn field(&self, header: &str) -> Option<String> {
        let header = header.trim();
        let said = self.said.iter().find(|(said, _)| said.trim().eq_ignore_ascii_case(header));
        if let Some((_, field)) = said {
            return field.clone().filter(|field| !field.trim().is_empty());
        }
        if header.is_empty() {
            return None;
        }
        if self.known.contains(header) {
            return Some(header.to_owned());
        }
        let bare = self.bare(header);
        if let Some(connection) = self.connection.filter(|_| IDS.contains(&squeezed(bare).as_str())) {
            return Some(format!("{connection}_id"));
        }
        if squeezed(bare) == "id" {
            return Some("id".to_owned());
        }
        self.ours(bare).or_else(|| self.keep.then(|| header.to_owned()))
    }

    /// One of the hub's own fields.
    fn ours(&self, header: &str) -> Option<String> {
        let squeezed = squeezed(header);
        if self.object == Object::Person && matches!(squeezed.as_str(), "name" | "fullname") {
            return Some("name".to_owned());
        }
        let labelled = LABELS.iter().find(|(label, _)| *label == squeezed).map(|(_, field)| *field);
        let name = canonical(&self.object, labelled.unwrap_or(header));
        (labelled.is_some() || Sort::of(name).is_some()).then(|| name.to_owned())
    }

    /// Without whose it is and which of several.
    fn bare<'h>(&self, header: &'h str) -> &'h str {
        let Some((whose, what)) = header.split_once(" - ") else { return header };
        if !self.object.names().contains(&whose.to_lowercase().as_str()) {
            return header;
        }
        match what.rsplit_once(" - ") {
            Some((what, kind)) if KINDS.contains(&kind.to_lowercase().as_str()) => what,
            _ => what,
        }
    }
}

fn squeezed(header: &str) -> String {
    header.chars().filter(|c| !matches!(c, '_' | ' ' | '-')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(columns: &Columns<'_>, headers: &[(&str, Option<&str>)]) {
        for (header, field) in headers {
            assert_eq!(columns.field(header).as_deref(), *field, "{header}");
        }
    }

    #[test]
    fn headers_of_the_crms_own_exports_are_known() {
        let hubspot = "hubspot".parse().unwrap();
        let of = |object, connection| Columns { object, connection, ..Columns::default() };
        let person = of(Object::Person, Some(&hubspot));
        check(
            &person,
            &[("Record ID", Some("hubspot_id")), ("First Name", Some("first_name")), ("Email", Some("email"))],
        );
        check(
            &person,
            &[("Phone Number", Some("phone")), ("Lead Status", Some("lead_status")), ("Contact owner", None)],
        );
        check(
            &person,
            &[("FirstName", Some("first_name")), ("Title", Some("job_title")), ("MobilePhone", Some("mobile"))],
        );
        check(
            &person,
            &[("Record Id", Some("hubspot_id")), ("Lead Source", Some("lead_source")), ("Id", Some("hubspot_id"))],
        );
        let pipedrive = of(Object::Person, None);
        check(&pipedrive, &[("Person - Name", Some("name")), ("Person - Email - Work", Some("email"))]);
        check(&pipedrive, &[("Person - Phone - Mobile", Some("phone")), ("Person - Organization", Some("company"))]);
        check(&pipedrive, &[("Deal - Title", None), ("ID", Some("id")), (" E-Mail ", Some("email")), ("", None)]);
        check(&of(Object::Deal, None), &[("Deal - Title", Some("name")), ("Amount", Some("amount"))]);
    }

    #[test]
    fn a_persons_word_goes_first_and_the_rest_is_kept_only_if_asked() {
        let said = BTreeMap::from([("Email".to_owned(), None), ("Fav colour".to_owned(), Some("colour".to_owned()))]);
        let columns = Columns { said, known: ["plan".to_owned()].into(), ..Columns::default() };
        check(&columns, &[("email ", None), ("fav colour", Some("colour")), ("plan", Some("plan")), ("Plan B", None)]);
        check(&Columns { keep: true, ..columns }, &[("Plan B", Some("Plan B")), ("Email", None)]);
    }
}

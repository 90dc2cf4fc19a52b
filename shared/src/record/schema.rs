//! The hub's own fields: what each holds, and the names that others have for it.

use super::{Kind, Object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// What a value is. CRMs keep days and times apart from texts; the hub holds them as texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    Text,
    Number,
    Flag,
    /// A day: `2026-11-21`.
    Date,
    /// A time: `2026-11-21T09:00:00Z`.
    Time,
    List,
}

use Sort::{Date, Flag, Number, Text, Time};

impl Sort {
    /// What a field of the hub's holds; `None` of a field of the tenant's own, which keeps the kind of its first value.
    pub fn of(field: &str) -> Option<Sort> {
        FIELDS.iter().find(|known| known.name == field).map(|known| known.sort)
    }

    /// As what the hub holds it.
    pub fn kind(self) -> Kind {
        match self {
            Text | Date | Time => Kind::Text,
            Number => Kind::Number,
            Flag => Kind::Flag,
            Sort::List => Kind::List,
        }
    }

    /// As a person calls it.
    pub fn title(self) -> &'static str {
        match self {
            Text => "a text",
            Number => "a number",
            Flag => "true or false",
            Date => "a day",
            Time => "a time",
            Sort::List => "a list",
        }
    }
}

/// A field that every hub may have.
struct Known {
    /// Of these objects; of all where there are none.
    of: &'static [Object],
    name: &'static str,
    sort: Sort,
    /// What others call it. Capitals and underscores make no other name.
    aliases: &'static [&'static str],
}

const fn of_all(name: &'static str, sort: Sort, aliases: &'static [&'static str]) -> Known {
    Known { of: &[], name, sort, aliases }
}

const fn of_people(name: &'static str, sort: Sort, aliases: &'static [&'static str]) -> Known {
    Known { of: &[Object::Person], name, sort, aliases }
}

const fn of_companies(name: &'static str, sort: Sort, aliases: &'static [&'static str]) -> Known {
    Known { of: &[Object::Company], name, sort, aliases }
}

const fn of_deals(name: &'static str, sort: Sort, aliases: &'static [&'static str]) -> Known {
    Known { of: &[Object::Deal], name, sort, aliases }
}

const fn of_tasks(name: &'static str, sort: Sort, aliases: &'static [&'static str]) -> Known {
    Known { of: &[Object::Note, Object::Task], name, sort, aliases }
}

/// One name has one sort, whatever it is of.
const FIELDS: &[Known] = &[
    of_people("email", Text, &["mail", "email_address"]),
    of_people("first_name", Text, &["given_name", "forename"]),
    of_people("last_name", Text, &["family_name", "surname"]),
    of_people("full_name", Text, &["name"]),
    of_people("company", Text, &["company_name", "organization", "organisation", "organization_name", "account_name"]),
    of_people("job_title", Text, &["title", "designation"]),
    of_people("mobile", Text, &["mobile_phone", "mobile_number", "cell_phone"]),
    of_people("lead_source", Text, &[]),
    of_people("lead_status", Text, &["hs_lead_status", "crm_lead_status"]),
    of_people("lead_rating", Text, &["rating"]),
    of_people("lifecycle_stage", Text, &["crm_lifecycle_stage"]),
    of_people("email_opted_out", Flag, &["unsubscribed", "has_opted_out_of_email", "email_opt_out", "hs_email_optout"]),
    of_people("consent", Text, &["consent_text", "legal_basis"]),
    of_people("consent_at", Time, &["consent_time", "consent_date"]),
    of_people("consent_source", Text, &[]),
    of_people("callStatus", Text, &[]),
    of_people("duration", Number, &["call_duration"]),
    of_people("successEvaluation", Text, &[]),
    of_people("last_call", Text, &[]),
    of_people("lead_score", Number, &[]),
    of_people("engagement_score", Number, &[]),
    of_people("last_email_opened", Time, &[]),
    of_people("last_campaign_id", Text, &["last_campaign"]),
    of_people("subscription_status", Text, &[]),
    of_people("order_count", Number, &[]),
    of_people("ltv", Number, &["lifetime_value"]),
    of_people("views", Number, &["total_views"]),
    of_people("questions", Number, &["total_questions"]),
    of_people("downloads", Number, &["total_downloads"]),
    of_people("cta_clicks", Number, &[]),
    of_people("time_spent", Number, &["total_time_spent"]),
    of_people("contents_accessed", Number, &[]),
    of_people("conversions", Number, &["total_conversions"]),
    of_people("completions", Number, &[]),
    of_people("emails_sent", Number, &[]),
    of_people("opens", Number, &["total_opens"]),
    of_people("clicks", Number, &["total_clicks"]),
    of_people("replies", Number, &["total_replies"]),
    of_people("bounces", Number, &["total_bounces"]),
    of_people("crm_last_modified_at", Time, &[]),
    of_companies("name", Text, &["company_name", "organization", "organisation", "account_name"]),
    of_companies("domain", Text, &["company_domain"]),
    of_companies("industry", Text, &["company_industry"]),
    of_companies("company_size", Number, &["number_of_employees", "employee_count", "employees"]),
    of_companies("annual_revenue", Number, &["company_revenue"]),
    of_deals("name", Text, &["deal_name", "title", "opportunity_name"]),
    of_deals("amount", Number, &["deal_amount", "value"]),
    of_deals("stage", Text, &["deal_stage", "stage_name"]),
    of_deals("close_date", Date, &["closing_date", "expected_close_date"]),
    of_tasks("subject", Text, &["hs_task_subject"]),
    of_tasks("body", Text, &["description", "hs_task_body", "hs_note_body"]),
    of_tasks("due_date", Date, &["activity_date"]),
    of_tasks("happened_at", Time, &[]),
    of_tasks("status", Text, &["hs_task_status"]),
    of_tasks("priority", Text, &["hs_task_priority"]),
    of_all("phone", Text, &["phone_number", "telephone"]),
    of_all("street", Text, &["mailing_street", "billing_street"]),
    of_all("city", Text, &["mailing_city", "billing_city"]),
    of_all("state", Text, &["mailing_state", "billing_state"]),
    of_all("postal_code", Text, &["zip", "zip_code", "mailing_postal_code", "billing_postal_code"]),
    of_all("country", Text, &["mailing_country", "billing_country"]),
    of_all("company_id", Text, &[]),
    of_all("contact_id", Text, &[]),
    of_all("deal_id", Text, &[]),
];

/// What the hub calls the fields that every hub may have.
pub static FIELD_NAMES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| FIELDS.iter().map(|known| known.name).collect());

/// The hub's own name for a field, where it has one: a person's `firstname`, `FirstName` and `given_name` are `first_name`. Any other
/// field is the tenant's own, under its own name.
pub fn canonical<'n>(object: &Object, name: &'n str) -> &'n str {
    let of = |known: &&&Known| known.of.is_empty() || known.of.contains(object);
    if FIELDS.iter().any(|known| known.name == name && of(&&known)) {
        return name;
    }
    let meant = NAMES.get(&squeezed(name)).and_then(|fields| fields.iter().find(of));
    meant.map_or(name, |known| known.name)
}

/// The fields that a name may stand for, each of other objects.
static NAMES: LazyLock<BTreeMap<String, Vec<&Known>>> = LazyLock::new(|| {
    let mut names: BTreeMap<String, Vec<&Known>> = BTreeMap::new();
    for known in FIELDS {
        for name in known.aliases.iter().chain([&known.name]) {
            names.entry(squeezed(name)).or_default().push(known);
        }
    }
    names
});

fn squeezed(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | ' ' | '-')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the systems that came before ours call things.
    #[test]
    fn a_legacy_name_is_one_of_ours() {
        let check = |object: &Object, ours: &str, names: &[&str]| {
            for name in names {
                assert_eq!(canonical(object, name), ours, "{object}'s {name}");
            }
        };
        check(&Object::Person, "first_name", &["firstname", "FirstName", "First_Name", "firstName", "first_name"]);
        check(&Object::Person, "last_name", &["lastname", "LastName", "Last_Name", "lastName"]);
        check(&Object::Person, "full_name", &["name", "Full_Name", "fullName"]);
        check(&Object::Person, "email", &["Email", "email"]);
        check(&Object::Person, "phone", &["Phone"]);
        check(&Object::Person, "mobile", &["mobile", "Mobile", "MobilePhone", "mobilephone"]);
        check(&Object::Person, "company", &["company_name", "organization", "Company"]);
        check(&Object::Person, "job_title", &["jobtitle", "Title", "job_title", "Designation"]);
        check(&Object::Person, "city", &["MailingCity", "City"]);
        check(&Object::Person, "lead_status", &["hs_lead_status", "crm_lead_status", "Lead_Status"]);
        check(&Object::Person, "lifecycle_stage", &["lifecyclestage", "crm_lifecycle_stage"]);
        check(&Object::Person, "lead_score", &["leadScore"]);
        check(&Object::Person, "opens", &["total_opens", "totalOpens"]);
        check(&Object::Person, "email_opted_out", &["unsubscribed", "email_opted_out", "HasOptedOutOfEmail"]);
        check(&Object::Person, "callStatus", &["call_status", "callStatus"]);
        check(&Object::Company, "name", &["company_name", "name", "Account_Name"]);
        check(&Object::Company, "company_size", &["numberofemployees", "NumberOfEmployees"]);
        check(&Object::Deal, "name", &["dealname", "title"]);
        check(&Object::Deal, "stage", &["dealstage", "StageName"]);
        check(&Object::Deal, "title_of_honour", &["title_of_honour"]);
    }

    #[test]
    fn no_name_stands_for_two_fields_and_each_has_one_sort() {
        let mut sorts = BTreeMap::new();
        for known in FIELDS {
            assert_eq!(*sorts.entry(known.name).or_insert(known.sort), known.sort, "{}", known.name);
        }
        for object in Object::known() {
            let mut names = BTreeMap::new();
            for known in FIELDS.iter().filter(|known| known.of.is_empty() || known.of.contains(&object)) {
                for name in known.aliases.iter().chain([&known.name]) {
                    assert_eq!(names.insert(squeezed(name), known.name), None, "{object}'s {name}");
                    assert_eq!(canonical(&object, name), known.name);
                }
            }
        }
    }
}

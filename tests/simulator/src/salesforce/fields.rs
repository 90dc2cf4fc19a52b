//! The objects' fields (Salesforce docs: Object Reference, Lead, Contact, Account, Opportunity, Task, Note, Campaign, CampaignMember, system fields).

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Id,
    Text,
    Area,
    Email,
    Phone,
    Url,
    Picklist,
    Currency,
    Int,
    Boolean,
    Date,
    Datetime,
    Reference,
}

impl Kind {
    /// As describe calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Text => "string",
            Self::Area => "textarea",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Url => "url",
            Self::Picklist => "picklist",
            Self::Currency => "currency",
            Self::Int => "int",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Reference => "reference",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Field {
    pub name: String,
    pub kind: Kind,
    pub length: usize,
    pub required: bool,
    pub unique: bool,
    pub external_id: bool,
    pub id_lookup: bool,
    /// Also createable.
    pub updateable: bool,
    pub options: &'static [&'static str],
    /// Takes its options only.
    pub restricted: bool,
    /// What a record that was made without it gets.
    pub default: Option<&'static str>,
    /// Several where the id tells which.
    pub refers_to: &'static [&'static str],
}

fn field(name: &str, kind: Kind, length: usize) -> Field {
    Field {
        name: name.to_owned(),
        kind,
        length,
        required: false,
        unique: false,
        external_id: false,
        id_lookup: false,
        updateable: true,
        options: &[],
        restricted: false,
        default: None,
        refers_to: &[],
    }
}

fn text(name: &str, length: usize) -> Field {
    field(name, Kind::Text, length)
}

fn area(name: &str, length: usize) -> Field {
    field(name, Kind::Area, length)
}

fn phone(name: &str) -> Field {
    field(name, Kind::Phone, 40)
}

fn picklist(name: &str, options: &'static [&'static str]) -> Field {
    Field { options, ..field(name, Kind::Picklist, 255) }
}

fn reference(name: &str, to: &'static [&'static str]) -> Field {
    Field { refers_to: to, ..field(name, Kind::Reference, 18) }
}

impl Field {
    fn required(self) -> Self {
        Self { required: true, ..self }
    }

    fn looked_up(self) -> Self {
        Self { id_lookup: true, ..self }
    }

    fn read_only(self) -> Self {
        Self { updateable: false, ..self }
    }

    /// A text that an admin of the org has added.
    pub fn custom(name: &str, length: usize) -> Self {
        text(name, length)
    }

    /// The key of records that another system knows.
    pub fn key(name: &str, length: usize) -> Self {
        Self { unique: true, external_id: true, id_lookup: true, ..Self::custom(name, length) }
    }

    pub fn is_custom(&self) -> bool {
        self.name.ends_with("__c")
    }
}

const STATUSES: &[&str] =
    &["Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted"];
const SOURCES: &[&str] = &["Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"];
const INDUSTRIES: &[&str] =
    &["Banking", "Education", "Electronics", "Energy", "Healthcare", "Retail", "Technology", "Other"];
const STAGES: &[&str] = &["Prospecting", "Qualification", "Proposal/Price Quote", "Closed Won", "Closed Lost"];

const TASK_STATUSES: &[&str] = &["Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred"];

fn lead() -> Vec<Field> {
    vec![
        text("FirstName", 40),
        text("LastName", 80).required(),
        text("Name", 121).read_only(),
        text("Company", 255).required(),
        field("Email", Kind::Email, 80).looked_up(),
        phone("Phone"),
        phone("MobilePhone"),
        text("Title", 128),
        picklist("LeadSource", SOURCES),
        Field { restricted: true, default: Some("Open - Not Contacted"), ..picklist("Status", STATUSES) },
        area("Description", 32_000),
        area("Street", 255),
        text("City", 40),
        text("State", 80),
        text("PostalCode", 20),
        text("Country", 80),
        field("Website", Kind::Url, 255),
        picklist("Industry", INDUSTRIES),
        field("AnnualRevenue", Kind::Currency, 0),
        field("NumberOfEmployees", Kind::Int, 0),
        field("HasOptedOutOfEmail", Kind::Boolean, 0),
        reference("OwnerId", &["User"]),
        field("IsConverted", Kind::Boolean, 0).read_only(),
        field("ConvertedDate", Kind::Date, 0).read_only(),
        reference("ConvertedAccountId", &["Account"]).read_only(),
        reference("ConvertedContactId", &["Contact"]).read_only(),
        reference("ConvertedOpportunityId", &["Opportunity"]).read_only(),
        reference("MasterRecordId", &["Lead"]).read_only(),
    ]
}

fn contact() -> Vec<Field> {
    vec![
        text("FirstName", 40),
        text("LastName", 80).required(),
        text("Name", 121).read_only(),
        reference("AccountId", &["Account"]),
        field("Email", Kind::Email, 80).looked_up(),
        phone("Phone"),
        phone("MobilePhone"),
        text("Title", 128),
        text("Department", 80),
        picklist("LeadSource", SOURCES),
        area("Description", 32_000),
        area("MailingStreet", 255),
        text("MailingCity", 40),
        text("MailingState", 80),
        text("MailingPostalCode", 20),
        text("MailingCountry", 80),
        field("HasOptedOutOfEmail", Kind::Boolean, 0),
        reference("OwnerId", &["User"]),
        reference("MasterRecordId", &["Contact"]).read_only(),
    ]
}

fn account() -> Vec<Field> {
    vec![
        text("Name", 255).required(),
        phone("Phone"),
        field("Website", Kind::Url, 255),
        picklist("Industry", INDUSTRIES),
        field("AnnualRevenue", Kind::Currency, 0),
        field("NumberOfEmployees", Kind::Int, 0),
        area("Description", 32_000),
        area("BillingStreet", 255),
        text("BillingCity", 40),
        text("BillingState", 80),
        text("BillingPostalCode", 20),
        text("BillingCountry", 80),
        reference("OwnerId", &["User"]),
        reference("MasterRecordId", &["Account"]).read_only(),
    ]
}

fn opportunity() -> Vec<Field> {
    vec![
        text("Name", 120).required(),
        picklist("StageName", STAGES).required(),
        field("CloseDate", Kind::Date, 0).required(),
        field("Amount", Kind::Currency, 0),
        reference("AccountId", &["Account"]),
        picklist("LeadSource", SOURCES),
        area("Description", 32_000),
        reference("OwnerId", &["User"]),
    ]
}

/// Whom a task is with, and what else it is about.
fn task() -> Vec<Field> {
    vec![
        text("Subject", 255),
        area("Description", 32_000),
        field("ActivityDate", Kind::Date, 0),
        Field { default: Some("Not Started"), ..picklist("Status", TASK_STATUSES) },
        Field { default: Some("Normal"), ..picklist("Priority", &["High", "Normal", "Low"]) },
        reference("WhoId", &["Contact", "Lead"]),
        reference("WhatId", &["Account", "Opportunity"]),
        reference("OwnerId", &["User"]),
    ]
}

/// Of one record.
fn note() -> Vec<Field> {
    vec![
        text("Title", 80).required(),
        area("Body", 32_000),
        reference("ParentId", &["Lead", "Contact", "Account", "Opportunity"]).required(),
        reference("OwnerId", &["User"]),
    ]
}

/// A lead or a contact, once in each campaign.
fn member() -> Vec<Field> {
    vec![
        reference("CampaignId", &["Campaign"]).required(),
        reference("LeadId", &["Lead"]),
        reference("ContactId", &["Contact"]),
        text("Status", 40),
    ]
}

fn system() -> Vec<Field> {
    vec![
        field("Id", Kind::Id, 18).looked_up().read_only(),
        field("IsDeleted", Kind::Boolean, 0).read_only(),
        field("CreatedDate", Kind::Datetime, 0).read_only(),
        reference("CreatedById", &["User"]).read_only(),
        field("LastModifiedDate", Kind::Datetime, 0).read_only(),
        reference("LastModifiedById", &["User"]).read_only(),
        field("SystemModstamp", Kind::Datetime, 0).read_only(),
    ]
}

/// The system's fields first, then the object's own.
pub fn standard(object: &str) -> Vec<Field> {
    let own = match object {
        "Lead" => lead(),
        "Contact" => contact(),
        "Account" => account(),
        "Vehicle__c" => vec![text("Name", 80), text("Plate__c", 20), reference("OwnerId", &["User"])],
        "Task" => task(),
        "Note" => note(),
        "Campaign" => vec![text("Name", 80).required(), reference("OwnerId", &["User"])],
        "CampaignMember" => member(),
        _ => opportunity(),
    };
    system().into_iter().chain(own).collect()
}

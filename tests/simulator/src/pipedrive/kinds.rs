//! What a company keeps: kinds of records and their own fields (Pipedrive API v2: persons, organizations, deals, activities;
//! API v1: leads, notes).

#[derive(Debug)]
pub struct Kind {
    /// In paths, and the name of its table.
    pub table: &'static str,
    /// In webhooks.
    pub entity: &'static str,
    pub required: &'static str,
    pub fields: &'static [Field],
    /// The table whose custom fields it has; leads have those of deals.
    pub customs: Option<&'static str>,
    pub first_id: u64,
}

#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Text,
    Integer,
    Number,
    Boolean,
    /// `[{"value", "label", "primary"}]`
    Contacts,
    List,
    Object,
    /// The id of a live record in this table.
    Link(&'static str),
    /// Shown, never written.
    Derived,
}

use Shape::{Boolean, Contacts, Derived, Integer, Link, List, Number, Object, Text};

const fn f(name: &'static str, shape: Shape) -> Field {
    Field { name, shape }
}

pub const PERSON: &Kind = &Kind {
    table: "persons",
    entity: "person",
    required: "name",
    customs: Some("persons"),
    first_id: 1,
    fields: &[
        f("name", Text),
        f("first_name", Derived),
        f("last_name", Derived),
        f("owner_id", Integer),
        f("org_id", Link("organizations")),
        f("emails", Contacts),
        f("phones", Contacts),
        f("label_ids", List),
        f("visible_to", Integer),
        f("picture_id", Derived),
        f("job_title", Text),
        f("birthday", Text),
        f("notes", Text),
        f("im", Contacts),
        f("postal_address", Object),
        f("marketing_status", Text),
    ],
};

pub const ORGANIZATION: &Kind = &Kind {
    table: "organizations",
    entity: "organization",
    required: "name",
    customs: Some("organizations"),
    first_id: 1,
    fields: &[
        f("name", Text),
        f("owner_id", Integer),
        f("address", Object),
        f("website", Text),
        f("linkedin", Text),
        f("industry", Integer),
        f("annual_revenue", Number),
        f("employee_count", Integer),
        f("label_ids", List),
        f("visible_to", Integer),
    ],
};

pub const DEAL: &Kind = &Kind {
    table: "deals",
    entity: "deal",
    required: "title",
    customs: Some("deals"),
    first_id: 1,
    fields: &[
        f("title", Text),
        f("creator_user_id", Derived),
        f("owner_id", Integer),
        f("value", Number),
        f("currency", Text),
        f("person_id", Link("persons")),
        f("org_id", Link("organizations")),
        f("stage_id", Integer),
        f("pipeline_id", Integer),
        f("status", Text),
        f("probability", Number),
        f("lost_reason", Text),
        f("close_time", Text),
        f("won_time", Text),
        f("lost_time", Text),
        f("expected_close_date", Text),
        f("is_archived", Boolean),
        f("archive_time", Text),
        f("label_ids", List),
        f("visible_to", Integer),
        f("origin", Derived),
    ],
};

pub const ACTIVITY: &Kind = &Kind {
    table: "activities",
    entity: "activity",
    required: "subject",
    customs: None,
    first_id: 1,
    fields: &[
        f("subject", Text),
        f("type", Text),
        f("owner_id", Integer),
        f("creator_user_id", Derived),
        f("deal_id", Link("deals")),
        f("lead_id", Link("leads")),
        f("person_id", Link("persons")),
        f("org_id", Link("organizations")),
        f("project_id", Integer),
        f("due_date", Text),
        f("due_time", Text),
        f("duration", Text),
        f("busy", Boolean),
        f("done", Boolean),
        f("location", Object),
        f("participants", List),
        f("attendees", List),
        f("public_description", Text),
        f("priority", Integer),
        f("note", Text),
    ],
};

pub const LEAD: &Kind = &Kind {
    table: "leads",
    entity: "lead",
    required: "title",
    customs: Some("deals"),
    first_id: 0x05d7_1fb4_26ec,
    fields: &[
        f("title", Text),
        f("owner_id", Integer),
        f("creator_id", Derived),
        f("label_ids", List),
        f("person_id", Link("persons")),
        f("organization_id", Link("organizations")),
        f("source_name", Derived),
        f("origin", Derived),
        f("origin_id", Text),
        f("channel", Integer),
        f("channel_id", Text),
        f("is_archived", Boolean),
        f("was_seen", Boolean),
        f("value", Object),
        f("expected_close_date", Text),
        f("next_activity_id", Derived),
        f("visible_to", Text),
    ],
};

pub const NOTE: &Kind = &Kind {
    table: "notes",
    entity: "note",
    required: "content",
    customs: None,
    first_id: 1,
    fields: &[
        f("content", Text),
        f("user_id", Integer),
        f("lead_id", Link("leads")),
        f("deal_id", Link("deals")),
        f("person_id", Link("persons")),
        f("org_id", Link("organizations")),
        f("pinned_to_lead_flag", Integer),
        f("pinned_to_deal_flag", Integer),
        f("pinned_to_person_flag", Integer),
        f("pinned_to_organization_flag", Integer),
    ],
};

pub const ALL: [&Kind; 6] = [PERSON, ORGANIZATION, DEAL, ACTIVITY, LEAD, NOTE];

impl Kind {
    pub fn of_table(name: &str) -> Option<&'static Self> {
        ALL.into_iter().find(|k| k.table == name)
    }

    /// The kinds of API v2, which alone have the v2 routes.
    pub fn of_v2(name: &str) -> Option<&'static Self> {
        [PERSON, ORGANIZATION, DEAL, ACTIVITY].into_iter().find(|k| k.table == name)
    }

    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|f| f.name == name)
    }
}

/// A lead's id is a UUID; its table counts (the example of Pipedrive API v1: leads, with the count at the end).
pub fn lead_uuid(id: u64) -> String {
    format!("{LEAD_PREFIX}{id:012x}")
}

/// The id of a record as paths, bodies and edits spell it.
pub fn parse_id(kind: &Kind, text: &str) -> Option<u64> {
    match kind.table {
        "leads" => u64::from_str_radix(text.strip_prefix(LEAD_PREFIX)?, 16).ok(),
        _ => text.parse().ok(),
    }
}

const LEAD_PREFIX: &str = "adf21080-0e10-11eb-879b-";

//! The records: what the hub says, what was agreed, and what the CRM shows now.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::{
    mapping::{Formula, Mapping, Rule},
    planner::Seen,
    record::{Agreed, Fields, Link, Value, Written},
};
use std::{collections::BTreeMap, error::Error};

const RECORDS: usize = 10_000;

/// A file of records, and the rules that they are decided by.
#[derive(Serialize, Deserialize)]
pub(crate) struct Data {
    pub(crate) mapping: Mapping,
    rows: Vec<Row>,
}

/// Values as they stand in JSON.
type Values = BTreeMap<String, serde_json::Value>;

/// A record. By remote field, `agreed` is what we rendered and how the CRM spelt it, `shown` what it shows now.
#[derive(Serialize, Deserialize)]
struct Row {
    hub: Values,
    agreed: BTreeMap<String, (serde_json::Value, serde_json::Value)>,
    shown: Values,
}

pub(crate) struct Record {
    pub(crate) hub: Fields,
    pub(crate) link: Link,
    pub(crate) seen: Seen,
}

/// When the hub's values were written, when all was agreed, and when the CRM was edited.
fn at(minute: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
}

/// A template, a condition, a sum, a table of values, and seven fields that flow both ways.
fn mapping() -> Result<Mapping, Box<dyn Error>> {
    let both = ["first_name", "last_name", "email", "phone", "company", "job_title", "city"];
    let remote = ["FirstName", "LastName", "Email", "Phone", "Company", "Title", "City"];
    let mut rules: Vec<Rule> = both.iter().zip(remote).map(|(hub, remote)| Rule::both(hub, remote)).collect();
    rules.push(Rule::computed("name", Formula::parse("{{first_name}} {{last_name}}")?, "Full_Name__c"));
    rules.push(Rule::computed("heat", Formula::parse("'Hot' if lead_score >= 75 else 'Warm'")?, "Lead_Status__c"));
    rules.push(Rule::computed("sum", Formula::parse("SUM(opens, clicks)")?, "Total_Email_Engagement__c"));
    let states = [("open", "Prospecting"), ("won", "Closed Won"), ("lost", "Closed Lost")];
    rules.push(Rule::both("stage", "StageName").values(states));
    Ok(Mapping::new("Lead", "CRM_Sync_Id__c", rules))
}

/// Everything was agreed; then of each ten records the product changes one's score and company, and a user of the CRM another's phone.
pub(crate) fn data() -> Result<Data, Box<dyn Error>> {
    let mapping = mapping()?;
    let mut rows = Vec::with_capacity(RECORDS);
    for n in 0..RECORDS {
        let stage = ["open", "won", "lost"][n % 3];
        let said = [
            ("first_name", format!("First {n}")),
            ("last_name", format!("Last {n}")),
            ("email", format!("person-{n}@example.com")),
            ("phone", format!("+1415{:07}", 5_550_000 + n)),
            ("company", format!("Company {}", n % 500)),
            ("job_title", "Engineer".to_owned()),
            ("city", "London".to_owned()),
            ("stage", stage.to_owned()),
        ];
        let mut hub: Values = said.into_iter().map(|(field, text)| (field.to_owned(), text.into())).collect();
        hub.extend(
            [("lead_score", n % 150), ("opens", n % 20), ("clicks", n % 7)].map(|(f, v)| (f.to_owned(), v.into())),
        );
        let wanted = mapping.render(&fields(&hub)?, None);
        let agreed: BTreeMap<_, _> = wanted
            .into_iter()
            .map(|(field, value)| {
                let plain = Value::plain(value.as_ref());
                (field, (plain.clone(), plain))
            })
            .collect();
        let mut shown: Values = agreed.iter().map(|(field, (_, theirs))| (field.clone(), theirs.clone())).collect();
        match n % 10 {
            3 => hub.extend([("lead_score".to_owned(), 100.into()), ("company".to_owned(), "Another Ltd".into())]),
            7 => drop(shown.insert("Phone".to_owned(), format!("+1628{:07}", 5_550_000 + n).into())),
            _ => {}
        }
        rows.push(Row { hub, agreed, shown });
    }
    Ok(Data { mapping, rows })
}

fn value(json: &serde_json::Value) -> Result<Option<Value>, Box<dyn Error>> {
    Value::from_json(json).map_err(|error| error.to_string().into())
}

fn fields(values: &Values) -> Result<Fields, Box<dyn Error>> {
    let source = "workflow".parse()?;
    let written = |(field, json): (&String, _)| Ok((field.clone(), Written::new(value(json)?, at(1), &source)));
    values.iter().map(written).collect()
}

impl Data {
    pub(crate) fn read(&self) -> Result<Vec<Record>, Box<dyn Error>> {
        let record = |row: &Row| {
            let mut link = Link { remote: Some("remote".parse()?), modified: Some(at(2)), ..Link::default() };
            for (field, (ours, theirs)) in &row.agreed {
                link.agreed.insert(field.clone(), Agreed::new(value(ours)?.as_ref(), value(theirs)?.as_ref()));
            }
            let shown = row.shown.iter().map(|(field, json)| Ok((field.clone(), value(json)?)));
            let shown = shown.collect::<Result<BTreeMap<_, _>, Box<dyn Error>>>()?;
            Ok(Record { hub: fields(&row.hub)?, link, seen: Seen { modified: Some(at(3)), fields: shown } })
        };
        self.rows.iter().map(record).collect()
    }
}

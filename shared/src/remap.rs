//! Other rules for a connection: custom objects and fields, owners, pipelines, by the names that the CRM's own API has for them.

use crate::{
    app::App,
    connection::{Connection, State},
    context::Context,
    error::{Error, Result},
    mapping::{Direction, Formula, Mapping, Rule},
    provider::{Field, Session},
    provision::Opened,
    record::{Object, RemoteField},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// One object's rules, as a person writes them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// As the CRM's API names it.
    pub object: String,
    /// A text field with unique values that holds our record id. It is made where the API allows that.
    pub id_field: RemoteField,
    /// Whose records are this CRM's business: an expression of the hub's fields, such as `not email_opted_out`.
    #[serde(default)]
    pub include: Option<Formula>,
    pub rules: Vec<Rule>,
}

/// What is wrong with rules, each with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Unfit(pub Vec<String>);

impl App {
    /// Gives a connection other rules for an object. It joins anew: everything is read and matched by them, and nothing is
    /// written before a person approves.
    pub async fn remap(
        &self,
        cx: &Context,
        connection: &Connection,
        object: &Object,
        rules: Rules,
        origin: &str,
    ) -> Result<Result<Opened, Unfit>> {
        let Rules { object: name, id_field, include, rules } = rules;
        let mapping = Mapping { include, region: connection.region.clone(), ..Mapping::new(&name, &id_field, rules) };
        let asks = async |session: &Session| connection.crm.schema(session, &mapping).await;
        let schema = self.ask(connection, cx, asks).await?;
        let mapped: BTreeSet<Object> = connection.mappings.keys().chain([object]).cloned().collect();
        let before = connection.mappings.get(object);
        let wrong = wrong(object, &mapping, before, &schema, &mapped);
        if !wrong.is_empty() {
            return Ok(Err(Unfit(wrong)));
        }
        let (mapping, by_hand) = self.provision_one(cx, connection, mapping).await?;
        if !by_hand.is_empty() {
            return Ok(Err(Unfit(by_hand.into_iter().map(|(field, what)| format!("{field}: {what}")).collect())));
        }
        let mapping = match before {
            Some(before) => before.succeeded_by(mapping),
            None => mapping,
        };
        let mut next = Connection { state: State::Joining, approved: false, watch: None, ..connection.clone() };
        next.mappings.insert(object.clone(), mapping);
        next.cursors.remove(object);
        if !self.store.update_connection(connection, &next).await? {
            return Err(Error::retryable("the connection changed meanwhile"));
        }
        let next = Connection { version: connection.version + 1, ..next };
        let opened = self.finish(cx, next, Vec::new(), origin).await?;
        self.read(cx, &opened.connection).await?;
        Ok(Ok(opened))
    }
}

/// What an account's fields and the other rules have against these.
fn wrong(
    object: &Object,
    mapping: &Mapping,
    before: Option<&Mapping>,
    schema: &[Field],
    mapped: &BTreeSet<Object>,
) -> Vec<String> {
    let name = &mapping.object;
    let (mut wrong, mut read) = (Vec::new(), BTreeMap::new());
    for (place, rule) in mapping.rules.iter().enumerate() {
        let mut say = |what: String| wrong.push(format!("rule {} ({}): {what}", place + 1, rule.hub));
        let here = rule.only.as_ref().is_none_or(|only| only.object == *name);
        match schema.iter().find(|field| field.name == rule.remote || field.label == rule.remote) {
            None if here => say(format!("{name} has no field {}, or hides it from us", rule.remote)),
            Some(field) if rule.direction.sends() && !field.writable => {
                say(format!("{} may not be written by us; make its direction from_crm", rule.remote));
            }
            _ => {}
        }
        if rule.formula.is_some() && rule.direction != Direction::ToCrm {
            say("what is computed only goes out; make its direction to_crm".to_owned());
        }
        if rule.hub.is_empty() || rule.hub.len() > 100 {
            say("the hub's name of a field has 1 to 100 characters".to_owned());
        }
        if let Some(other) = Object::referred_by(&rule.hub).filter(|other| !mapped.contains(other)) {
            say(format!("it leads to a {other}, which this connection does not keep in step"));
        }
        if let Some(other) = Object::referred_by(&rule.hub).filter(|other| other >= object) {
            say(format!("a {object} cannot lead to a {other}: what is referred to comes first"));
        }
        // What was agreed about it is about the other field.
        let was = before.and_then(|before| before.rules.iter().find(|known| known.remote == rule.remote));
        if let Some(was) = was.filter(|was| was.hub != rule.hub) {
            say(format!(
                "{} is the hub's {} so far; connect under another name to make it something else",
                rule.remote, was.hub
            ));
        }
        if rule.direction.receives()
            && let Some(other) = read.insert(&rule.remote, place + 1)
        {
            say(format!("rule {other} reads {} already", rule.remote));
        }
        let theirs: BTreeSet<&String> = rule.values.values().collect();
        if theirs.len() < rule.values.len() {
            say("two of the hub's values are the same in the CRM: it could not be told which is meant".to_owned());
        }
    }
    if mapping.include.as_ref().is_some_and(Formula::is_template) {
        wrong.push("include: it is an expression, such as not email_opted_out".to_owned());
    }
    if mapping.rules.is_empty() {
        wrong.push("there are no rules".to_owned());
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, writable: bool) -> Field {
        Field { name: name.to_owned(), label: name.to_owned(), writable, unique: false }
    }

    #[test]
    fn each_fault_has_its_place() {
        let rules = r#"{"object": "Vehicle__c", "id_field": "Ours__c", "rules": [
            {"hub": "plate", "remote": "Plat__c"}, {"hub": "made", "remote": "CreatedDate"},
            {"hub": "company_id", "remote": "Account__c"}, {"hub": "fuel", "remote": "Fuel__c", "values": {"a": "x", "b": "x"}},
            {"hub": "again", "remote": "Fuel__c"}, {"hub": "seen", "remote": "CreatedDate", "direction": "from_crm"}]}"#;
        let Rules { object, id_field, rules, .. } = serde_json::from_str(rules).unwrap();
        let schema = [field("CreatedDate", false), field("Account__c", true), field("Fuel__c", true)];
        let (vehicle, mapped) = (Object::Custom("vehicle".to_owned()), BTreeSet::from([Object::Person]));
        let faults = wrong(&vehicle, &Mapping::new(&object, &id_field, rules), None, &schema, &mapped);
        let places: Vec<&str> = faults.iter().filter_map(|fault| fault.split(": ").next()).collect();
        let expected = ["rule 1 (plate)", "rule 2 (made)", "rule 3 (company_id)", "rule 4 (fuel)", "rule 5 (again)"];
        assert_eq!(places[..5], expected, "{faults:?}");
        assert_eq!(places[5], "rule 6 (seen)", "it is read by rule 2 already");
    }

    #[test]
    fn sound_rules_have_none() {
        let mapping = Mapping::new("Vehicle__c", "Ours__c", vec![Rule::both("plate", "Plate__c")]);
        let vehicle = Object::Custom("vehicle".to_owned());
        let schema = [field("Plate__c", true)];
        assert!(wrong(&vehicle, &mapping, Some(&mapping), &schema, &BTreeSet::new()).is_empty());
        let moved = Mapping::new("Vehicle__c", "Ours__c", vec![Rule::both("number", "Plate__c")]);
        assert_eq!(wrong(&vehicle, &moved, Some(&mapping), &schema, &BTreeSet::new()).len(), 1);
        let up = Mapping::new("accounts", "Ours__c", vec![Rule::both("contact_id", "Plate__c")]);
        let mapped = BTreeSet::from([Object::Person]);
        assert_eq!(wrong(&Object::Company, &up, None, &schema, &mapped).len(), 1, "that would go round in circles");
        let misspelt = r#"{"object": "V", "id_field": "I", "rulez": []}"#;
        assert!(serde_json::from_str::<Rules>(misspelt).is_err());
    }
}

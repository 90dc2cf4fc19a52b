//! Rules as a person writes them: a file.

use super::Unfit;
use crate::{
    mapping::{Formula, Rule},
    record::RemoteField,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// One object's rules, as a person writes them.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// As the CRM's API names it.
    pub object: String,
    /// A text field with unique values that holds our record id. It is made where the API allows that.
    pub id_field: RemoteField,
    /// Whose records are this CRM's business: an expression of the hub's fields, such as `not email_opted_out`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include: Option<Formula>,
    pub rules: Vec<Rule>,
}

/// What a rule may say.
const KEYS: [&str; 10] =
    ["hub", "remote", "formula", "direction", "default", "clears", "values", "as", "needed", "only"];

impl Rules {
    /// Reads them, or says what is wrong with each.
    pub fn parse(text: &str) -> Result<Rules, Unfit> {
        let no_rules = |error: serde_json::Error| Unfit(vec![error.to_string()]);
        let mut file: Json = serde_json::from_str(text).map_err(no_rules)?;
        let written = file.get_mut("rules").and_then(Json::as_array_mut).map(std::mem::take).unwrap_or_default();
        let (mut rules, mut wrong) = (Vec::new(), Vec::new());
        for (place, json) in written.into_iter().enumerate() {
            let hub = json.get("hub").and_then(Json::as_str).unwrap_or_default().to_owned();
            let keys = json.as_object().map(|rule| rule.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
            let odd = keys.into_iter().filter(|key| !KEYS.contains(&key.as_str()));
            let odd = odd.map(|key| format!("it says {key:?}, which is none of: {}", KEYS.join(", ")));
            let mut faults: Vec<String> = odd.collect();
            match serde_json::from_value::<Rule>(json) {
                Ok(rule) => rules.push(rule),
                Err(error) => faults.push(error.to_string()),
            }
            wrong.extend(faults.into_iter().map(|what| format!("rule {} ({hub}): {what}", place + 1)));
        }
        match serde_json::from_value::<Rules>(file) {
            Ok(read) if wrong.is_empty() => return Ok(Rules { rules, ..read }),
            Ok(_) => {}
            Err(error) => wrong.push(error.to_string()),
        }
        Err(Unfit(wrong))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_file_is_told_at_once() {
        let text = r#"{"object": "Vehicle__c", "id_field": "Ours__c", "include": "colour ==", "rules": [
            {"hub": "plate", "remote": "Plate__c"},
            {"hub": "made", "remote": "Made__c", "direciton": "to_crm"},
            {"hub": "fuel", "remote": "Fuel__c", "as": "roman"},
            {"hub": "age", "remote": "Age__c", "formula": "1 +"},
            {"remote": "Age__c"}]}"#;
        let Unfit(wrong) = Rules::parse(text).unwrap_err();
        let begin = ["rule 2 (made)", "rule 3 (fuel)", "rule 4 (age)", "rule 5 ()", "the formula \"colour"];
        assert_eq!(wrong.len(), begin.len(), "{wrong:#?}");
        for (fault, begin) in wrong.iter().zip(begin) {
            assert!(fault.starts_with(begin), "{fault}");
        }
        assert_eq!(Rules::parse("[").unwrap_err().0.len(), 1);
        assert!(Rules::parse(r#"{"object": "V", "id_field": "I", "rulez": []}"#).is_err());
    }

    #[test]
    fn whatever_a_rule_says_may_be_said() {
        let rule = r#"{"hub": "a", "remote": "B", "formula": "a", "direction": "to_crm", "default": "-", "clears": true,
            "values": {"a": "b"}, "as": "text", "needed": true, "only": {"object": "Lead", "ids": "00Q"}}"#;
        let json = serde_json::to_value(serde_json::from_str::<Rule>(rule).unwrap()).unwrap();
        assert_eq!(json.as_object().unwrap().len(), KEYS.len());
        assert!(KEYS.iter().all(|key| json.get(key).is_some()));
    }
}

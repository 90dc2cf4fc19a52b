//! What may go wrong, per CRM. `POST /_sim/faults` replaces all of it.

use crate::calls::Crm;
use crate::clock::Rng;
use crate::phones;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The body of `POST /_sim/faults`; what is left out is healthy.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    pub seed: Option<u64>,
    pub hubspot: CrmFaults,
    pub zoho: CrmFaults,
    pub salesforce: CrmFaults,
    pub pipedrive: CrmFaults,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrmFaults {
    /// Share of calls answered with a 5xx before anything was done.
    pub fail_rate: f64,
    /// Share of calls answered with a 5xx although everything was done.
    pub fail_after_commit_rate: f64,
    /// The next calls that are answered with 429.
    pub rate_limit_next: u32,
    /// For how long from now every call is answered with 429 (real milliseconds).
    pub rate_limit_for_ms: i64,
    /// Another burst limit than the vendor's.
    pub burst: Option<Burst>,
    /// Pipedrive: another limit of searches alone than the vendor's.
    pub search_burst: Option<Burst>,
    /// The next record writes that commit and are never answered.
    pub timeout_after_commit_next: u32,
    /// How long such a call hangs before its socket closes.
    pub hang_ms: u64,
    /// The next calls that HubSpot answers with 423 Locked; the next rows that Salesforce refuses with `UNABLE_TO_LOCK_ROW`.
    pub lock_next: u32,
    /// The next calls that HubSpot answers with 477 Migration in Progress.
    pub migrate_next: u32,
    /// Records that are refused for one of their values, the vendor's way.
    pub refuse_values: Vec<Refuse>,
    pub search_lag_ms: i64,
    pub delay_ms: u64,
    /// The token lacks a scope, whatever is asked for.
    pub scope_missing: bool,
    /// Zoho and Pipedrive: how long a token that is given from now on lives, in seconds. Salesforce: without being used.
    pub tokens_live_s: Option<i64>,
    /// All access tokens die now.
    pub expire_tokens: bool,
    /// The refresh token dies now, and the access tokens with it. Registering the account again revives it.
    pub revoke_grant: bool,
    /// HubSpot: the account is gone, which its token endpoint calls `BAD_HUB`. Pipedrive: the app is removed,
    /// and its webhooks with it; its callback is told.
    pub uninstall: bool,
    pub webhooks: WebhookFaults,
    /// Longest text that a field keeps; the rest is cut off silently.
    pub truncate: BTreeMap<String, usize>,
    pub rewrite_phones: Option<phones::Style>,
    /// The answer to the next call whose `METHOD /route` contains this waits for `POST /_sim/release`.
    pub hold_next: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    pub calls: usize,
    pub per_ms: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refuse {
    pub field: String,
    pub contains: String,
    #[serde(default)]
    pub code: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookFaults {
    pub lose_rate: f64,
    pub double_rate: f64,
    pub shuffle: bool,
    pub delay_ms: i64,
    /// Deliveries under way to one URL at a time; 1 keeps them in order.
    pub concurrency: Option<usize>,
}

impl Faults {
    pub fn of(&self, crm: Crm) -> &CrmFaults {
        match crm {
            Crm::Hubspot => &self.hubspot,
            Crm::Zoho => &self.zoho,
            Crm::Salesforce => &self.salesforce,
            Crm::Pipedrive => &self.pipedrive,
        }
    }

    pub fn of_mut(&mut self, crm: Crm) -> &mut CrmFaults {
        match crm {
            Crm::Hubspot => &mut self.hubspot,
            Crm::Zoho => &mut self.zoho,
            Crm::Salesforce => &mut self.salesforce,
            Crm::Pipedrive => &mut self.pipedrive,
        }
    }
}

impl CrmFaults {
    /// A random 5xx is due.
    pub fn fails(&self, rng: &mut Rng) -> bool {
        rng.chance(self.fail_rate)
    }

    /// The rule that refuses this value.
    pub fn refusal(&self, field: &str, value: &Value) -> Option<&Refuse> {
        let text = value.as_str()?;
        self.refuse_values.iter().find(|r| r.field == field && text.contains(&r.contains))
    }

    /// What the CRM makes of a text that it accepts.
    pub fn respell(&self, field: &str, is_phone: bool, text: &str) -> String {
        let mut text = match self.rewrite_phones {
            Some(style) if is_phone => style.spell(text),
            _ => text.to_owned(),
        };
        if let Some(longest) = self.truncate.get(field)
            && let Some((cut, _)) = text.char_indices().nth(*longest)
        {
            text.truncate(cut);
        }
        text
    }

    /// Counts one down; true while there were some left.
    pub fn take(counter: &mut u32) -> bool {
        let some = *counter > 0;
        *counter = counter.saturating_sub(1);
        some
    }
}

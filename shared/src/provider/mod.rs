//! The CRMs: one folder each, of the same files, behind one trait.
//!
//! This layer speaks HTTP and knows no AWS. What a CRM cannot do is declared in its [`Capabilities`];
//! nothing outside this folder asks which CRM it has before it.

mod assertion;
pub mod batch;
pub mod capability;
pub mod fact;
pub mod hint;
mod hubspot;
pub mod list;
pub mod oauth;
mod pipedrive;
pub mod quota;
mod rich;
mod salesforce;
pub mod schema;
pub mod session;
pub mod signature;
/// What `cargo dev new-provider` starts with.
#[cfg(test)]
#[expect(clippy::upper_case_acronyms, reason = "its name is yet to come")]
#[path = "../../../infra/dev/src/provider/mod.rs.txt"]
mod skeleton;
pub mod ways;
mod zoho;

pub use batch::{Fetched, Found, Outcome, Query, Write};
pub use capability::{Capabilities, Creates, Deletions, Echo, Finds, Restores, WatchWish, Webhooks};
pub use fact::{Checked, Fact, Hook};
pub use hint::{Heard, Hint, Says, Unreadable};
pub use list::Listed;
pub use oauth::{Ask, Authorized, Code};
pub use schema::{Field, Made, Wish};
pub use session::{AppCredentials, Grant, Hosts, OtherToken, Secret, Session};
pub use signature::{Ack, Delivery, Forged, Schemes, Verified};
pub use ways::{By, Means, Need, Way};

use crate::{
    change::{Cursor, Removed, Walk},
    connection::Watch,
    error::Result,
    id::{AccountId, RemoteId},
    mapping::{Mapping, Rule},
    planner::Seen,
    record::Object,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::{collections::BTreeMap, fmt, future::Future, str::FromStr};

/// The CRMs we speak. The name is also the path of its webhooks, its metric label and part of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Crm {
    HubSpot,
    Zoho,
    Salesforce,
    Pipedrive,
}

/// What every CRM must do. No default bodies: a provider cannot forget something.
pub trait Provider {
    const CAPABILITIES: Capabilities;
    /// What stands before the token in the `Authorization` header, with the space between.
    const AUTHORIZATION: &'static str;

    /// The mapping that a new connection starts with; `None` for an object that is not mapped by itself.
    fn default_mapping(object: &Object) -> Option<Mapping>;
    /// Whether a field of this CRM can have this name: told apart by how the vendor builds API names.
    fn could_name(field: &str) -> bool;

    /// An id as this CRM's API spells it; `None` of what is none.
    fn remote_id(raw: &str) -> Option<RemoteId>;

    /// Proves that a delivery came from the CRM. `secrets` are the ones in force: two while one is rotated.
    fn verify<'d>(
        delivery: &'d Delivery,
        secrets: &[Secret],
        schemes: Schemes,
        now: Timestamp,
    ) -> Result<Verified<'d>, Forged>;
    /// Reads what may have changed. Only a verified delivery can be read.
    fn hints(delivery: &Verified<'_>) -> Result<Vec<Hint>, Unreadable>;
    /// Reads an event of an event bus, by the name of its source there; `None` of one that this CRM did not send. A bus that only the CRM can
    /// put events on proves them.
    fn heard(source: &str, detail: &Json) -> Option<Heard>;

    /// Where this CRM answers, from the allow-list: the grant's own word for it came from the network.
    fn base(hosts: &Hosts, grant: &Grant) -> Result<String>;
    /// One token request. The answer is the whole grant to keep from now on.
    fn refresh(
        http: &reqwest::Client,
        hosts: &Hosts,
        app: &AppCredentials,
        grant: &Grant,
        now: Timestamp,
    ) -> impl Future<Output = Result<Grant>> + Send;

    /// A place where this CRM's accounts log in, as the vendor spells it; `None` of what is none.
    fn login_host(named: &str) -> Option<String>;
    /// The least that an app must be allowed so that these objects are kept in step; empty where scopes are not told apart.
    fn scopes(objects: &[Object]) -> Vec<String>;
    /// The consent page, with the least scopes that we need.
    fn consent_page(hosts: &Hosts, ask: &Ask<'_>) -> Result<String>;
    /// A code for a grant.
    fn exchange(
        http: &reqwest::Client,
        hosts: &Hosts,
        app: &AppCredentials,
        code: &Code,
        now: Timestamp,
    ) -> impl Future<Output = Result<Authorized>> + Send;
    /// Gives a grant back. One that is dead already is given back too.
    fn revoke(
        http: &reqwest::Client,
        hosts: &Hosts,
        app: &AppCredentials,
        grant: &Grant,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Which account a session is with.
    fn account(session: &Session, grant: &Grant) -> impl Future<Output = Result<AccountId>> + Send;
    /// What the CRM itself tells of how well a connection stands.
    fn check(session: &Session, checked: &Checked<'_>) -> impl Future<Output = Result<Vec<Fact>>> + Send;
    /// What an admin does so that changes are told to this URL and proved by this token, where the API does not let us make it so; `None`
    /// where it does.
    fn webhook_clicks(url: &str, token: &Secret) -> Option<String>;
    /// The fields of the mapping's object.
    fn schema(session: &Session, mapping: &Mapping) -> impl Future<Output = Result<Vec<Field>>> + Send;
    /// Makes a text field that the account lacks, or says how a person does.
    fn make_field(session: &Session, mapping: &Mapping, wish: &Wish<'_>) -> impl Future<Output = Result<Made>> + Send;

    /// What each of these remotes is now, in their order. At most `max_read` ids.
    fn fetch(
        session: &Session,
        mapping: &Mapping,
        ids: &[RemoteId],
    ) -> impl Future<Output = Result<Vec<Fetched>>> + Send;
    /// The remotes that match each query, in their order. At most `max_find` queries.
    fn find(
        session: &Session,
        mapping: &Mapping,
        queries: &[Query],
    ) -> impl Future<Output = Result<Vec<Vec<Found>>>> + Send;
    /// Creates remotes, each carrying our record id in the mapping's id field. At most `max_write`.
    fn create(
        session: &Session,
        mapping: &Mapping,
        writes: &[Write],
    ) -> impl Future<Output = Result<Vec<Outcome>>> + Send;
    /// Updates remotes by their id. At most `max_write`.
    fn update(
        session: &Session,
        mapping: &Mapping,
        writes: &[Write],
    ) -> impl Future<Output = Result<Vec<Outcome>>> + Send;
    /// Deletes remotes by their id, into the recycle bin where there is one; the writes change no field. `Written` is deleted,
    /// `Missing` was not there any more. At most `max_write`.
    fn delete(
        session: &Session,
        mapping: &Mapping,
        writes: &[Write],
    ) -> impl Future<Output = Result<Vec<Outcome>>> + Send;

    /// Deletes remotes of people who are to be forgotten: for good where the CRM has a way to, otherwise as [`Provider::delete`] does.
    fn erase(
        session: &Session,
        mapping: &Mapping,
        writes: &[Write],
    ) -> impl Future<Output = Result<Vec<Outcome>>> + Send;

    /// One page of what changed since the cursor, oldest first.
    fn delta(
        session: &Session,
        mapping: &Mapping,
        cursor: &Cursor,
        now: Timestamp,
    ) -> impl Future<Output = Result<Page>> + Send;
    /// One page of the mapping's records as they are now, or of those that one of the CRM's own lists holds; `after` is where the page before
    /// it said to go on. Each is shown once, however many change meanwhile.
    fn list(
        session: &Session,
        mapping: &Mapping,
        list: Option<&str>,
        after: Option<&str>,
    ) -> impl Future<Output = Result<Listed>> + Send;
    /// How many records of the mapping there are, by the CRM's own count and in one call; `None` where it tells no number.
    fn count(session: &Session, mapping: &Mapping) -> impl Future<Output = Result<Option<u32>>> + Send;
    /// The next page of a walk through what was deleted.
    fn deleted(session: &Session, mapping: &Mapping, walk: &Walk) -> impl Future<Output = Result<Deleted>> + Send;
    /// Opens or extends the webhook subscription of one connection for these of the CRM's objects; `None` where the CRM has no such thing.
    fn watch(
        session: &Session,
        objects: &[String],
        wish: &WatchWish,
    ) -> impl Future<Output = Result<Option<Watch>>> + Send;
    /// Ends a webhook subscription.
    fn unwatch(session: &Session, watch: &Watch) -> impl Future<Output = Result<()>> + Send;
}

/// One page of a pull.
#[derive(Clone, Debug)]
pub struct Page {
    pub shown: Vec<(RemoteId, Seen)>,
    /// Where to go on; saved once the page is absorbed.
    pub next: Cursor,
    /// Whether there is more to read at once.
    pub more: bool,
}

/// One page of what was deleted.
#[derive(Clone, Debug, Default)]
pub struct Deleted {
    pub remotes: Vec<Removed>,
    /// Where to go on; `None` after the last page.
    pub next: Option<String>,
    /// Until when it is complete, where the CRM says so.
    pub covered: Option<Timestamp>,
}

macro_rules! each {
    ($crm:expr, $P:ident => $call:expr) => {
        match $crm {
            Crm::HubSpot => {
                type $P = hubspot::HubSpot;
                $call
            }
            Crm::Zoho => {
                type $P = zoho::Zoho;
                $call
            }
            Crm::Salesforce => {
                type $P = salesforce::Salesforce;
                $call
            }
            Crm::Pipedrive => {
                type $P = pipedrive::Pipedrive;
                $call
            }
        }
    };
}

impl Crm {
    pub const ALL: [Crm; 4] = [Crm::HubSpot, Crm::Zoho, Crm::Salesforce, Crm::Pipedrive];

    pub const fn name(self) -> &'static str {
        match self {
            Crm::HubSpot => "hubspot",
            Crm::Zoho => "zoho",
            Crm::Salesforce => "salesforce",
            Crm::Pipedrive => "pipedrive",
        }
    }

    pub fn default_mapping(self, object: &Object) -> Option<Mapping> {
        each!(self, P => P::default_mapping(object))
    }
    /// The objects that can be kept in step with this CRM.
    pub fn objects(self) -> Vec<Object> {
        Object::known().filter(|object| self.default_mapping(object).is_some()).collect()
    }
    /// The mappings of these objects that a new connection starts with. They refer to nothing else.
    pub fn default_mappings(self, objects: &[Object]) -> BTreeMap<Object, Mapping> {
        let leads_out = |rule: &Rule| Object::referred_by(&rule.hub).is_some_and(|to| !objects.contains(&to));
        let mapping = |object: &Object| {
            let mut mapping = self.default_mapping(object)?;
            mapping.rules.retain(|rule| !leads_out(rule));
            Some((object.clone(), mapping))
        };
        objects.iter().filter_map(mapping).collect()
    }
    /// Whether a field of this CRM can have this name.
    pub fn could_name(self, field: &str) -> bool {
        each!(self, P => P::could_name(field))
    }
    /// An id as this CRM's API spells it; `None` of what is none.
    pub fn remote_id(self, raw: &str) -> Option<RemoteId> {
        each!(self, P => P::remote_id(raw))
    }
    pub const fn capabilities(self) -> Capabilities {
        each!(self, P => P::CAPABILITIES)
    }
    pub fn verify<'d>(
        self,
        delivery: &'d Delivery,
        secrets: &[Secret],
        schemes: Schemes,
        now: Timestamp,
    ) -> Result<Verified<'d>, Forged> {
        each!(self, P => P::verify(delivery, secrets, schemes, now))
    }
    pub fn hints(self, delivery: &Verified<'_>) -> Result<Vec<Hint>, Unreadable> {
        each!(self, P => P::hints(delivery))
    }
    /// The header that authorises a call, and what stands in it.
    pub fn authorization(self, grant: &Grant) -> (&'static str, Secret) {
        let way = self.capabilities().ways.iter().find(|way| grant.means.by() == Some(way.by));
        match way.and_then(|way| way.header) {
            Some(header) => (header, grant.access_token.clone()),
            None => {
                let scheme = each!(self, P => P::AUTHORIZATION);
                ("authorization", Secret::new(format!("{scheme}{}", grant.access_token.reveal())))
            }
        }
    }
    /// The CRM that an event of an event bus is from, and what it says.
    pub fn hears(source: &str, detail: &Json) -> Option<(Crm, Heard)> {
        Crm::ALL.into_iter().find_map(|crm| Some((crm, each!(crm, P => P::heard(source, detail))?)))
    }
    pub fn base(self, hosts: &Hosts, grant: &Grant) -> Result<String> {
        each!(self, P => P::base(hosts, grant))
    }
    pub async fn refresh(
        self,
        http: &reqwest::Client,
        hosts: &Hosts,
        app: &AppCredentials,
        grant: &Grant,
        now: Timestamp,
    ) -> Result<Grant> {
        each!(self, P => P::refresh(http, hosts, app, grant, now).await)
    }
    pub fn login_host(self, named: &str) -> Option<String> {
        each!(self, P => P::login_host(named))
    }
    pub async fn account(self, session: &Session, grant: &Grant) -> Result<AccountId> {
        each!(self, P => P::account(session, grant).await)
    }
    pub async fn check(self, session: &Session, checked: &Checked<'_>) -> Result<Vec<Fact>> {
        each!(self, P => P::check(session, checked).await)
    }
    pub fn webhook_clicks(self, url: &str, token: &Secret) -> Option<String> {
        each!(self, P => P::webhook_clicks(url, token))
    }
    pub fn scopes(self, objects: &[Object]) -> Vec<String> {
        each!(self, P => P::scopes(objects))
    }
    pub fn consent_page(self, hosts: &Hosts, ask: &Ask<'_>) -> Result<String> {
        each!(self, P => P::consent_page(hosts, ask))
    }
    pub async fn exchange(
        self,
        http: &reqwest::Client,
        hosts: &Hosts,
        app: &AppCredentials,
        code: &Code,
        now: Timestamp,
    ) -> Result<Authorized> {
        each!(self, P => P::exchange(http, hosts, app, code, now).await)
    }
    pub async fn revoke(
        self,
        http: &reqwest::Client,
        hosts: &Hosts,
        app: &AppCredentials,
        grant: &Grant,
    ) -> Result<()> {
        each!(self, P => P::revoke(http, hosts, app, grant).await)
    }
    pub async fn schema(self, session: &Session, mapping: &Mapping) -> Result<Vec<Field>> {
        each!(self, P => P::schema(session, mapping).await)
    }
    pub async fn make_field(self, session: &Session, mapping: &Mapping, wish: &Wish<'_>) -> Result<Made> {
        each!(self, P => P::make_field(session, mapping, wish).await)
    }
    pub async fn fetch(self, session: &Session, mapping: &Mapping, ids: &[RemoteId]) -> Result<Vec<Fetched>> {
        each!(self, P => P::fetch(session, mapping, ids).await)
    }
    pub async fn find(self, session: &Session, mapping: &Mapping, queries: &[Query]) -> Result<Vec<Vec<Found>>> {
        each!(self, P => P::find(session, mapping, queries).await)
    }
    pub async fn create(self, session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        each!(self, P => P::create(session, mapping, writes).await)
    }
    pub async fn update(self, session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        each!(self, P => P::update(session, mapping, writes).await)
    }
    pub async fn delete(self, session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        each!(self, P => P::delete(session, mapping, writes).await)
    }
    pub async fn erase(self, session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        each!(self, P => P::erase(session, mapping, writes).await)
    }
    pub async fn delta(self, session: &Session, mapping: &Mapping, cursor: &Cursor, now: Timestamp) -> Result<Page> {
        each!(self, P => P::delta(session, mapping, cursor, now).await)
    }
    pub async fn list(
        self,
        session: &Session,
        mapping: &Mapping,
        list: Option<&str>,
        after: Option<&str>,
    ) -> Result<Listed> {
        each!(self, P => P::list(session, mapping, list, after).await)
    }
    pub async fn count(self, session: &Session, mapping: &Mapping) -> Result<Option<u32>> {
        each!(self, P => P::count(session, mapping).await)
    }
    pub async fn deleted(self, session: &Session, mapping: &Mapping, walk: &Walk) -> Result<Deleted> {
        each!(self, P => P::deleted(session, mapping, walk).await)
    }
    pub async fn watch(self, session: &Session, objects: &[String], wish: &WatchWish) -> Result<Option<Watch>> {
        each!(self, P => P::watch(session, objects, wish).await)
    }
    pub async fn unwatch(self, session: &Session, watch: &Watch) -> Result<()> {
        each!(self, P => P::unwatch(session, watch).await)
    }
    /// As a person writes it.
    pub const fn title(self) -> &'static str {
        match self {
            Crm::HubSpot => "HubSpot",
            Crm::Zoho => "Zoho CRM",
            Crm::Salesforce => "Salesforce",
            Crm::Pipedrive => "Pipedrive",
        }
    }
}

impl fmt::Display for Crm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Crm {
    type Err = ();
    fn from_str(name: &str) -> Result<Crm, ()> {
        Crm::ALL.into_iter().find(|crm| crm.name() == name).ok_or(())
    }
}

#[cfg(test)]
pub(crate) fn of_people(crm: Crm) -> Mapping {
    crm.default_mapping(&Object::Person).unwrap()
}

#[cfg(test)]
mod tests;

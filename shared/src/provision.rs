//! A connection is opened: what its account must have for us is made, or a person is told how.

use crate::{
    app::App,
    connection::{Connection, State},
    context::Context,
    doctor::Finding,
    error::{Error, Result},
    mapping::Mapping,
    provider::{Creates, Field, Grant, Made, Means, Secret, Webhooks, Wish},
    record::Object,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What opening a connection came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    pub connection: Connection,
    /// What a person must do, each with the field it is about.
    pub by_hand: Vec<(String, String)>,
    /// When the webhook subscription is renewed, where the CRM has such a thing.
    pub renewed: Option<Timestamp>,
    /// What a person must do so that changes are told, where the API does not let us. It holds what proves deliveries.
    pub webhooks_by_hand: Option<Secret>,
    /// What is wrong all the same.
    pub trouble: Vec<Finding>,
}

impl Opened {
    /// What the API does not allow us to do ourselves, for an admin.
    pub fn to_do(&self) -> Vec<String> {
        let fields = self.by_hand.iter().map(|(field, what)| format!("For the field {field}: {what}"));
        let webhooks = self.webhooks_by_hand.iter().map(|clicks| clicks.reveal().to_owned());
        // How a field is made is said already.
        let trouble = self
            .trouble
            .iter()
            .filter(|finding| !["field_gone", "id_not_unique"].contains(&finding.code.unwrap_or_default()));
        let trouble = trouble.map(|finding| format!("About the {}: {}. {}", finding.about, finding.what, finding.todo));
        fields.chain(webhooks).chain(trouble).collect()
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Provisioned {
    /// With the names that only the account knows.
    pub mappings: BTreeMap<Object, Mapping>,
    /// What a person must do, each with the field it is about.
    pub by_hand: Vec<(String, String)>,
}

impl App {
    /// Stores a new connection, prepares its account and begins to read it. `origin` is where webhooks are to go.
    pub async fn open(&self, cx: &Context, connection: Connection, origin: &str) -> Result<Opened> {
        self.store.settle_in(&connection.tenant, cx.now()).await?;
        let Provisioned { mappings, by_hand } = self.provision(cx, &connection).await?;
        let connection = Connection { mappings, ..connection };
        self.store.put_connection(&connection).await?;
        let opened = self.finish(cx, connection, by_hand, origin).await?;
        self.read(cx, &opened.connection).await?;
        Ok(opened)
    }

    /// Goes on with a connection that a person has connected again: one that had stopped works from now on.
    pub async fn reopen(&self, cx: &Context, connection: &Connection, origin: &str) -> Result<Opened> {
        self.store.settle_in(&connection.tenant, cx.now()).await?;
        // Its subscription may have died with the grant.
        let before = Connection { watch: None, ..connection.clone() };
        let Provisioned { mappings, by_hand } = self.provision(cx, &before).await?;
        // What was never approved is not approved by this.
        let state = if connection.approved { connection.state.clone() } else { State::Joining };
        let next = Connection { state, mappings, ..before };
        if !self.store.update_connection(connection, &next).await? {
            return Err(Error::retryable("the connection changed while it was opened"));
        }
        let next = Connection { version: connection.version + 1, ..next };
        let mut opened = self.finish(cx, next, by_hand, origin).await?;
        let Connection { tenant, id, approved, .. } = &opened.connection;
        match approved {
            true => self.activate(cx, tenant, id).await?,
            false => self.read(cx, &opened.connection).await?,
        }
        if let Some(stored) = self.store.connection(tenant, id).await? {
            opened.connection = stored;
        }
        Ok(opened)
    }

    /// Sees to the webhooks of a connection whose fields are there.
    pub(crate) async fn finish(
        &self,
        cx: &Context,
        connection: Connection,
        by_hand: Vec<(String, String)>,
        origin: &str,
    ) -> Result<Opened> {
        let renewed = self.renew_watch(cx, &connection, origin).await?;
        if renewed.is_some() {
            self.store.set_renewal(&connection.tenant, &connection.id, cx.now()).await?;
        }
        let held = self.secrets.grant(&connection.tenant, &connection.id).await?;
        let webhooks_by_hand = webhook_clicks(&connection, &held.grant, origin);
        let Connection { tenant, id, .. } = &connection;
        let connection = self.store.connection(tenant, id).await?.unwrap_or(connection);
        let mut trouble = self.trouble(cx, &connection, Some(origin)).await;
        trouble.retain(|finding| finding.about != "state");
        Ok(Opened { connection, by_hand, renewed, webhooks_by_hand, trouble })
    }

    /// Sees to it that the account has every field of the connection's mappings: those that it lacks are made.
    pub async fn provision(&self, cx: &Context, connection: &Connection) -> Result<Provisioned> {
        let mut done = Provisioned { mappings: BTreeMap::new(), by_hand: Vec::new() };
        for (object, mapping) in &connection.mappings {
            let (mapping, by_hand) = self.provision_one(cx, connection, mapping.clone()).await?;
            done.mappings.insert(object.clone(), mapping);
            done.by_hand.extend(by_hand);
        }
        Ok(done)
    }

    pub(crate) async fn provision_one(
        &self,
        cx: &Context,
        connection: &Connection,
        mut mapping: Mapping,
    ) -> Result<(Mapping, Vec<(String, String)>)> {
        let crm = connection.crm;
        let read = async |mapping: &Mapping| {
            self.with_session(connection, cx, async |session| crm.schema(session, mapping).await).await
        };
        let mut schema = read(&mapping).await?;
        let (mut by_hand, mut made) = (Vec::new(), false);
        for name in lacking(&mapping, &schema) {
            let wish = Wish { name: &name, unique: name == mapping.id_field };
            let make = async |session: &_| crm.make_field(session, &mapping, &wish).await;
            match self.with_session(connection, cx, make).await? {
                Made::Done => made = true,
                Made::ByHand(clicks) => by_hand.push((name.clone(), clicks)),
            }
        }
        if made {
            schema = read(&mapping).await?;
        }
        rename(&mut mapping, &schema);
        let asked = |name: &str| by_hand.iter().any(|(asked, _)| asked == name);
        let again = "was asked for and is not there: make a text field of this name".to_owned();
        let lacking = lacking(&mapping, &schema).into_iter().filter(|name| !asked(name));
        let mut by_hand: Vec<_> = by_hand.iter().cloned().chain(lacking.map(|name| (name, again.clone()))).collect();
        let id = schema.iter().find(|field| field.name == mapping.id_field);
        if id.is_some_and(|id| !id.unique) && crm.capabilities().creates == Creates::Once {
            let what = "holds our record ids and must not take a value twice: let it have unique values only";
            by_hand.push((mapping.id_field.clone(), what.to_owned()));
        }
        Ok((mapping, by_hand))
    }
}

/// Where a connection's deliveries come.
pub(crate) fn door(connection: &Connection, origin: &str) -> String {
    format!("{}/webhooks/{}/{}", origin.trim_end_matches('/'), connection.crm, connection.id)
}

/// What an admin must do so that changes are told. Our own app's webhooks are set up once for all accounts.
pub(crate) fn webhook_clicks(connection: &Connection, grant: &Grant, origin: &str) -> Option<Secret> {
    let crm = connection.crm;
    let ours = crm.capabilities().webhooks == Webhooks::PerApp && grant.means == Means::Consent;
    let token = grant.webhook_token.as_ref().filter(|_| !ours)?;
    crm.webhook_clicks(&door(connection, origin), token).map(Secret::new)
}

/// The mapped fields that an account has neither by name nor by label.
fn lacking(mapping: &Mapping, schema: &[Field]) -> Vec<String> {
    let known = |name: &&str| schema.iter().any(|field| is_called(field, name));
    mapping.remote_fields().into_iter().filter(|name| !known(name)).map(str::to_owned).collect()
}

fn is_called(field: &Field, name: &str) -> bool {
    field.name == name || field.label == name
}

/// Fields that stand under their labels get their names.
fn rename(mapping: &mut Mapping, schema: &[Field]) {
    let names = mapping.rules.iter_mut().map(|rule| &mut rule.remote).chain([&mut mapping.id_field]);
    for name in names.filter(|name| !name.is_empty() && !schema.iter().any(|field| field.name == **name)) {
        if let Some(field) = schema.iter().find(|field| field.label == *name) {
            name.clone_from(&field.name);
        }
    }
}

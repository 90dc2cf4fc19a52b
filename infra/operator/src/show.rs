//! What is known of a person.

use anyhow::{Context as _, Result, bail};
use serde::de::DeserializeOwned;
use serde_json::json;
use shared::{
    App,
    id::{ConnectionId, RecordId, TenantId},
    record::{Email, Key, Object, Phone, Region},
};
use std::path::Path;

/// What a file of JSON says; `lacks` is what is said of one that says something else.
pub(crate) fn read<T: DeserializeOwned>(file: &Path, lacks: &str) -> Result<T> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} {lacks}", file.display()))
}

#[derive(clap::Args)]
pub(crate) struct Person {
    pub(crate) tenant: TenantId,
    /// email=…, phone=…, id=… (the product's own) or record=…
    pub(crate) key: String,
    /// person, company, deal, task, …
    #[arg(long, default_value = "person")]
    pub(crate) object: Object,
}

/// Prints the record and everything that happened to it.
pub(crate) async fn record(app: &App, person: &Person) -> Result<()> {
    let ids = find(app, person).await?;
    let mut found = Vec::new();
    for id in ids {
        let record = app.store.record(&person.tenant, &id).await?;
        let history = app.history.of(&person.tenant, &id).await?;
        found.push(json!({"record": record, "history": history}));
    }
    json(&found)
}

#[derive(clap::Args)]
pub(crate) struct Field {
    #[command(flatten)]
    person: Person,
    /// The hub's name for it, such as phone
    field: String,
}

/// Explains one field of a record.
pub(crate) async fn explain(app: &App, Field { person, field }: &Field) -> Result<()> {
    let (settings, connections) = app.store.tenant(&person.tenant).await?;
    let mut found = Vec::new();
    for id in find(app, person).await? {
        let record = app.store.record(&person.tenant, &id).await?.context("there is no such record")?;
        let history = app.history.of(&person.tenant, &id).await?;
        found.push(shared::explain::explain(&record, field, &history, &settings, &connections));
    }
    json(&found)
}

#[derive(clap::Args)]
pub(crate) struct Preview {
    tenant: TenantId,
    connection: ConnectionId,
    /// One record alone: email=…, phone=…, id=… (the product's own) or record=…
    #[arg(long)]
    of: Option<String>,
    /// person, company, deal, task, …
    #[arg(long, default_value = "person")]
    object: Object,
}

/// What a connection would write: counted, or field by field for one record.
pub(crate) async fn preview(app: &App, Preview { tenant, connection, of, object }: Preview) -> Result<()> {
    let connection = app.store.connection(&tenant, &connection).await?.context("there is no such connection")?;
    let Some(key) = of else { return json(&app.preview(&connection).await?) };
    let person = Person { tenant, key, object };
    let mut found = Vec::new();
    for id in find(app, &person).await? {
        let record = app.store.record(&person.tenant, &id).await?.context("there is no such record")?;
        found.push(json!({"record": id, "telling": shared::explain::telling(&record, &connection)}));
    }
    json(&found)
}

/// Explains a person's score: what each event added to it, by which rule.
pub(crate) async fn score(app: &App, person: &Person) -> Result<()> {
    let mut found = Vec::new();
    for id in find(app, person).await? {
        let record = app.store.record(&person.tenant, &id).await?.context("there is no such record")?;
        let mut did: Vec<_> = app.did(&record).await?.into_iter().map(|(_, counted)| counted).collect();
        did.sort_by_key(|counted| counted.event.at);
        found.push(
            json!({"record": id, "score": record.engagement.score, "totals": record.engagement.totals, "events": did}),
        );
    }
    json(&found)
}

pub(crate) async fn find(app: &App, person: &Person) -> Result<Vec<RecordId>> {
    let (kind, value) = person.key.split_once('=').context("a key looks like email=ada@example.com")?;
    let key = match kind {
        "record" => return Ok(vec![value.parse()?]),
        "id" => Key::Own(value.to_owned()),
        "email" => Key::Email(Email::parse(value).context("that is no e-mail address")?),
        "phone" => Key::Phone(Phone::parse(value, &Region::default()).context("that is no telephone number")?),
        other => bail!("{other} is no key: use email, phone, id or record"),
    };
    Ok(app
        .store
        .holders(&person.tenant, &person.object, std::slice::from_ref(&key))
        .await?
        .remove(&key)
        .unwrap_or_default())
}

/// Prints every record of a tenant, in no order that means anything.
pub(crate) async fn dump(app: &App, tenant: &TenantId) -> Result<()> {
    let mut place = Some((0, None));
    while let Some(at) = place {
        let (records, next) = app.store.walk(tenant, &at, 500).await?;
        for record in &records {
            println!("{}", serde_json::to_string(record)?);
        }
        place = next;
    }
    Ok(())
}

pub(crate) fn json(value: &impl serde::Serialize) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

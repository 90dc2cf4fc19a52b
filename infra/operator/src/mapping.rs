//! A connection's rules: shown, or replaced for one object.

use crate::{show, standard::Standard};
use anyhow::{Context as _, Result};
use shared::{
    App,
    connection::Connection,
    context::Context,
    id::{ConnectionId, TenantId},
    record::Object,
    remap::Rules,
};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    tenant: TenantId,
    connection: ConnectionId,
    /// person, company, deal, or a name of your own for a custom object
    #[arg(requires = "from", conflicts_with = "standard")]
    object: Option<Object>,
    /// A JSON file: {"object": <the CRM's API name>, "id_field": <a unique text field>, "rules": [{"hub": …, "remote": …}, …]}
    #[arg(long, requires = "object")]
    from: Option<PathBuf>,
    /// One that comes with the operator; what the account has no field for is left out
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(Standard::names()))]
    standard: Option<String>,
}

pub(crate) async fn run(app: &App, cx: &Context, args: Args) -> Result<()> {
    let Args { tenant, connection: id, object, from, standard } = args;
    let found = app.store.connection(&tenant, &id).await?.context("there is no such connection")?;
    let (object, rules) = match (object.zip(from), standard) {
        (Some((object, file)), _) => {
            let text = std::fs::read_to_string(&file).context("the file cannot be read")?;
            (object, Rules::parse(&text).with_context(|| format!("{} is no mapping", file.display()))?)
        }
        (None, Some(name)) => {
            let standard = Standard::named(&name)?;
            let (rules, lacking) = app.spared(cx, &found, standard.rules(found.crm)?).await?;
            for field in lacking {
                println!("Left out: {} has no field {field}; make it, and give the mapping again", rules.object);
            }
            (standard.of, rules)
        }
        (None, None) => return show::json(&found.mappings),
    };
    replace(app, cx, &found, &object, rules).await
}

async fn replace(app: &App, cx: &Context, found: &Connection, object: &Object, rules: Rules) -> Result<()> {
    let Connection { tenant, id, crm, .. } = found;
    let origin = app.settings.public_url.clone().context("the environment lacks PUBLIC_URL")?;
    let opened = app.remap(cx, found, object, rules, &origin).await?.map_err(|unfit| anyhow::anyhow!("{unfit}"))?;
    println!("{id} is being read anew; nothing is written to it before: operator activate {tenant} {id}");
    for what in opened.to_do() {
        println!("To do in {}: {what}", crm.title());
    }
    Ok(())
}

pub(crate) async fn migrate(app: &App, cx: &Context, tenant: &TenantId) -> Result<()> {
    let renamed = app.rename(cx, tenant).await?;
    let connections: Vec<&str> = renamed.connections.iter().map(ConnectionId::as_str).collect();
    match connections.as_slice() {
        [] => println!("No connection's rules had other names"),
        some => println!("The rules of {} have the hub's own names now", some.join(", ")),
    }
    println!("{} records have the hub's own names now", renamed.records);
    if renamed.left > 0 {
        println!("{} stay as they are: a field would point to somebody else's record", renamed.left);
    }
    Ok(())
}

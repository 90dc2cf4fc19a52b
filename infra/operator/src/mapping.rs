//! A connection's rules: shown, or replaced for one object.

use crate::show;
use anyhow::{Context as _, Result};
use shared::{
    App,
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
    #[arg(requires = "from")]
    object: Option<Object>,
    /// A JSON file: {"object": <the CRM's API name>, "id_field": <a unique text field>, "rules": [{"hub": …, "remote": …}, …]}
    #[arg(long)]
    from: Option<PathBuf>,
}

pub(crate) async fn run(app: &App, cx: &Context, args: Args) -> Result<()> {
    let Args { tenant, connection: id, object, from } = args;
    let found = app.store.connection(&tenant, &id).await?.context("there is no such connection")?;
    let Some((object, file)) = object.zip(from) else { return show::json(&found.mappings) };
    let text = std::fs::read_to_string(&file).context("the file cannot be read")?;
    let rules: Rules = serde_json::from_str(&text).with_context(|| format!("{} is no mapping", file.display()))?;
    let origin = app.settings.public_url.clone().context("the environment lacks PUBLIC_URL")?;
    let opened = app.remap(cx, &found, &object, rules, &origin).await?.map_err(|unfit| anyhow::anyhow!("{unfit}"))?;
    println!("{id} is being read anew; nothing is written to it before: operator activate {tenant} {id}");
    for what in opened.to_do() {
        println!("To do in {}: {what}", found.crm.title());
    }
    Ok(())
}

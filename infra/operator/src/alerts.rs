//! Who is told of what waits for a tenant's people: shown, or changed; and the secrets of their channels.

use crate::show;
use anyhow::{Context as _, Result, ensure};
use shared::{App, alert::Alerts, id::TenantId, provider::Secret, store::Setting};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    tenant: TenantId,
    /// A file of JSON: {"channels": {<name>: {"is": "slack"}, …}, "rules": [{"to": [<name>], "least": "critical", "codes": […], "connections": […]}]}
    #[arg(long)]
    from: Option<PathBuf>,
    /// A channel whose secret comes on standard input: Slack's webhook URL, a bot's token, a routing key, a whsec_…
    #[arg(long, value_name = "CHANNEL", conflicts_with = "from")]
    secret: Option<String>,
}

pub(crate) async fn run(app: &App, Args { tenant, from, secret }: Args) -> Result<()> {
    let stored = app.store.settings(&tenant).await?.alerts;
    if let Some(channel) = secret {
        ensure!(stored.channels.contains_key(&channel), "there is no channel {channel}: --from names channels");
        let mut secret = String::new();
        std::io::stdin().read_line(&mut secret).context("the secret is read from standard input")?;
        ensure!(!secret.trim().is_empty(), "the secret is read from standard input, and that is empty");
        app.secrets.put_alert(&tenant, &channel, Secret::new(secret.trim())).await?;
        println!("the channel {channel} can be told something");
        return Ok(());
    }
    let Some(file) = from else { return show::json(&stored) };
    let alerts: Alerts = show::read(&file, "says nothing of alerts")?;
    app.store.set(&tenant, Setting::Alerts(&alerts), None).await?;
    println!("It holds for what is opened from now on; each channel needs its secret: --secret <channel>");
    Ok(())
}

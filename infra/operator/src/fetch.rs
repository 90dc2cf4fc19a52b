//! Records of a CRM on request: shown here a page at a time, or brought into a workflow.

use crate::show;
use anyhow::{Context as _, Result, bail};
use shared::{
    App,
    change::Fetching,
    context::Context,
    fetch::Sheet,
    id::{ConnectionId, RequestId, TenantId},
    mapping::{Formula, Mapping},
    profile::{Known, Profile},
    record::{Object, Region, Workflow},
    request::{Fetch, Inward},
};

#[derive(clap::Args)]
pub(crate) struct Args {
    tenant: TenantId,
    connection: ConnectionId,
    /// person, company, deal, …
    #[arg(long, default_value = "person")]
    object: Object,
    /// One of the CRM's own lists, views or filters, by its id there
    #[arg(long)]
    list: Option<String>,
    /// Only those for whom this expression of the hub's fields holds, such as "lead_score >= 75"
    #[arg(long = "where", value_parser = Formula::parse)]
    filter: Option<Formula>,
    /// Tell a workflow of this id on the event bus, rather than show a page here
    #[arg(long)]
    workflow: Option<String>,
    /// Show the page that begins here: as the page before it says
    #[arg(long, conflicts_with = "workflow")]
    after: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct ProfileArgs {
    tenant: TenantId,
    /// email=…, phone=…, id=… (the product's own), record=…, or a connection's name with _id for the CRM's, such as hubspot_id=…
    key: String,
    /// person, company, deal, …
    #[arg(long, default_value = "person")]
    object: Object,
}

pub(crate) async fn run(app: &App, cx: &Context, args: Args) -> Result<()> {
    let Args { tenant, connection, object, list, filter, workflow, after } = args;
    let id: RequestId = format!("operator-{}", cx.now().as_millisecond()).parse()?;
    if filter.as_ref().is_some_and(Formula::is_template) {
        bail!("a filter is an expression, such as lead_score >= 75");
    }
    let asker = workflow.map(|id| Workflow { id: Some(id), run_id: None, step_id: None });
    let told = asker.is_some();
    let fetch = Fetch {
        version: 1,
        id: id.clone(),
        tenant_id: tenant.clone(),
        connection_id: connection.clone(),
        object,
        direction: Inward::Fetch,
        list,
        filter,
        workflow: asker,
    };
    let fetch = fetch.canonical();
    if told {
        app.start_fetch(cx, Fetching::of(fetch)).await?;
        println!(
            "fetch {id}: each record is a record.fetched on the event bus, and fetch.done or fetch.failed ends it"
        );
        return Ok(());
    }
    let connection = app.store.connection(&tenant, &connection).await?.context("there is no such connection")?;
    match app.fetch_page(cx, &connection, &fetch, after.as_deref()).await? {
        Ok(sheet) => {
            print!("{}", table(&sheet, connection.mapping(&fetch.object)?));
            Ok(())
        }
        Err(unserved) => bail!("{}: {}", unserved.code, unserved.reason),
    }
}

pub(crate) async fn profile(app: &App, ProfileArgs { tenant, key, object }: ProfileArgs) -> Result<()> {
    let (field, value) = key.split_once('=').context("a key looks like email=ada@example.com")?;
    let known = Known::read(&object, field, value, &Region::default()).context("that is no value of such a key")?;
    show::json(&app.profile(&tenant, &object, &known).await?)
}

/// The most columns beside the two ids.
const COLUMNS: usize = 6;
/// The most letters of a value.
const WIDEST: usize = 28;

/// A row for each record: its id in the CRM, the product's own, and what the connection reads first.
fn table(sheet: &Sheet, mapping: &Mapping) -> String {
    let mut names: Vec<&str> = Vec::new();
    for rule in mapping.rules.iter().filter(|rule| rule.direction.receives() && rule.hub != "id") {
        if !names.contains(&rule.hub.as_str()) && names.len() < COLUMNS {
            names.push(&rule.hub);
        }
    }
    let head: Vec<String> =
        ["in the CRM", "product id"].into_iter().chain(names.iter().copied()).map(str::to_owned).collect();
    let mut rows = vec![head];
    for (remote, record) in &sheet.records {
        let profile = Profile::of(record);
        let shown = |name: &str| record.fields.told(name).flatten().map(|value| value.to_string()).unwrap_or_default();
        let ids = [remote.to_string(), profile.product_id.map(|id| id.to_string()).unwrap_or_default()];
        rows.push(ids.into_iter().chain(names.iter().map(|name| shown(name))).map(|text| cut(&text)).collect());
    }
    let width = |column: usize| rows.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max().unwrap_or(0);
    let widths: Vec<usize> = (0..names.len() + 2).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(text, width)| format!("{text:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut table: String = rows.iter().map(line).collect();
    let tally = sheet.tally;
    table.push_str(&format!(
        "{} read, {} shown, {} filtered, {} left out\n",
        tally.read, tally.fetched, tally.filtered, tally.left_out
    ));
    if let Some(next) = &sheet.next {
        table.push_str(&format!("there is more: --after '{next}'\n"));
    }
    table
}

fn cut(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.chars().count() > WIDEST {
        true => line.chars().take(WIDEST - 1).chain(['…']).collect(),
        false => line.to_owned(),
    }
}

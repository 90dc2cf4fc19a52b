//! Files: brought in row by row, counted first; and taken out.

use anyhow::{Context as _, Result, bail, ensure};
use shared::{
    App,
    context::Context,
    export,
    id::{ConnectionId, Source, TenantId},
    import::{Asked, Counts, Import, State, key},
    record::Object,
    rows::{Charset, Delimiter, Format},
    store::{Job, keys},
};
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

#[derive(clap::Args)]
pub(crate) struct ImportArgs {
    /// CSV, or NDJSON by its name's end. Left out: with --id, an import that is there already
    #[arg(required_unless_present = "id")]
    file: Option<PathBuf>,
    #[arg(long)]
    tenant: TenantId,
    #[arg(long, conflicts_with = "file")]
    id: Option<String>,
    /// person, company, deal, …
    #[arg(long, default_value = "person")]
    object: Object,
    /// The connection whose CRM the file comes from: its column of ids names that CRM's records
    #[arg(long)]
    connection: Option<ConnectionId>,
    /// A header and the field that it fills, as "Shirt size=shirt_size"; nothing behind the = leaves it out. Several times
    #[arg(long = "column", value_parser = column)]
    columns: Vec<(String, Option<String>)>,
    /// Columns of other names become fields under these names
    #[arg(long)]
    keep: bool,
    /// In whose name the values are written
    #[arg(long, default_value = "workflow")]
    source: Source,
    /// utf-8, utf-16le, utf-16be or windows-1252, where it cannot be seen
    #[arg(long, value_parser = named::<Charset>)]
    charset: Option<Charset>,
    /// comma, semicolon, tab or pipe, where it cannot be seen
    #[arg(long, value_parser = named::<Delimiter>)]
    delimiter: Option<Delimiter>,
    /// Write it once it is counted; without this it is only counted
    #[arg(long)]
    start: bool,
    /// Where to put what became of each row, or would: a CSV
    #[arg(long)]
    result: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct ExportArgs {
    /// Where to put it: CSV, or NDJSON by its name's end
    file: PathBuf,
    #[arg(long)]
    tenant: TenantId,
    /// person, company, deal, …
    #[arg(long, default_value = "person")]
    object: Object,
}

/// How often one looks how far it is.
const EVERY: Duration = Duration::from_secs(1);

pub(crate) async fn import(app: &App, cx: &Context, args: ImportArgs) -> Result<()> {
    let (tenant, start, result) = (args.tenant.clone(), args.start, args.result.clone());
    let id = match (&args.id, &args.file) {
        (Some(id), _) => id.clone(),
        (None, Some(file)) => send(app, cx, &file.clone(), args).await?,
        (None, None) => bail!("name a file, or an import by --id"),
    };
    let mut job = settled(app, &tenant, &id, State::Counting).await?;
    if job.of.state == State::Counted {
        tell(&job.of, job.of.counted.as_ref(), "would be");
        if start {
            job = app.start_import(cx, &job).await?.context("somebody else changed it meanwhile")?;
        } else {
            println!("write it: operator import --tenant {tenant} --id {id} --start");
        }
    }
    if job.of.state == State::Running {
        job = settled(app, &tenant, &id, State::Running).await?;
        tell(&job.of, job.of.done.as_ref(), "were");
    }
    if let Some(reason) = &job.of.reason {
        bail!("it failed: {reason}");
    }
    match (result, job.of.result()) {
        (Some(to), Some(from)) => save(app, &from, &to).await,
        _ => Ok(()),
    }
}

async fn send(app: &App, cx: &Context, file: &Path, args: ImportArgs) -> Result<String> {
    let bytes = std::fs::metadata(file).with_context(|| format!("{} cannot be read", file.display()))?.len();
    let asked = Asked {
        name: file.file_name().map(|name| name.to_string_lossy().into_owned()),
        object: args.object,
        format: format(file),
        bytes,
        charset: args.charset,
        delimiter: args.delimiter,
        connection: args.connection,
        columns: args.columns.into_iter().collect::<BTreeMap<_, _>>(),
        keep: args.keep,
        source: args.source,
        as_of: None,
    };
    asked.check().map_err(|faults| anyhow::anyhow!(faults.join("; ")))?;
    let content_type = asked.format.content_type();
    let upload = app.create_import(cx, &args.tenant, asked).await?;
    app.files.send(&key(&args.tenant, &upload.id), content_type, file).await?;
    eprintln!("import {}: {bytes} bytes are sent", upload.id);
    Ok(upload.id)
}

/// Waits until it is in another state than this, or than waiting for its file.
async fn settled(app: &App, tenant: &TenantId, id: &str, busy: State) -> Result<Job<Import>> {
    loop {
        let job: Option<Job<Import>> = app.store.job(&keys::import(tenant, id)).await?;
        let job = job.context("there is no such import")?;
        if job.of.state != busy && job.of.state != State::Waiting {
            eprintln!();
            return Ok(job);
        }
        let share = job.of.walk.at.offset * 100 / job.of.about.bytes.max(1);
        eprint!("\r{share:3} %, row {}", job.of.walk.at.row);
        std::io::stderr().flush()?;
        tokio::time::sleep(EVERY).await;
    }
}

fn tell(import: &Import, counts: Option<&Counts>, were: &str) {
    let Some(counts) = counts else { return };
    let Counts { rows, created, updated, unchanged, refused, odd, reasons } = counts;
    println!(
        "{rows} rows: {created} records {were} made, {updated} changed, {unchanged} are as they are, {refused} rows {were} refused"
    );
    if *odd > 0 {
        println!("{odd} more rows have a value that cannot be used");
    }
    for (code, reason) in reasons {
        println!("  {code}: {} rows, the first is row {}", reason.rows, reason.first);
    }
    let left: Vec<&str> =
        import.columns.iter().filter(|column| column.field.is_none()).map(|column| column.header.as_str()).collect();
    if !left.is_empty() {
        println!("columns that are left out: {}", left.join(", "));
    }
}

pub(crate) async fn export(app: &App, cx: &Context, args: ExportArgs) -> Result<()> {
    let ExportArgs { file, tenant, object } = args;
    let export = app.create_export(cx, &tenant, object, format(&file)).await?;
    let at = export.key();
    loop {
        let job: Option<Job<export::Export>> = app.store.job(&at).await?;
        let export = job.context("there is no such export")?.of;
        match export.state {
            export::State::Running => tokio::time::sleep(EVERY).await,
            export::State::Done => {
                save(app, &export.file(), &file).await?;
                println!("{} records are in {}", export.records, file.display());
                return Ok(());
            }
            export::State::Cancelled | export::State::Failed => {
                bail!("it failed: {}", export.reason.unwrap_or_default())
            }
        }
    }
}

/// Fetches a file part by part.
async fn save(app: &App, from: &str, to: &Path) -> Result<()> {
    let signed = app.files.download(from, "file").await?;
    let mut answer = app.http()?.get(&signed.url).send().await.context("the file cannot be fetched")?;
    ensure!(answer.status().is_success(), "S3 answers {}", answer.status());
    let mut file = std::fs::File::create(to).with_context(|| format!("{} cannot be written", to.display()))?;
    while let Some(chunk) = answer.chunk().await? {
        file.write_all(&chunk)?;
    }
    Ok(())
}

fn format(file: &Path) -> Format {
    let is = |end: &str| file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(end));
    if is("ndjson") || is("jsonl") { Format::Ndjson } else { Format::Csv }
}

fn column(said: &str) -> Result<(String, Option<String>), String> {
    let (header, field) = said.rsplit_once('=').ok_or("a column looks like \"Shirt size=shirt_size\"")?;
    Ok((header.to_owned(), Some(field.to_owned()).filter(|field| !field.is_empty())))
}

/// By the name that the API has for it.
fn named<T: serde::de::DeserializeOwned>(name: &str) -> Result<T, String> {
    serde_json::from_value(name.into()).map_err(|e| e.to_string())
}

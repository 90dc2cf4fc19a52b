//! `cargo dev new-provider`: the folder of a new CRM, and its name in the enum of all.

use crate::project::Project;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Lower-case letters and digits, such as close: it is also the path of its webhooks
    name: String,
    /// As a person writes it
    #[arg(long)]
    title: Option<String>,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    let name = args.name.as_str();
    let sound = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    ensure!(sound, "{name} is not made of lower-case letters and digits");
    let provider = project.root.join("shared/src/provider");
    let folder = provider.join(name);
    ensure!(!folder.exists(), "{} is there already", project.shown(&folder));
    let list = provider.join("mod.rs");
    let source = fs::read_to_string(&list)?;
    let variant = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
    let title = args.title.as_deref().unwrap_or(&variant);
    let source = named(&source, name, &variant, title).context("provider/mod.rs is not of the form that is known")?;
    fs::create_dir(&folder)?;
    let skeleton = include_str!("../provider/mod.rs.txt").replace("TITLE", &variant).replace("NAME", name);
    fs::write(folder.join("mod.rs"), skeleton)?;
    fs::write(folder.join("README.md"), include_str!("../provider/README.md").replace("TITLE", title))?;
    fs::write(&list, source)?;
    ensure!(project.cargo().args(["fmt", "--all"]).status()?.success(), "cargo fmt failed");
    println!("{} is there and compiles; no law holds for it yet.", project.shown(&folder));
    println!("What comes next, step by step: shared/src/provider/README.md");
    Ok(ExitCode::SUCCESS)
}

/// The enum and its lists with one CRM more.
fn named(source: &str, name: &str, variant: &str, title: &str) -> Option<String> {
    let source = before(source, "pub mod schema;", &format!("mod {name};\n"), "")?;
    let source = before(&source, "}\n", &format!("    {variant},\n"), "pub enum Crm {")?;
    let arm = format!(
        "            Crm::{variant} => {{\n                type $P = {name}::{variant};\n                $call\n            }}\n"
    );
    let source = before(&source, "        }\n    };", &arm, "macro_rules! each {")?;
    let source = before(
        &source,
        "        }\n",
        &format!("            Crm::{variant} => \"{name}\",\n"),
        "pub const fn name(self)",
    )?;
    let source = before(
        &source,
        "        }\n",
        &format!("            Crm::{variant} => \"{title}\",\n"),
        "pub const fn title(self)",
    )?;
    let source = before(&source, "];", &format!(", Crm::{variant}"), "pub const ALL: [Crm; ")?;
    let (head, rest) = source.split_once("pub const ALL: [Crm; ")?;
    let (count, rest) = rest.split_once(']')?;
    let count: usize = count.parse().ok()?;
    Some(format!("{head}pub const ALL: [Crm; {}]{rest}", count + 1))
}

/// A text put before the first mark that comes after another.
fn before(source: &str, mark: &str, text: &str, after: &str) -> Option<String> {
    let from = source.find(after)?;
    let at = from + source[from..].find(mark)?;
    Some(format!("{}{text}{}", &source[..at], &source[at..]))
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_new_crm_is_in_every_list() {
        let source = include_str!("../../../../shared/src/provider/mod.rs");
        let after = named(source, "close", "Close", "Close CRM").unwrap();
        for line in [
            "mod close;",
            "type $P = close::Close;",
            "Crm::Close => \"close\"",
            "Crm::Close => \"Close CRM\"",
            ", Crm::Close];",
        ] {
            assert_eq!(after.matches(line).count(), 1, "{line}");
        }
        let count = |source: &str| source.matches("Crm::").count();
        assert_eq!(count(&after), count(source) + 4);
    }
}

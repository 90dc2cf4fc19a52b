//! How well a tenant's connections stand, as a page to read.

use anyhow::{Context as _, Result, ensure};
use shared::{
    App,
    connection::{Connection, State},
    context::Context,
    doctor::{Finding, Mark},
    id::{ConnectionId, TenantId},
};

#[derive(clap::Args)]
pub(crate) struct Args {
    tenant: TenantId,
    /// Left out, all of the tenant's that are not disconnected
    connection: Option<ConnectionId>,
}

/// Columns of a page.
const WIDTH: usize = 100;

/// It ends with an error where something is failing, so that a script notices.
pub(crate) async fn run(app: &App, cx: &Context, args: Args) -> Result<()> {
    let Args { tenant, connection } = args;
    app.settings.public_url.as_ref().context("the environment lacks PUBLIC_URL")?;
    let connections = match &connection {
        Some(id) => vec![app.store.connection(&tenant, id).await?.context("there is no such connection")?],
        None => app.store.connections(&tenant).await?.into_iter().filter(|one| one.state != State::Closed).collect(),
    };
    ensure!(!connections.is_empty(), "{tenant} has no connections");
    let mut failing = 0;
    for connection in &connections {
        let findings = app.examine(cx, connection).await?;
        print!("{}", page(connection, &findings));
        failing += usize::from(count(&findings, Mark::Bad) > 0);
    }
    ensure!(failing == 0, "{failing} of {} connections need somebody", connections.len());
    Ok(())
}

fn page(connection: &Connection, findings: &[Finding]) -> String {
    let Connection { tenant, id, crm, account, .. } = connection;
    let sum = match (count(findings, Mark::Bad), count(findings, Mark::Look)) {
        (0, 0) => "all is well".to_owned(),
        (0, looks) => format!("{looks} to look at"),
        (bad, 0) => format!("{bad} failing"),
        (bad, looks) => format!("{bad} failing, {looks} to look at"),
    };
    format!("{tenant} {id} ({} account {account}): {sum}\n{}\n", crm.title(), table(findings))
}

fn count(findings: &[Finding], mark: Mark) -> usize {
    findings.iter().filter(|finding| finding.mark == mark).count()
}

fn table(findings: &[Finding]) -> String {
    let widest = findings.iter().map(|finding| finding.about.len()).max().unwrap_or_default();
    let indent = " ".repeat(2 + "warning".len() + 2 + widest + 2);
    let mut page = String::new();
    for (at, finding) in findings.iter().enumerate() {
        let mark = match finding.mark {
            Mark::Good => "ok",
            Mark::Look => "warning",
            Mark::Bad => "failing",
        };
        page += &format!("  {mark:7}  {:widest$}  {}\n", finding.about, wrapped(&finding.what, &indent));
        // What helps against several is said below the last of them.
        let again = findings.get(at + 1..).is_some_and(|rest| rest.iter().any(|next| next.todo == finding.todo));
        if !finding.todo.is_empty() && !again {
            page += &format!("{indent}-> {}\n", wrapped(&finding.todo, &format!("{indent}   ")));
        }
    }
    page
}

/// In lines that begin below the first one.
fn wrapped(text: &str, indent: &str) -> String {
    let (mut lines, mut column) = (String::new(), indent.len());
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > indent.len() && column + 1 + length > WIDTH {
            lines += &format!("\n{indent}");
            column = indent.len();
        } else if column > indent.len() {
            lines.push(' ');
            column += 1;
        }
        lines += word;
        column += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(mark: Mark, about: &'static str, todo: &str) -> Finding {
        Finding { mark, about, what: "it is so".to_owned(), code: None, todo: todo.to_owned() }
    }

    #[test]
    fn what_is_wrong_stands_above_what_to_do() {
        let found = [finding(Mark::Good, "state", ""), finding(Mark::Bad, "webhooks", "Mend it.")];
        let page = "  ok       state     it is so\n  failing  webhooks  it is so\n                     -> Mend it.\n";
        assert_eq!(table(&found), page);
    }

    #[test]
    fn what_helps_against_several_is_said_once() {
        let found = [finding(Mark::Bad, "state", "Mend it."), finding(Mark::Bad, "token", "Mend it.")];
        assert_eq!(table(&found).matches("Mend it.").count(), 1);
    }

    #[test]
    fn no_line_is_too_long_and_no_word_is_lost() {
        let todo = "word ".repeat(60);
        let table = table(&[finding(Mark::Look, "webhooks", &todo)]);
        assert!(table.lines().all(|line| line.len() <= WIDTH), "{table}");
        assert_eq!(table.matches("word").count(), 60);
    }
}

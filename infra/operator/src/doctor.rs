//! How well a connection stands, as a table.

use anyhow::{Context as _, Result, ensure};
use shared::{
    App,
    context::Context,
    doctor::{Finding, Mark},
    id::{ConnectionId, TenantId},
};

/// It ends with an error where something is wrong, so that a script notices.
pub(crate) async fn run(app: &App, cx: &Context, tenant: &TenantId, id: &ConnectionId) -> Result<()> {
    let connection = app.store.connection(tenant, id).await?.context("there is no such connection")?;
    println!("{tenant} {id}: {} {}", connection.crm.title(), connection.account);
    let findings = app.examine(cx, &connection).await?;
    print!("{}", table(&findings));
    let bad = findings.iter().filter(|finding| finding.mark == Mark::Bad).count();
    ensure!(bad == 0, "{bad} of {} findings need somebody", findings.len());
    Ok(())
}

fn table(findings: &[Finding]) -> String {
    let widest = findings.iter().map(|finding| finding.about.len()).max().unwrap_or_default();
    let line = |finding: &Finding| {
        let Finding { mark, about, what, todo, .. } = finding;
        let mark = match mark {
            Mark::Good => '✓',
            Mark::Look => '!',
            Mark::Bad => '✗',
        };
        let todo = if todo.is_empty() { String::new() } else { format!("  {:widest$}  → {todo}\n", "") };
        format!("{mark} {about:widest$}  {what}\n{todo}")
    };
    findings.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_stands_above_what_to_do() {
        let finding = |mark, about, todo: &str| Finding {
            mark,
            about,
            what: "it is so".to_owned(),
            code: None,
            todo: todo.to_owned(),
        };
        let found = [finding(Mark::Good, "state", ""), finding(Mark::Bad, "webhooks", "Mend it.")];
        assert_eq!(table(&found), "✓ state     it is so\n✗ webhooks  it is so\n            → Mend it.\n");
    }
}

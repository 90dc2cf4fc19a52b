//! Calls to the CRMs by route, as a table.

use super::scene::Calls;
use std::fmt::Write;

/// What was called since an earlier count.
pub(super) fn since(before: &Calls, after: &Calls) -> Calls {
    let earlier =
        |crm: &str, route: &str| before.get(crm).and_then(|routes| routes.get(route)).copied().unwrap_or_default();
    let newer = |crm: &str, routes: &std::collections::BTreeMap<String, u64>| {
        let routes = routes.iter().map(|(route, n)| (route.clone(), n - earlier(crm, route)));
        routes.filter(|(_, n)| *n > 0).collect()
    };
    after.iter().map(|(crm, routes)| (crm.clone(), newer(crm, routes))).collect()
}

/// One line per CRM and route, most calls first; `leads` that these calls carried, 0 if that means nothing.
pub(super) fn render(calls: &Calls, leads: usize) -> String {
    let mut lines = String::new();
    for (crm, routes) in calls {
        let total: u64 = routes.values().sum();
        let each = if leads > 0 { format!(", {:.3} per lead", total as f64 / leads as f64) } else { String::new() };
        let _ = writeln!(lines, "    {crm:<8} {total:>6} calls{each}");
        let mut routes: Vec<_> = routes.iter().collect();
        routes.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        for (route, n) in routes {
            let _ = writeln!(lines, "             {n:>6}  {route}");
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_counted() {
        let calls = |n: u64, m: u64| -> Calls {
            [("zoho".to_owned(), [("GET /a".to_owned(), n), ("POST /b".to_owned(), m)].into())].into()
        };
        assert_eq!(since(&calls(2, 3), &calls(2, 5)), [("zoho".to_owned(), [("POST /b".to_owned(), 2)].into())].into());
        assert_eq!(
            render(&calls(1, 3), 2),
            "    zoho          4 calls, 2.000 per lead\n                  3  POST /b\n                  1  GET /a\n"
        );
    }
}

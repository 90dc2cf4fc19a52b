//! What a crowd may cost in calls: batches of a hundred, and little besides. Pure.

use super::scene::Calls;

/// Routes that serve one purpose, and how many calls of them a thousand leads are worth.
struct Purpose {
    crm: &'static str,
    what: &'static str,
    routes: &'static [&'static str],
    per_thousand: u64,
    /// For batches that are not full.
    besides: u64,
}

/// E-mails and phones are looked up together where one query has room for both: in all of Salesforce's calls, in two of Zoho's. HubSpot's
/// phones are searched for those whom no e-mail address has found, as many as its search has room for. Pipedrive has no batches. What
/// was written is pulled once more or twice, by routes that serve other purposes too.
const PURPOSES: &[Purpose] = &[
    purpose("hubspot", "writes", &["/batch/upsert", "/batch/update"], 10, 20),
    purpose("hubspot", "reads", &["/batch/read"], 10, 20),
    purpose("hubspot", "phone lookups and pulls", &["/search"], 30 + 10, 20),
    purpose("salesforce", "writes", &["PATCH /services/data/v66.0/composite/sobjects"], 5, 10),
    purpose("salesforce", "lookups, read-backs and pulls", &["/composite/batch"], 10 + 2, 20),
    purpose("zoho", "writes", &["POST /crm/v8/Leads/upsert", "PUT /crm/v8/Leads"], 10, 20),
    purpose("zoho", "lookups by e-mail and by phone", &["/coql"], 20, 20),
    purpose("zoho", "read-backs and pulls", &["GET /crm/v8/Leads"], 10 + 15, 20),
    purpose("pipedrive", "writes", &["POST /api/v2/persons", "PATCH /api/v2/persons/{id}"], 1000, 0),
    purpose("pipedrive", "searches", &["/api/v2/persons/search"], 1000, 0),
    purpose("pipedrive", "reads", &["GET /api/v2/persons"], 100, 20),
];

const fn purpose(
    crm: &'static str,
    what: &'static str,
    routes: &'static [&'static str],
    per_thousand: u64,
    besides: u64,
) -> Purpose {
    Purpose { crm, what, routes, per_thousand, besides }
}

/// For tokens, and for whatever the schedules do meanwhile: a larger crowd takes them more pulls.
fn besides(size: usize) -> u64 {
    20 + size as u64 * 3 / 1000
}

/// What went beyond the bar, for a person.
pub(super) fn exceeded(calls: &Calls, size: usize) -> Option<String> {
    let serves = |purpose: &Purpose, route: &str| {
        let one = |one: &&str| {
            if one.starts_with('/') {
                route.contains(one)
            } else {
                route == *one || route.starts_with(&format!("{one}/"))
            }
        };
        let search = route.contains("/search");
        purpose.routes.iter().any(one) && (!search || purpose.routes.iter().any(|one| one.contains("/search")))
    };
    let of = |crm: &str, wanted: &dyn Fn(&str) -> bool| -> u64 {
        calls.get(crm).into_iter().flatten().filter(|(route, _)| wanted(route)).map(|(_, n)| n).sum()
    };
    let purposes = PURPOSES.iter().filter_map(|purpose| {
        let made = of(purpose.crm, &|route| serves(purpose, route));
        let most = (size as u64 * purpose.per_thousand).div_ceil(1000) + purpose.besides;
        (made > most).then(|| format!("{made} {} of {}, at most {most}", purpose.what, purpose.crm))
    });
    let others = calls.keys().filter_map(|crm| {
        let others = of(crm, &|route| !PURPOSES.iter().any(|one| one.crm == crm && serves(one, route)));
        let most = besides(size);
        (others > most).then(|| format!("{others} other calls of {crm}, at most {most}"))
    });
    let over: Vec<String> = purposes.chain(others).collect();
    (!over.is_empty()).then(|| over.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(crm: &str, routes: &[(&str, u64)]) -> Calls {
        [(crm.to_owned(), routes.iter().map(|(route, n)| ((*route).to_owned(), *n)).collect())].into()
    }

    #[test]
    fn a_hundred_batches_pass_and_a_call_per_lead_does_not() {
        let writes = |n| calls("zoho", &[("POST /crm/v8/Leads/upsert", n), ("PUT /crm/v8/Leads", 20)]);
        assert_eq!(exceeded(&writes(100), 10_000), None);
        assert_eq!(exceeded(&writes(101), 10_000).unwrap(), "121 writes of zoho, at most 120");
        let searched = calls("hubspot", &[("POST /crm/objects/2026-09/contacts/search", 10_000)]);
        assert_eq!(exceeded(&searched, 10_000).unwrap(), "10000 phone lookups and pulls of hubspot, at most 420");
    }

    #[test]
    fn what_serves_no_purpose_is_counted_too() {
        let odd = calls("hubspot", &[("POST /oauth/2026-09/token", 21)]);
        assert_eq!(exceeded(&odd, 300).unwrap(), "21 other calls of hubspot, at most 20");
    }
}

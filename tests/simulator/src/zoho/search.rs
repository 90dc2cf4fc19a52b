//! `GET /crm/v8/{module}/search` (Zoho docs: search records): an index that lags, and an `equals` that is not exact.

use super::Desk;
use super::errors;
use crate::phones::digits;
use crate::records::{Record, View};
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

const RESULTS: usize = 2_000;
const CRITERIA: usize = 10;

pub fn search(desk: &mut Desk<'_>, module: &str, call: &Call) -> Result<Reply, Reply> {
    let criteria = call.param("criteria").map(parse).transpose()?.unwrap_or_default();
    let (email, phone, word) = (call.param("email"), call.param("phone"), call.param("word"));
    if criteria.is_empty() && email.is_none() && phone.is_none() && word.is_none() {
        return Err(errors::missing_param("criteria"));
    }
    let page: usize = call.param("page").map_or(Ok(1), str::parse).map_err(|_| errors::invalid_param("page"))?;
    let per_page: usize =
        call.param("per_page").map_or(Ok(200), str::parse).map_err(|_| errors::invalid_param("per_page"))?;
    if per_page == 0 || per_page > 200 || page == 0 || page * per_page > RESULTS {
        return Err(errors::refused(
            400,
            "LIMIT_EXCEEDED",
            "only 2000 records can be searched",
            json!({"limit": RESULTS}),
        ));
    }
    let horizon = desk.now - desk.faults.search_lag_ms;
    let table = desk.org.modules.get(module).ok_or_else(errors::invalid_module)?;
    let any = |v: View<'_>, names: &[&str], f: &dyn Fn(&str) -> bool| {
        names.iter().any(|n| v.fields.get(*n).and_then(Value::as_str).is_some_and(f))
    };
    let passes = |v: View<'_>| {
        email.is_none_or(|e| any(v, &["Email", "Secondary_Email"], &|s| s.eq_ignore_ascii_case(e)))
            && phone.is_none_or(|p| any(v, &["Phone", "Mobile"], &|s| digits(s) == digits(p)))
            && word.is_none_or(|w| {
                v.fields.values().any(|f| f.as_str().is_some_and(|s| s.to_lowercase().contains(&w.to_lowercase())))
            })
            && criteria.iter().all(|c| c.passes(v))
    };
    let hits: Vec<&Record> = table
        .records
        .values()
        .rev()
        .filter(|r| r.archived.is_none() && r.view_at(horizon).is_some_and(passes))
        .take(RESULTS)
        .collect();
    let all: Vec<&str> = desk.org.fields.get(module).into_iter().flatten().map(|f| f.name.as_str()).collect();
    let fields: Vec<&str> = call.param("fields").map_or(all, |f| f.split(',').map(str::trim).collect());
    let data: Vec<Value> =
        hits.iter().skip((page - 1) * per_page).take(per_page).map(|r| desk.show(module, r, &fields)).collect();
    if data.is_empty() {
        return Ok(Reply::empty(204));
    }
    let info =
        json!({"per_page": per_page, "count": data.len(), "page": page, "more_records": page * per_page < hits.len()});
    Ok(Reply::json(200, json!({"data": data, "info": info})))
}

struct Criterion {
    field: String,
    operator: String,
    value: String,
}

impl Criterion {
    /// `equals` matches beginnings too: clients must compare again.
    fn passes(&self, view: View<'_>) -> bool {
        let own = view.fields.get(&self.field).and_then(Value::as_str).unwrap_or_default().to_lowercase();
        match self.operator.as_str() {
            "in" => self.value.split(',').any(|v| v == own),
            _ => !own.is_empty() && own.starts_with(&self.value),
        }
    }
}

/// `((Email:equals:a@b.c)and(Last_Name:starts_with:B))`; `and` only; `\` escapes brackets and commas.
fn parse(text: &str) -> Result<Vec<Criterion>, Reply> {
    let wrong = || errors::invalid_param("criteria");
    let marked = text.replace("\\(", "\u{1}").replace("\\)", "\u{2}");
    let parts: Vec<&str> =
        marked.split(['(', ')']).filter(|p| !p.is_empty() && !p.eq_ignore_ascii_case("and")).collect();
    if parts.is_empty() || parts.len() > CRITERIA {
        return Err(wrong());
    }
    let criterion = |part: &&str| {
        let mut pieces = part.splitn(3, ':');
        let (field, operator, value) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let value = value.replace('\u{1}', "(").replace('\u{2}', ")").replace("\\,", ",").to_lowercase();
        matches!(operator, "equals" | "starts_with" | "in").then(|| Criterion {
            field: field.to_owned(),
            operator: operator.to_owned(),
            value,
        })
    };
    parts.iter().map(|p| criterion(p).ok_or_else(wrong)).collect()
}

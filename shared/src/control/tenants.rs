//! Tenants: taken on and seen off by those who run the stack.

use super::{
    access::EVERY,
    call::{Call, Told, short},
    page::{Limit, Page, cursor, place},
    problem::{self, Problem},
    route::Nothing,
};
use crate::{connection::State, id::TenantId, store::Tenancy};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct Listed {
    /// `next` of the page before.
    cursor: Option<String>,
    limit: Limit,
}

pub async fn list(call: &Call<'_>, asked: Listed) -> Told<Page<Tenancy>> {
    let after: Option<TenantId> = place(asked.cursor.as_deref())?;
    let (items, next) = call.app.store.tenants(after.as_ref(), asked.limit.rows()).await?;
    Ok(Page { items, next: next.as_ref().map(cursor) }.into())
}

/// A new tenant.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewTenant")]
pub struct New {
    id: TenantId,
    /// For people.
    #[serde(default)]
    #[schemars(length(max = 200))]
    name: Option<String>,
}

pub async fn take_on(call: &Call<'_>, New { id, name }: New) -> Told<Tenancy> {
    if id.as_str() == EVERY {
        return Err(Problem::faults(vec![format!("id: {EVERY} stands for all tenants")]));
    }
    name.as_deref().map_or(Ok(()), |name| short("name", name))?;
    let tenancy = Tenancy { id, name, since: call.cx.now(), left: None };
    match call.app.store.take_on(&tenancy).await? {
        true => Ok(tenancy.into()),
        false => Err(Problem::new(problem::CONFLICT, "this tenant is among ours already")),
    }
}

pub async fn show(call: &Call<'_>, _: Nothing) -> Told<Tenancy> {
    let found = call.app.store.tenancy(&call.tenant()?).await?;
    Ok(found.ok_or_else(|| Problem::not_found("tenant"))?.into())
}

/// Ends each of their connections. What is known of their people stays until it is erased.
pub async fn see_off(call: &Call<'_>, _: Nothing) -> Told<Tenancy> {
    let tenant = call.tenant()?;
    // First, so that nothing is connected meanwhile.
    if !call.app.store.see_off(&tenant, call.cx.now()).await? {
        return Err(Problem::not_found("tenant"));
    }
    for connection in call.app.store.connections(&tenant).await? {
        if connection.state != State::Closed {
            call.app.disconnect(call.cx, &connection).await?;
        }
    }
    show(call, Nothing {}).await
}

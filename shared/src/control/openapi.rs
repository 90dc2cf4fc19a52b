//! The document that describes the API (OpenAPI 3.1), made of the table of routes and the types.

use super::{
    access::{Needs, Role},
    problem::{Answered, KINDS},
    route::Route,
};
use http::Method;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value as Json, json};

/// The whole document.
pub fn document(routes: &[Route]) -> Json {
    let settings = SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    let mut schemas = SchemaGenerator::new(settings);
    let problem = schemas.subschema_for::<Answered<'_>>();
    let mut paths: Map<String, Json> = Map::new();
    for route in routes {
        let at = paths.entry(route.path).or_insert_with(|| json!({}));
        at[route.method.as_str().to_lowercase()] = operation(route, &mut schemas);
    }
    let problems: Vec<Json> = KINDS.iter().map(|kind| json!({"code": kind.code, "status": kind.status})).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "CRM Sync",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "What the people who run a tenant ask and decide",
            "description": "Lists come a page at a time: `next` of one page is the `cursor` of the following. What two could change at once has an `ETag`, which a change names as `If-Match`. What went wrong is told as RFC 9457 has it, with a `code` that never changes its meaning and a remedy. Without a token that the gateway accepts it answers 401 itself.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "responses": {"problem": {"description": "Why not", "content": {"application/problem+json": {"schema": problem}}}},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
        "security": [{"token": []}],
        "x-problems": problems,
    })
}

fn operation(route: &Route, schemas: &mut SchemaGenerator) -> Json {
    let place =
        |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}});
    let mut parameters: Vec<Json> = route.places().map(place).collect();
    let takes = (route.takes)(schemas);
    let inlined = inlined(takes.as_value(), schemas);
    let fields = inlined["properties"].as_object().cloned().unwrap_or_default();
    let needs: Vec<&str> = inlined["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    if route.method == Method::GET {
        parameters.extend(fields.iter().map(|(name, schema)| in_query(name, schema, needs.contains(&name.as_str()))));
    }
    if route.guarded && route.method != Method::GET {
        parameters.push(json!({"name": "If-Match", "in": "header", "required": true, "description": "The ETag of what was read", "schema": {"type": "string"}}));
    }
    let mut answer =
        json!({"description": "As asked", "content": {"application/json": {"schema": (route.answers)(schemas)}}});
    if route.guarded {
        answer["headers"] = json!({"ETag": {"schema": {"type": "string"}}});
    }
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.about,
        "description": who(route.needs),
        "x-needs": needs_of(route.needs),
        "parameters": parameters,
        "responses": {"200": answer, "401": {"description": "No token that the gateway accepts, or one of nobody"}, "default": {"$ref": "#/components/responses/problem"}},
    });
    if route.method != Method::GET && takes_something(&inlined) {
        operation["requestBody"] = json!({"required": !needs.is_empty() || fields.is_empty(), "content": {"application/json": {"schema": takes}}});
    }
    operation
}

fn in_query(name: &str, schema: &Json, required: bool) -> Json {
    // A query has no null: what is not said is left out.
    let mut schema = without_null(schema);
    let about = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    let mut parameter = json!({"name": name, "in": "query", "required": required, "schema": schema});
    if let Some(about) = about {
        parameter["description"] = about;
    }
    parameter
}

fn who(needs: Needs) -> String {
    match needs {
        Needs::Proof => "For anybody who is proved.".to_owned(),
        Needs::Role(role) => format!(
            "For the role `{}`{} of the tenant.",
            role.name(),
            if role == Role::Admin { "" } else { " and those above it" }
        ),
        Needs::Platform => "For admins of the whole stack.".to_owned(),
    }
}

/// The same for programs.
fn needs_of(needs: Needs) -> &'static str {
    match needs {
        Needs::Proof => "proof",
        Needs::Role(role) => role.name(),
        Needs::Platform => "platform",
    }
}

/// A schema itself, where it was only named.
fn inlined(schema: &Json, schemas: &SchemaGenerator) -> Json {
    let named = schema["$ref"].as_str().and_then(|at| at.rsplit('/').next());
    named.and_then(|name| schemas.definitions().get(name)).cloned().unwrap_or_else(|| schema.clone())
}

/// Whether there is anything to say.
fn takes_something(schema: &Json) -> bool {
    schema["type"] != "object"
        || schema["additionalProperties"] != false
        || schema["properties"].as_object().is_some_and(|fields| !fields.is_empty())
}

fn without_null(schema: &Json) -> Json {
    let mut schema = schema.clone();
    if let Some([one, null]) = schema["anyOf"].as_array().map(Vec::as_slice)
        && null["type"] == "null"
    {
        let one = one.clone();
        let about = schema["description"].clone();
        schema = one;
        if !about.is_null() {
            schema["description"] = about;
        }
    }
    if let Some([one, null]) = schema["type"].as_array().map(Vec::as_slice)
        && null == "null"
    {
        schema["type"] = one.clone();
    }
    if let Some(fields) = schema.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    schema
}

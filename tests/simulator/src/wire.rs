//! One HTTP call and its answer, apart from sockets: the faces are functions from [`Call`] to [`Reply`].

use axum::body::{Body, Bytes};
use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::Value;

#[derive(Debug)]
pub struct Call {
    pub method: Method,
    /// The path below the CRM's prefix, as sent.
    pub path: String,
    /// The same, split at `/` and percent-decoded.
    pub segments: Vec<String>,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The body, where it is JSON.
    pub json: Option<Value>,
    /// The simulator's own base URL, as the client addressed it.
    pub base: String,
}

impl Call {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    pub fn json(&self) -> Option<&Value> {
        self.json.as_ref()
    }

    /// The form in the body, followed by the query: OAuth servers take either.
    pub fn form(&self) -> Vec<(String, String)> {
        let mut pairs: Vec<_> = form_urlencoded::parse(&self.body).into_owned().collect();
        pairs.extend(self.query.iter().cloned());
        pairs
    }

    /// The first value in [`Call::form`] of this name, or nothing.
    pub fn field(&self, name: &str) -> String {
        self.form().into_iter().find(|(k, _)| k == name).map(|(_, v)| v).unwrap_or_default()
    }

    pub fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    pub fn split(path: &str) -> Vec<String> {
        path.split('/')
            .filter(|s| !s.is_empty())
            .map(|s| percent_encoding::percent_decode_str(s).decode_utf8_lossy().into_owned())
            .collect()
    }
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub payload: Payload,
}

#[derive(Debug)]
pub enum Payload {
    Empty,
    Json(Value),
    /// A page for a person, or what a proxy in front of the vendor says when the vendor is down.
    Html(String),
    Csv(String),
}

impl Reply {
    pub fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), payload: Payload::Json(body) }
    }

    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), payload: Payload::Empty }
    }

    pub fn html(status: u16, page: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), payload: Payload::Html(page.into()) }
    }

    pub fn with(mut self, name: &'static str, value: &dyn ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub fn into_response(self) -> Response<Body> {
        let (kind, body) = match self.payload {
            Payload::Empty => (None, Body::empty()),
            Payload::Json(v) => (Some("application/json;charset=utf-8"), Body::from(v.to_string())),
            Payload::Csv(c) => (Some("text/csv"), Body::from(c)),
            Payload::Html(h) => (Some("text/html; charset=utf-8"), Body::from(h)),
        };
        let mut builder = Response::builder().status(self.status);
        if let Some(kind) = kind {
            builder = builder.header(http::header::CONTENT_TYPE, kind);
        }
        for (name, value) in self.headers {
            builder = builder.header(name, value);
        }
        builder.body(body).unwrap_or_else(|_| {
            let mut broken = Response::new(Body::empty());
            *broken.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            broken
        })
    }
}

//! A client of a fresh simulator, over real HTTP.

use serde_json::{Value, json};
use simulator::{Options, Simulator};
use std::sync::{Arc, Mutex};

pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

pub struct Client {
    pub sim: Simulator,
    pub http: reqwest::Client,
    pub hubspot: String,
    pub zoho: String,
    pub salesforce: String,
}

pub const OBJECTS: &str = "/crm/objects/2026-09/contacts";
pub const SALESFORCE: &str = "/services/data/v66.0";

/// Status and body of an answer; an empty body is null.
pub type Answer = (u16, Value);

impl Client {
    pub async fn start() -> Result<Self> {
        let sim = Simulator::start(Options::default()).await?;
        let mut client = Self {
            sim,
            http: reqwest::Client::new(),
            hubspot: String::new(),
            zoho: String::new(),
            salesforce: String::new(),
        };
        client.hubspot = client.hubspot_token().await?.1["access_token"].as_str().ok_or("no token")?.to_owned();
        client.zoho = client.zoho_token().await?.1["access_token"].as_str().ok_or("no token")?.to_owned();
        client.salesforce = client.salesforce_token().await?.1["access_token"].as_str().ok_or("no token")?.to_owned();
        Ok(client)
    }

    pub async fn account(&self, crm: &str) -> Result<Value> {
        let all = self.sim("GET", "accounts", Value::Null).await?.1;
        all.as_array().into_iter().flatten().find(|a| a["crm"] == crm).cloned().ok_or_else(|| "no account".into())
    }

    pub async fn hubspot_token(&self) -> Result<Answer> {
        self.token("hubspot", "/hubspot/oauth/2026-09/token").await
    }

    pub async fn zoho_token(&self) -> Result<Answer> {
        self.token("zoho", "/zoho/oauth/v2/token").await
    }

    pub async fn salesforce_token(&self) -> Result<Answer> {
        self.token("salesforce", "/salesforce/services/oauth2/token").await
    }

    async fn token(&self, crm: &str, path: &str) -> Result<Answer> {
        let account = self.account(crm).await?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token");
        for key in ["client_id", "client_secret", "refresh_token"] {
            form.append_pair(key, account[key].as_str().ok_or("no such key")?);
        }
        let request = self.http.post(format!("{}{path}", self.sim.url));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form.finish());
        answer(request).await
    }

    pub async fn sim(&self, method: &str, path: &str, body: Value) -> Result<Answer> {
        answer(self.request(method, &format!("/_sim/{path}"), body)?).await
    }

    pub async fn hubspot(&self, method: &str, path: &str, body: Value) -> Result<Answer> {
        let request = self.request(method, &format!("/hubspot{path}"), body)?;
        answer(request.header("authorization", format!("Bearer {}", self.hubspot))).await
    }

    pub async fn zoho(&self, method: &str, path: &str, body: Value) -> Result<Answer> {
        answer(self.zoho_request(method, path, body)?).await
    }

    pub fn zoho_request(&self, method: &str, path: &str, body: Value) -> Result<reqwest::RequestBuilder> {
        let request = self.request(method, &format!("/zoho{path}"), body)?;
        Ok(request.header("authorization", format!("Zoho-oauthtoken {}", self.zoho)))
    }

    pub async fn salesforce(&self, method: &str, path: &str, body: Value) -> Result<Answer> {
        answer(self.salesforce_request(method, &format!("{SALESFORCE}{path}"), body)?).await
    }

    pub fn salesforce_request(&self, method: &str, path: &str, body: Value) -> Result<reqwest::RequestBuilder> {
        let request = self.request(method, &format!("/salesforce{path}"), body)?;
        Ok(request.header("authorization", format!("Bearer {}", self.salesforce)))
    }

    pub fn request(&self, method: &str, path: &str, body: Value) -> Result<reqwest::RequestBuilder> {
        let request = self.http.request(method.parse()?, format!("{}{path}", self.sim.url));
        Ok(match Some(body).filter(|b| !b.is_null()) {
            Some(body) => request.json(&body),
            None => request,
        })
    }

    /// Makes a HubSpot contact through the API and answers its id.
    pub async fn contact(&self, properties: Value) -> Result<String> {
        let (status, body) = self.hubspot("POST", OBJECTS, json!({"properties": properties})).await?;
        assert_eq!(status, 201, "{body}");
        id(&body)
    }

    /// Makes Zoho leads as a CRM user and answers their ids.
    pub async fn leads(&self, count: usize) -> Result<Vec<String>> {
        let edits: Vec<_> = (0..count)
            .map(|n| json!({"fields": {"Last_Name": format!("Lead {n}"), "Company": "Analytical", "Email": format!("lead{n}@example.com")}}))
            .collect();
        let (status, body) = self.sim("POST", "zoho/leads", json!(edits)).await?;
        assert_eq!(status, 200, "{body}");
        body.as_array().into_iter().flatten().map(id).collect()
    }
}

pub fn id(record: &Value) -> Result<String> {
    Ok(record["id"].as_str().ok_or_else(|| format!("no id: {record}"))?.to_owned())
}

/// Adds the members of one object to another.
pub fn extend(object: &mut Value, more: &Value) {
    if let Some((object, more)) = object.as_object_mut().zip(more.as_object()) {
        object.extend(more.clone());
    }
}

pub async fn answer(request: reqwest::RequestBuilder) -> Result<Answer> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let text = response.text().await?;
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(json!({"text": text})) };
    Ok((status, body))
}

/// A delivery as it arrived: headers in lower case, and the raw body.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub method: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Delivery {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
    }

    pub fn json(&self) -> Result<Value> {
        Ok(serde_json::from_str(&self.body)?)
    }
}

/// A subscriber that answers with the given statuses in turn, then with 200.
pub struct Subscriber {
    pub url: String,
    pub got: Arc<Mutex<Vec<Delivery>>>,
}

impl Subscriber {
    pub async fn start(statuses: Vec<u16>) -> Result<Self> {
        let answers = statuses.into_iter().map(|status| (status, String::new())).collect();
        Self::answering(answers, String::new()).await
    }

    /// Answers in turn with these statuses and bodies, then with 200 and the last body.
    pub async fn answering(answers: Vec<(u16, String)>, then: String) -> Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hooks?app=a%2Fb", listener.local_addr()?);
        let got: Arc<Mutex<Vec<Delivery>>> = Arc::default();
        let (kept, answers) = (got.clone(), Arc::new(Mutex::new(answers)));
        let router = axum::Router::new().fallback(
            move |method: http::Method, headers: http::HeaderMap, body: String| async move {
                let headers =
                    headers.iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap_or_default().to_owned())).collect();
                if let Ok(mut kept) = kept.lock() {
                    kept.push(Delivery { method: method.to_string(), headers, body });
                }
                let next = answers.lock().ok().and_then(|mut a| (!a.is_empty()).then(|| a.remove(0)));
                let (status, body) = next.unwrap_or((200, then));
                (http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::OK), body)
            },
        );
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, got })
    }

    /// Waits until so many deliveries are there, three seconds at most.
    pub async fn wait(&self, count: usize) -> Vec<Delivery> {
        for _ in 0..150 {
            let got = self.got.lock().map(|g| g.clone()).unwrap_or_default();
            if got.len() >= count {
                return got;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        self.got.lock().map(|g| g.clone()).unwrap_or_default()
    }
}

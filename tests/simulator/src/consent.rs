//! The vendors' authorize pages, where a person approves or denies an app.
//!
//! HubSpot docs: OAuth; Zoho docs: authorization request; Salesforce help: OAuth 2.0 web server flow, authorization
//! errors; Pipedrive docs: OAuth authorization, OAuth status codes.

use crate::accounts::Account;
use crate::calls::Crm;
use crate::codes::{Code, Codes};
use crate::consent_page;
use crate::wire::{Call, Reply};
use crate::world::World;
use http::Method;
use std::collections::BTreeMap;

/// How a vendor's page differs from the others'.
#[derive(Debug)]
pub struct Vendor {
    pub name: &'static str,
    /// What the vendor calls an account.
    pub account: &'static str,
    /// `response_type=code` must be there.
    typed: bool,
    /// How long a code lives.
    lives_ms: i64,
    denied: &'static [(&'static str, &'static str)],
}

const MINUTE: i64 = 60_000;

impl Vendor {
    pub fn of(crm: Crm) -> &'static Self {
        match crm {
            // How long a code lives and what a refusal says is not documented.
            Crm::Hubspot => &Self {
                name: "HubSpot",
                account: "account",
                typed: false,
                lives_ms: 5 * MINUTE,
                denied: &[("error", "access_denied"), ("error_description", "The user denied access")],
            },
            Crm::Zoho => &Self {
                name: "Zoho CRM",
                account: "organization",
                typed: true,
                lives_ms: 2 * MINUTE,
                denied: &[("error", "access_denied")],
            },
            Crm::Salesforce => &Self {
                name: "Salesforce",
                account: "org",
                typed: true,
                lives_ms: 15 * MINUTE,
                denied: &[("error", "access_denied"), ("error_description", "end-user denied authorization")],
            },
            Crm::Pipedrive => &Self {
                name: "Pipedrive",
                account: "company",
                typed: false,
                lives_ms: 5 * MINUTE,
                denied: &[("error", "user_denied")],
            },
        }
    }
}

/// Codes that were given, and the callback of each app.
#[derive(Debug, Default)]
pub struct Consents {
    pub codes: Codes,
    callbacks: BTreeMap<(Crm, String), String>,
    /// What people of a CRM do not grant, whatever is asked for.
    withheld: BTreeMap<Crm, Vec<String>>,
}

impl Consents {
    pub fn callback(&self, crm: Crm, client_id: &str) -> Option<&String> {
        self.callbacks.get(&(crm, client_id.to_owned()))
    }

    pub fn withhold(&mut self, crm: Crm, scopes: &[String]) {
        self.withheld.insert(crm, scopes.to_vec());
    }

    /// Of what is asked for, what is granted.
    pub fn granted(&self, crm: Crm, scope: &str) -> String {
        let mark = if scope.contains(',') { "," } else { " " };
        let withheld = |scope: &&str| self.withheld.get(&crm).is_some_and(|some| some.iter().any(|one| one == scope));
        scope.split(mark).filter(|scope| !withheld(scope)).collect::<Vec<_>>().join(mark)
    }

    pub fn set_callback(&mut self, crm: Crm, client_id: &str, redirect_uri: &str) {
        self.callbacks.insert((crm, client_id.to_owned()), redirect_uri.to_owned());
    }
}

/// What an app asks of a person.
#[derive(Debug)]
pub struct Asked {
    pub client_id: String,
    pub redirect_uri: String,
    /// As it was asked for, and one by one.
    pub scope: String,
    pub scopes: Vec<String>,
    /// Where the app may be approved.
    pub accounts: Vec<String>,
}

/// The page, or where its buttons lead.
pub fn authorize(world: &mut World, crm: Crm, call: &Call) -> Reply {
    let vendor = Vendor::of(crm);
    let asked = match asked(world, crm, call) {
        Ok(asked) => asked,
        Err(problem) => return consent_page::problem(vendor, &problem),
    };
    match (&call.method, call.field("decision").as_str()) {
        (&Method::POST, "approve") => approve(world, crm, call, asked),
        (&Method::POST, "deny") => back(call, &asked.redirect_uri, vendor.denied),
        _ => consent_page::ask(vendor, &asked),
    }
}

/// The request, if it comes from an app that is known, for the callback that it has; nobody else gets a redirect.
fn asked(world: &mut World, crm: Crm, call: &Call) -> Result<Asked, String> {
    let vendor = Vendor::of(crm);
    let (client_id, redirect_uri) = (call.field("client_id"), call.field("redirect_uri"));
    let ours = |a: &Account| a.crm == Some(crm) && a.client_id.as_ref() == Some(&client_id);
    let accounts: Vec<_> = world.accounts().into_iter().filter(ours).filter_map(|a| a.account_id).collect();
    if accounts.is_empty() {
        return Err(format!("There is no app with the client id \"{client_id}\"."));
    }
    let web = redirect_uri.starts_with("http://") || redirect_uri.starts_with("https://");
    let known = world.consents.callback(crm, &client_id);
    if !web || known.is_some_and(|known| *known != redirect_uri) {
        return Err(format!("\"{redirect_uri}\" is not the callback URL that is registered for this app."));
    }
    if vendor.typed && call.field("response_type") != "code" {
        return Err("The response type must be \"code\".".to_owned());
    }
    if !["", "S256"].contains(&call.field("code_challenge_method").as_str()) {
        return Err("The code challenge method must be \"S256\".".to_owned());
    }
    let (scope, scopes) = scopes(crm, call);
    if scopes.is_empty() {
        return Err("The app asks for no scope.".to_owned());
    }
    world.consents.set_callback(crm, &client_id, &redirect_uri);
    Ok(Asked { client_id, redirect_uri, scope, scopes, accounts })
}

fn scopes(crm: Crm, call: &Call) -> (String, Vec<String>) {
    let asked = [call.field("scope"), call.field("optional_scope")].join(" ").trim().to_owned();
    let scope = match crm {
        // All that is set on the app, if nothing is asked for (Salesforce help: OAuth tokens and scopes).
        Crm::Salesforce if asked.is_empty() => crate::salesforce::auth::SCOPE.to_owned(),
        Crm::Pipedrive => crate::pipedrive::auth::SCOPE.to_owned(),
        Crm::Hubspot | Crm::Zoho | Crm::Salesforce => asked,
    };
    let one_by_one = scope.split([' ', ',']).filter(|s| !s.is_empty()).map(str::to_owned).collect();
    (scope, one_by_one)
}

fn approve(world: &mut World, crm: Crm, call: &Call, asked: Asked) -> Reply {
    let vendor = Vendor::of(crm);
    let chosen = call.field("account");
    let account = asked.accounts.iter().find(|a| **a == chosen || chosen.is_empty());
    let Some(account_id) = account.cloned() else {
        return consent_page::problem(vendor, "That account is not one of this person's.");
    };
    let text = code_text(world, crm);
    let scope = world.consents.granted(crm, &asked.scope);
    world.consents.codes.add(Code {
        crm,
        text: text.clone(),
        client_id: asked.client_id,
        redirect_uri: asked.redirect_uri.clone(),
        account_id,
        scope,
        challenge: Some(call.field("code_challenge")).filter(|c| !c.is_empty()),
        offline: call.field("access_type") == "offline",
        consent: call.field("prompt") == "consent",
        dies: world.clock.now() + vendor.lives_ms,
    });
    let accounts_server = format!("{}/zoho", call.base);
    let mut answer = vec![("code", text.as_str())];
    if crm == Crm::Zoho {
        // The data centre that the person is in, and where its tokens are asked for (Zoho docs: multi-DC).
        answer.extend([("location", "us"), ("accounts-server", accounts_server.as_str())]);
    }
    back(call, &asked.redirect_uri, &answer)
}

fn code_text(world: &mut World, crm: Crm) -> String {
    let rng = &mut world.rng;
    match crm {
        Crm::Hubspot => format!("na1-{}", rng.uuid()),
        Crm::Zoho => format!("1000.{}.{}", rng.hex(32), rng.hex(32)),
        // As Salesforce's own do, it ends in what must be escaped in a URL.
        Crm::Salesforce => format!("aPrx{}==", rng.hex(60)),
        Crm::Pipedrive => rng.hex(40),
    }
}

/// Back to the app, with its own state.
fn back(call: &Call, redirect_uri: &str, answer: &[(&str, &str)]) -> Reply {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(answer);
    if let Some(state) = call.form().into_iter().find(|(k, _)| k == "state").map(|(_, v)| v) {
        query.append_pair("state", &state);
    }
    let mark = if redirect_uri.contains('?') { '&' } else { '?' };
    Reply::empty(302).with("location", &format!("{redirect_uri}{mark}{}", query.finish()))
}

//! Somebody who has logged in: what their issuer said of them, kept by the digest of a secret that only their browser has.

use crate::{
    app::App,
    context::Context,
    control::access::{Caller, Names},
    error::Result,
    provider::Secret,
    store::tickets::{digest, fresh},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use subtle::ConstantTimeEq;

/// What is kept of somebody who has logged in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The claims that say who they are and what they may, each as the gateway would hand it on.
    pub claims: HashMap<String, String>,
    /// What the issuer calls them, for the page alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub until: Timestamp,
}

/// Nobody stays for longer than this, whatever their token says.
const LONGEST: SignedDuration = SignedDuration::from_hours(8);

impl Session {
    pub fn new(claims: HashMap<String, String>, name: Option<String>, token_ends: Timestamp, cx: &Context) -> Session {
        Session { claims, name, until: token_ends.min(cx.now() + LONGEST) }
    }

    pub fn caller(&self, names: &Names) -> Option<Caller> {
        Caller::of(&self.claims, names)
    }
}

impl App {
    /// Keeps a session; what its browser is given.
    pub async fn admit_browser(&self, cx: &Context, session: &Session) -> Result<Secret> {
        let browser = fresh()?;
        self.store.issue(&digest(&browser), session, cx.now(), session.until.duration_since(cx.now())).await?;
        Ok(browser)
    }

    /// Whose browser this is.
    pub async fn whose_browser(&self, cx: &Context, browser: &Secret) -> Result<Option<Session>> {
        let kept: Option<Session> = self.store.ticket(&digest(browser), cx.now()).await?;
        Ok(kept.filter(|session| session.until > cx.now()))
    }

    /// Ends a session.
    pub async fn log_out(&self, cx: &Context, browser: &Secret) -> Result<()> {
        self.store.take_ticket::<Session>(&digest(browser), cx.now()).await.map(drop)
    }
}

/// What only a page that was shown in this session can say: every form does.
pub fn form_token(browser: &Secret) -> String {
    digest(&Secret::new(format!("forms of {}", browser.reveal())))
}

pub fn is_form_token(browser: &Secret, said: &str) -> bool {
    form_token(browser).as_bytes().ct_eq(said.as_bytes()).into()
}

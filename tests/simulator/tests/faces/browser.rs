//! A browser on the vendors' authorize pages, and the server of the app that sent it there.

use crate::client::{Answer, Client, Result, answer};
use serde_json::{Value, json};

pub const CALLBACK: &str = "https://app.example/callback?crm=any";
pub const STATE: &str = "a state/with=marks&more";

/// How the vendors differ.
pub struct Vendor {
    pub crm: &'static str,
    authorize: &'static str,
    pub asked: &'static [(&'static str, &'static str)],
    pub token: &'static str,
    pub basic: bool,
    /// Another account that the same app may be approved in.
    pub second: &'static str,
    whoami: &'static str,
    scheme: &'static str,
    /// Where `whoami` says which account it is.
    account_at: &'static str,
    pub lives_minutes: i64,
    pub denied: &'static str,
    /// A code that is not taken, a callback that is another, a verifier that is wrong or left out: status and `error`.
    pub dead_code: (u16, &'static str),
    pub other_callback: (u16, &'static str),
    pub wrong_verifier: (u16, &'static str),
    /// A refresh token that was revoked.
    pub revoked: (u16, &'static str),
}

pub const VENDORS: [Vendor; 4] = [
    Vendor {
        crm: "hubspot",
        authorize: "/hubspot/oauth/authorize",
        asked: &[("scope", "oauth crm.objects.contacts.read"), ("optional_scope", "crm.lists.read")],
        token: "/hubspot/oauth/2026-09/token",
        basic: false,
        second: "777",
        whoami: "/hubspot/account-info/2026-09/details",
        scheme: "Bearer",
        account_at: "/portalId",
        lives_minutes: 5,
        denied: "access_denied",
        dead_code: (400, "invalid_grant"),
        other_callback: (400, "invalid_grant"),
        wrong_verifier: (400, "invalid_grant"),
        revoked: (400, "invalid_grant"),
    },
    Vendor {
        crm: "zoho",
        authorize: "/zoho/oauth/v2/auth",
        asked: &[
            ("response_type", "code"),
            ("scope", "ZohoCRM.modules.ALL,ZohoCRM.org.READ"),
            ("access_type", "offline"),
            ("prompt", "consent"),
        ],
        token: "/zoho/oauth/v2/token",
        basic: false,
        second: "900000777",
        whoami: "/zoho/crm/v8/org",
        scheme: "Zoho-oauthtoken",
        account_at: "/org/0/zgid",
        lives_minutes: 2,
        denied: "access_denied",
        dead_code: (200, "invalid_code"),
        other_callback: (200, "invalid_redirect_uri"),
        wrong_verifier: (200, "invalid_code"),
        revoked: (200, "invalid_code"),
    },
    Vendor {
        crm: "salesforce",
        authorize: "/salesforce/services/oauth2/authorize",
        asked: &[("response_type", "code"), ("scope", "api refresh_token")],
        token: "/salesforce/services/oauth2/token",
        basic: false,
        second: "00Dxx0000009XYZEA2",
        whoami: "/salesforce/services/oauth2/userinfo",
        scheme: "Bearer",
        account_at: "/organization_id",
        lives_minutes: 15,
        denied: "access_denied",
        dead_code: (400, "invalid_grant"),
        other_callback: (400, "redirect_uri_mismatch"),
        wrong_verifier: (400, "invalid_request"),
        revoked: (400, "invalid_grant"),
    },
    Vendor {
        crm: "pipedrive",
        authorize: "/pipedrive/oauth/authorize",
        asked: &[],
        token: "/pipedrive/oauth/token",
        basic: true,
        second: "777",
        whoami: "/pipedrive/v1/users/me",
        scheme: "Bearer",
        account_at: "/data/company_id",
        lives_minutes: 5,
        denied: "user_denied",
        dead_code: (400, "invalid_grant"),
        other_callback: (400, "invalid_request"),
        wrong_verifier: (400, "invalid_grant"),
        revoked: (400, "invalid_grant"),
    },
];

pub fn vendor(crm: &str) -> &'static Vendor {
    VENDORS.iter().find(|v| v.crm == crm).unwrap_or(&VENDORS[0])
}

/// A browser that shows where it is sent, and the app's server.
pub struct Browser {
    pub sim: Client,
    http: reqwest::Client,
}

/// What came back: the status, the page, and the parameters that the callback was given.
pub struct Back {
    pub status: u16,
    pub page: String,
    pub location: Option<String>,
}

impl Back {
    pub fn param(&self, name: &str) -> Option<String> {
        let query = self.location.as_deref()?.split_once('?')?.1;
        form_urlencoded::parse(query.as_bytes()).find(|(k, _)| k == name).map(|(_, v)| v.into_owned())
    }
}

impl Browser {
    pub async fn start() -> Result<Self> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { sim: Client::start().await?, http })
    }

    /// The authorize page's address; what is said here goes before the vendor's usual parameters.
    pub async fn address(&self, v: &Vendor, said: &[(&str, &str)]) -> Result<String> {
        let account = self.sim.account(v.crm).await?;
        let client_id = account["client_id"].as_str().ok_or("no client id")?;
        let usual = [("client_id", client_id), ("redirect_uri", CALLBACK), ("state", STATE)];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(said);
        query.extend_pairs(usual.iter().chain(v.asked).filter(|(name, _)| !said.iter().any(|(k, _)| k == name)));
        Ok(format!("{}{}?{}", self.sim.sim.url, v.authorize, query.finish()))
    }

    pub async fn open(&self, address: &str) -> Result<Back> {
        self.go(self.http.get(address)).await
    }

    /// Presses a button; the form goes to the page's own address.
    pub async fn press(&self, address: &str, button: &str, account: &str) -> Result<Back> {
        let form = format!("decision={button}&account={account}");
        let request = self.http.post(address).header("content-type", "application/x-www-form-urlencoded");
        self.go(request.body(form)).await
    }

    async fn go(&self, request: reqwest::RequestBuilder) -> Result<Back> {
        let response = request.send().await?;
        let location = response.headers().get("location").map(|l| l.to_str().map(str::to_owned)).transpose()?;
        Ok(Back { status: response.status().as_u16(), location, page: response.text().await? })
    }

    /// Approves, and answers the code.
    pub async fn code(&self, v: &Vendor, said: &[(&str, &str)], account: &str) -> Result<String> {
        let back = self.press(&self.address(v, said).await?, "approve", account).await?;
        assert_eq!(back.status, 302, "{}: {}", v.crm, back.page);
        back.param("code").ok_or_else(|| "no code".into())
    }

    pub async fn token(&self, v: &Vendor, form: &[(&str, &str)]) -> Result<Answer> {
        self.post(v, v.token, form).await
    }

    /// As the app's server, which says who it is the vendor's way.
    pub async fn post(&self, v: &Vendor, path: &str, form: &[(&str, &str)]) -> Result<Answer> {
        let account = self.sim.account(v.crm).await?;
        let own = ["client_id", "client_secret"].map(|key| (key, account[key].as_str().unwrap_or_default()));
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let mut request = self.http.post(format!("{}{path}", self.sim.sim.url));
        match v.basic {
            true => request = request.basic_auth(own[0].1, Some(own[1].1)),
            false => drop(body.extend_pairs(own)),
        }
        answer(request.header("content-type", "application/x-www-form-urlencoded").body(body.finish())).await
    }

    pub async fn exchange(&self, v: &Vendor, code: &str, more: &[(&str, &str)]) -> Result<Answer> {
        let mut form = vec![("grant_type", "authorization_code"), ("code", code)];
        form.extend_from_slice(more);
        if !more.iter().any(|(k, _)| *k == "redirect_uri") {
            form.push(("redirect_uri", CALLBACK));
        }
        self.token(v, &form).await
    }

    pub async fn refresh(&self, v: &Vendor, token: &str) -> Result<Answer> {
        self.token(v, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// From the page to the tokens.
    pub async fn connect(&self, v: &Vendor, said: &[(&str, &str)], account: &str) -> Result<Value> {
        let code = self.code(v, said, account).await?;
        let (status, tokens) = self.exchange(v, &code, &[]).await?;
        assert_eq!((status, tokens.get("error")), (200, None), "{}: {tokens}", v.crm);
        Ok(tokens)
    }

    /// Which account an access token is for, or the status that refuses it.
    pub async fn whoami(&self, v: &Vendor, token: &Value) -> Result<Value> {
        let authorization = format!("{} {}", v.scheme, token.as_str().unwrap_or_default());
        let request = self.http.get(format!("{}{}", self.sim.sim.url, v.whoami));
        let (status, body) = answer(request.header("authorization", authorization)).await?;
        Ok(if status == 200 { body.pointer(v.account_at).cloned().unwrap_or_default() } else { json!(status) })
    }
}

//! What is each vendor's own about tokens: answers, how many grants there may be, revocation and its consequences.

use crate::browser::{Browser, vendor};
use crate::client::{Client, Result, Subscriber, answer};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use serde_json::{Value, json};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[tokio::test]
async fn hubspot_tells_what_a_token_is_for_and_access_outlives_a_revoked_refresh_token() -> Result {
    let (b, v) = (Browser::start().await?, vendor("hubspot"));
    let tokens = b.connect(v, &[], "").await?;
    let scopes = json!(["oauth", "crm.objects.contacts.read", "crm.lists.read"]);
    assert_eq!((&tokens["hub_id"], &tokens["expires_in"], &tokens["scopes"]), (&json!(62515), &json!(1800), &scopes));
    let (access, refresh) = (text(&tokens["access_token"]), text(&tokens["refresh_token"]));
    let about = |token: String| b.sim.request("GET", &format!("/hubspot/oauth/v1/access-tokens/{token}"), Value::Null);
    let (_, known) = answer(about(access.to_owned())?).await?;
    assert_eq!((&known["hub_id"], &known["scopes"], &known["token_type"]), (&json!(62515), &scopes, &json!("access")));
    assert_eq!(answer(about("unheard-of".to_owned())?).await?.0, 404);
    let path = "/hubspot/oauth/2026-09/token";
    let (_, known) = b.post(v, &format!("{path}/introspect"), &[("token", refresh)]).await?;
    assert_eq!((&known["active"], &known["hub_id"]), (&json!(true), &json!(62515)));
    assert_eq!(b.post(v, &format!("{path}/revoke"), &[("refresh_token", refresh)]).await?.0, 200);
    assert_eq!(b.refresh(v, refresh).await?.1["status"], "BAD_REFRESH_TOKEN");
    assert_eq!(b.post(v, &format!("{path}/introspect"), &[("token", refresh)]).await?.1, json!({"active": false}));
    assert_eq!(b.whoami(v, &tokens["access_token"]).await?, 62515);
    let tokens = b.connect(v, &[], "").await?;
    let path = format!("/hubspot/oauth/v1/refresh-tokens/{}", text(&tokens["refresh_token"]));
    assert_eq!(answer(b.sim.request("DELETE", &path, Value::Null)?).await?.0, 204);
    assert_eq!(b.refresh(v, text(&tokens["refresh_token"])).await?.0, 400);
    Ok(())
}

#[tokio::test]
async fn zoho_gives_a_refresh_token_to_who_asks_for_it_and_keeps_twenty() -> Result {
    let (b, v) = (Browser::start().await?, vendor("zoho"));
    for said in [&[("access_type", "online")][..], &[("prompt", "none")]] {
        let tokens = b.connect(v, said, "").await?;
        assert_eq!(tokens["refresh_token"], Value::Null, "{said:?}");
        assert_eq!(b.whoami(v, &tokens["access_token"]).await?, "900000001");
    }
    let configured = b.sim.account("zoho").await?["refresh_token"].clone();
    let first = b.connect(v, &[], "").await?;
    assert_eq!(first["scope"], "ZohoCRM.modules.ALL ZohoCRM.org.READ");
    for _ in 0..18 {
        b.connect(v, &[], "").await?;
    }
    assert!(b.refresh(v, text(&configured)).await?.1["access_token"].is_string(), "it is the twentieth");
    b.connect(v, &[], "").await?;
    assert_eq!(b.refresh(v, text(&configured)).await?.1, json!({"error": "invalid_code"}));
    let own = text(&first["refresh_token"]);
    assert!(b.refresh(v, own).await?.1["access_token"].is_string());
    assert_eq!(b.post(v, "/zoho/oauth/v2/token/revoke", &[("token", own)]).await?.1, json!({"status": "success"}));
    assert_eq!(b.whoami(v, &first["access_token"]).await?, 401);
    assert_eq!(b.refresh(v, own).await?.1["error"], "invalid_code");
    let newest = b.sim.account("zoho").await?["refresh_token"].clone();
    assert!(b.refresh(v, text(&newest)).await?.1["access_token"].is_string(), "another grant is not touched");
    Ok(())
}

#[tokio::test]
async fn salesforce_gives_a_refresh_token_for_its_scope_and_keeps_five() -> Result {
    let (b, v) = (Browser::start().await?, vendor("salesforce"));
    let online = b.connect(v, &[("scope", "api")], "").await?;
    assert_eq!((online.get("refresh_token"), &online["scope"]), (None, &json!("api")));
    assert!(online.get("expires_in").is_none() && online["signature"].is_string(), "{online}");
    let identity = text(&online["id"]).strip_prefix(&b.sim.sim.url).ok_or("another host")?.to_owned();
    let request = b.sim.request("GET", &identity, Value::Null)?.bearer_auth(text(&online["access_token"]));
    assert_eq!(answer(request).await?.1["organization_id"], "00Dxx0000001gPLEAY");
    let configured = b.sim.account("salesforce").await?["refresh_token"].clone();
    let first = b.connect(v, &[], "").await?;
    for _ in 0..4 {
        b.connect(v, &[], "").await?;
    }
    assert_eq!(b.refresh(v, text(&configured)).await?.1["error"], "invalid_grant", "the sixth ended the oldest");
    let own = text(&first["refresh_token"]);
    assert_eq!(b.refresh(v, own).await?.0, 200);
    assert_eq!(b.post(v, "/salesforce/services/oauth2/revoke", &[("token", own)]).await?.0, 200);
    assert_eq!(b.whoami(v, &first["access_token"]).await?, 403, "its sessions died with it");
    assert!(b.whoami(v, &online["access_token"]).await?.is_string(), "others did not");
    Ok(())
}

#[tokio::test]
async fn salesforce_gives_sessions_to_servers_whose_app_is_approved() -> Result {
    let (b, v) = (Browser::start().await?, vendor("salesforce"));
    let encoded = |json: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json.to_string());
    let now = simulator::clock::real_now() / 1000;
    let (key, public_key) = key()?;
    b.sim.sim("POST", "accounts", json!({"crm": "salesforce", "public_key": public_key})).await?;
    let assertion = |iss: &str, aud: &str, exp: i64| {
        let claims = json!({"iss": iss, "sub": "connected@salesforce.example", "aud": aud, "exp": exp});
        let signed = format!("{}.{}", encoded(json!({"alg": "RS256"})), encoded(claims));
        let signature = sign(&key, &signed);
        format!("{signed}.{signature}")
    };
    let bearer = async |assertion: &str| {
        let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
        b.token(v, &[grant, ("assertion", assertion)]).await
    };
    let (us, login) = ("sim-salesforce-client", "https://login.salesforce.com");
    for bad in [
        assertion("nobody", login, now + 120),
        assertion(us, "https://evil.example", now + 120),
        assertion(us, login, now - 1),
        assertion(us, login, now + 3600),
        format!("{}.c2lnbmVk", assertion(us, login, now + 120).rsplit_once('.').map_or("", |(signed, _)| signed)),
        "a.b".to_owned(),
    ] {
        assert_eq!(bearer(&bad).await?.0, 400, "{bad}");
    }
    let credentials = [("grant_type", "client_credentials")];
    for (status, tokens) in [bearer(&assertion(us, login, now + 120)).await?, b.token(v, &credentials).await?] {
        assert_eq!((status, tokens.get("refresh_token")), (200, None), "{tokens}");
        assert_eq!(b.whoami(v, &tokens["access_token"]).await?, "00Dxx0000001gPLEAY");
    }
    b.sim.sim("POST", "faults", json!({"salesforce": {"revoke_grant": true}})).await?;
    let (_, refused) = bearer(&assertion(us, login, now + 120)).await?;
    assert_eq!(refused["error_description"], "user hasn't approved this consumer");
    assert_eq!(b.token(v, &credentials).await?.1["error"], "invalid_grant");
    Ok(())
}

#[tokio::test]
async fn pipedrive_keeps_one_grant_and_tells_of_an_uninstall() -> Result {
    let (b, v) = (Browser::start().await?, vendor("pipedrive"));
    let configured = b.sim.account("pipedrive").await?["refresh_token"].clone();
    let tokens = b.connect(v, &[], "").await?;
    assert!(text(&tokens["scope"]).starts_with("base,") && text(&tokens["api_domain"]).ends_with("/pipedrive"));
    assert_eq!(b.refresh(v, text(&configured)).await?.0, 400, "the app is installed once");
    let (_, twice) = b.exchange(v, "unheard-of", &[]).await?;
    assert_eq!(twice["message"], "Invalid grant: authorization_code is invalid");

    let s = Subscriber::start(Vec::new()).await?;
    b.sim.sim("POST", "accounts", json!({"crm": "pipedrive", "redirect_uri": s.url})).await?;
    b.sim.sim("POST", "faults", json!({"pipedrive": {"uninstall": true}})).await?;
    let got = s.wait(1).await;
    let told = got.first().ok_or("nothing was told")?;
    let body = told.json()?;
    assert_eq!((told.method.as_str(), &body["client_id"]), ("DELETE", &json!("sim-pipedrive-client")));
    assert_eq!((&body["company_id"], &body["user_id"]), (&json!(6_083_095), &json!(16_219_013)));
    assert!(body["timestamp"].is_string() && body.get("meta").is_none(), "{body}");
    let basic = base64::engine::general_purpose::STANDARD.encode("sim-pipedrive-client:sim-pipedrive-secret-not-real");
    assert_eq!(told.header("authorization"), format!("Basic {basic}"));
    assert_eq!(b.refresh(v, text(&tokens["refresh_token"])).await?.0, 400);
    Ok(())
}

#[tokio::test]
async fn zoho_makes_custom_fields_row_by_row() -> Result {
    let c = Client::start().await?;
    let path = "/crm/v8/settings/fields?module=Deals";
    let text = |label: &str| json!({"field_label": label, "data_type": "text", "length": 255});
    let key =
        json!({"field_label": "CRM Sync Id", "data_type": "text", "length": 64, "unique": {"casesensitive": "false"}});
    let (status, made) = c.zoho("POST", path, json!({"fields": [key, text("Last Call")]})).await?;
    assert_eq!((status, &made["fields"][1]["message"]), (201, &json!("field created")));
    let (_, fields) = c.zoho("GET", path, Value::Null).await?;
    let shown = fields["fields"].as_array().into_iter().flatten().find(|f| f["api_name"] == "CRM_Sync_Id");
    let shown = shown.ok_or("it is not there")?;
    assert_eq!((&shown["id"], &shown["length"]), (&made["fields"][0]["details"]["id"], &json!(64)));
    assert_eq!(shown["unique"], json!({"casesensitive": "false"}));
    let (status, mixed) = c.zoho("POST", path, json!({"fields": [text("crm sync id"), text("Other")]})).await?;
    assert_eq!((status, &mixed["fields"][0]["code"]), (207, &json!("DUPLICATE_DATA")));
    let (status, again) = c.zoho("POST", path, json!({"fields": [text("Other")]})).await?;
    assert_eq!((status, &again["fields"][0]["details"]["json_path"]), (400, &json!("$.fields[0].field_label")));
    let six: Vec<_> = (0..6).map(|n| text(&format!("Field {n}"))).collect();
    assert_eq!(c.zoho("POST", path, json!({"fields": six})).await?.0, 400);
    let lead = json!({"data": [{"Deal_Name": "D", "Stage": "New", "CRM_Sync_Id": "k"}], "trigger": []});
    assert_eq!(c.zoho("POST", "/crm/v8/Deals", lead).await?.0, 201);
    Ok(())
}

/// A key, and its public part as PEM.
fn key() -> Result<(KeyPair, String)> {
    let key = KeyPair::generate(KeySize::Rsa2048)?;
    let der: PublicKeyX509Der<'_> = key.public_key().as_der()?;
    let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    Ok((key, format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")))
}

fn sign(key: &KeyPair, text: &str) -> String {
    let mut signature = vec![0; key.public_modulus_len()];
    let signed = key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature);
    signed.map_or_else(|_| String::new(), |()| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(signature))
}

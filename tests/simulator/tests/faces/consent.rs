//! A person approves or denies an app in a browser, and the app gets its tokens: the same for all four vendors.

use crate::browser::{Browser, CALLBACK, STATE, VENDORS, Vendor};
use crate::client::{Answer, Result, answer};
use serde_json::{Value, json};

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn check(v: &Vendor, what: &str, (status, body): &Answer, expected: (u16, &str)) {
    assert_eq!((*status, body["error"].as_str()), (expected.0, Some(expected.1)), "{} {what}: {body}", v.crm);
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[tokio::test]
async fn to_approve_gives_tokens_of_a_new_grant() -> Result {
    let b = Browser::start().await?;
    for v in &VENDORS {
        let before = b.sim.account(v.crm).await?;
        assert_eq!(before["redirect_uri"], Value::Null);
        let address = b.address(v, &[]).await?;
        let page = b.open(&address).await?;
        assert_eq!((page.status, &page.location), (200, &None));
        let scope = v.asked.iter().find(|(k, _)| *k == "scope").map_or("deals:full", |(_, s)| s);
        let shown = scope.split([' ', ',']).chain(before["client_id"].as_str());
        for part in shown.chain(["<form method=\"post\">", "id=\"approve\"", "id=\"deny\""]) {
            assert!(page.page.contains(part), "{} shows {part}: {}", v.crm, page.page);
        }
        let back = b.press(&address, "approve", &text(&before["account_id"])).await?;
        assert_eq!((back.status, back.param("state").as_deref()), (302, Some(STATE)), "{}", v.crm);
        assert!(back.location.as_deref().is_some_and(|l| l.starts_with(&format!("{CALLBACK}&code="))));
        if v.crm == "zoho" {
            let server = format!("{}/zoho", b.sim.sim.url);
            assert_eq!((back.param("location"), back.param("accounts-server")), (Some("us".into()), Some(server)));
        }
        let (status, tokens) = b.exchange(v, &back.param("code").ok_or("no code")?, &[]).await?;
        assert_eq!(status, 200, "{tokens}");
        let new = tokens["refresh_token"].as_str().ok_or("no refresh token")?;
        assert_ne!(json!(new), before["refresh_token"], "{}", v.crm);
        assert_eq!(text(&b.whoami(v, &tokens["access_token"]).await?), text(&before["account_id"]));
        let after = b.sim.account(v.crm).await?;
        assert_eq!((&after["refresh_token"], &after["redirect_uri"]), (&json!(new), &json!(CALLBACK)));
        let (_, again) = b.refresh(v, new).await?;
        assert_eq!(text(&b.whoami(v, &again["access_token"]).await?), text(&before["account_id"]));
    }
    Ok(())
}

#[tokio::test]
async fn to_deny_sends_the_vendors_error_and_changes_nothing() -> Result {
    let b = Browser::start().await?;
    for v in &VENDORS {
        let before = b.sim.account(v.crm).await?;
        let back = b.press(&b.address(v, &[]).await?, "deny", "").await?;
        assert_eq!((back.status, back.param("error").as_deref()), (302, Some(v.denied)), "{}", v.crm);
        assert_eq!((back.param("state").as_deref(), back.param("code")), (Some(STATE), None));
        assert_eq!(b.sim.account(v.crm).await?["refresh_token"], before["refresh_token"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_foreign_app_or_callback_is_an_error_page_and_never_a_redirect() -> Result {
    let b = Browser::start().await?;
    for v in &VENDORS {
        b.sim.sim("POST", "accounts", json!({"crm": v.crm, "redirect_uri": CALLBACK})).await?;
        let evil = "https://evil.example/?<script>";
        let longer = format!("{CALLBACK}/more");
        for said in [("client_id", "nobody"), ("redirect_uri", evil), ("redirect_uri", &longer), ("redirect_uri", "")] {
            let address = b.address(v, &[said]).await?;
            for back in [b.open(&address).await?, b.press(&address, "approve", "").await?] {
                assert_eq!((back.status, back.location), (400, None), "{} {said:?}", v.crm);
                assert!(back.page.contains("role=\"alert\"") && !back.page.contains("<script"), "{}", back.page);
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_code_is_good_once_for_its_own_app_and_callback() -> Result {
    let b = Browser::start().await?;
    for v in &VENDORS {
        let other = json!({"crm": v.crm, "account_id": v.second, "client_id": "other", "client_secret": "other"});
        assert_eq!(b.sim.sim("POST", "accounts", other).await?.0, 200);
        let code = b.code(v, &[], "").await?;
        let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
        let mut stolen = b.sim.request("POST", v.token, Value::Null)?;
        stolen = match v.basic {
            true => stolen.basic_auth("other", Some("other")).form(&form),
            false => stolen.form(&[&form[..], &[("client_id", "other"), ("client_secret", "other")]].concat()),
        };
        check(v, "stolen", &answer(stolen).await?, v.dead_code);
        let elsewhere = b.exchange(v, &code, &[("redirect_uri", "https://app.example/other")]).await?;
        check(v, "elsewhere", &elsewhere, v.other_callback);
        assert!(b.exchange(v, &code, &[]).await?.1["access_token"].is_string(), "{}", v.crm);
        check(v, "twice", &b.exchange(v, &code, &[]).await?, v.dead_code);
    }
    Ok(())
}

#[tokio::test]
async fn a_code_dies_of_age() -> Result {
    for v in &VENDORS {
        let b = Browser::start().await?;
        let (young, old) = (b.code(v, &[], "").await?, b.code(v, &[], "").await?);
        b.sim.sim("POST", "clock", json!({"advance_ms": v.lives_minutes * 60_000 - 10_000})).await?;
        assert!(b.exchange(v, &young, &[]).await?.1["access_token"].is_string(), "{}", v.crm);
        b.sim.sim("POST", "clock", json!({"advance_ms": 10_000})).await?;
        check(v, "old", &b.exchange(v, &old, &[]).await?, v.dead_code);
    }
    Ok(())
}

#[tokio::test]
async fn a_challenge_wants_its_verifier() -> Result {
    let b = Browser::start().await?;
    for v in &VENDORS {
        let said = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
        let code = b.code(v, &said, "").await?;
        check(v, "none", &b.exchange(v, &code, &[]).await?, v.dead_code);
        check(v, "wrong", &b.exchange(v, &code, &[("code_verifier", CHALLENGE)]).await?, v.wrong_verifier);
        assert!(b.exchange(v, &code, &[("code_verifier", VERIFIER)]).await?.1["access_token"].is_string(), "{}", v.crm);
        let plain = b.address(v, &[("code_challenge", VERIFIER), ("code_challenge_method", "plain")]).await?;
        assert_eq!(b.open(&plain).await?.status, 400);
    }
    Ok(())
}

#[tokio::test]
async fn to_connect_again_revives_what_was_revoked() -> Result {
    let b = Browser::start().await?;
    for v in &VENDORS {
        let first = b.connect(v, &[], "").await?;
        b.sim.sim("POST", "faults", json!({(v.crm): {"revoke_grant": true}})).await?;
        let dead = text(&first["refresh_token"]);
        check(v, "revoked", &b.refresh(v, &dead).await?, v.revoked);
        assert!([401, 403].map(Value::from).contains(&b.whoami(v, &first["access_token"]).await?), "{}", v.crm);
        let second = b.connect(v, &[], "").await?;
        assert_ne!(second["refresh_token"], first["refresh_token"]);
        assert!(b.refresh(v, &text(&second["refresh_token"])).await?.1["access_token"].is_string(), "{}", v.crm);
        check(v, "still revoked", &b.refresh(v, &dead).await?, v.revoked);
    }
    Ok(())
}

#[tokio::test]
async fn a_person_chooses_among_the_apps_accounts() -> Result {
    let b = Browser::start().await?;
    for v in &VENDORS {
        b.sim.sim("POST", "accounts", json!({"crm": v.crm, "account_id": v.second})).await?;
        let address = b.address(v, &[]).await?;
        let page = b.open(&address).await?.page;
        assert!(page.contains("<legend>") && page.matches("type=\"radio\"").count() == 2, "{page}");
        let tokens = b.connect(v, &[], v.second).await?;
        assert_eq!(text(&b.whoami(v, &tokens["access_token"]).await?), v.second);
        assert_eq!(b.press(&address, "approve", "unheard-of").await?.status, 400);
    }
    Ok(())
}

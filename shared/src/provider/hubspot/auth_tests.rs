use super::*;
use http::{HeaderMap, StatusCode};
use serde_json::json;

fn grant() -> Grant {
    Grant {
        access_token: Secret::new("old"),
        refresh_token: Some(Secret::new("na1-old")),
        expires_at: None,
        api_domain: None,
        accounts_server: None,
        ..Grant::none()
    }
}

fn after(status: u16, body: Json) -> Result<Grant> {
    granted(
        &Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body },
        &grant(),
        "2026-11-21T09:00:00Z".parse().unwrap(),
    )
}

#[test]
fn a_grant_is_kept_as_it_comes_back() {
    let kept =
        after(200, json!({"access_token": "new", "refresh_token": "na1-new", "expires_in": 1800, "hub_id": 62515}))
            .unwrap();
    assert_eq!(
        (kept.access_token.reveal(), kept.refresh_token.unwrap().reveal().to_owned()),
        ("new", "na1-new".to_owned())
    );
    assert_eq!(kept.expires_at, Some("2026-11-21T09:30:00Z".parse().unwrap()));
    let kept = after(200, json!({"access_token": "new"})).unwrap();
    assert_eq!(kept.refresh_token.unwrap().reveal(), "na1-old", "an answer without a refresh token takes none away");
}

#[test]
fn errors_say_what_to_do() {
    let dead = |error: Error| matches!(error, Error::AuthExpired { .. });
    let ours = |error: Error| matches!(error, Error::Config { .. });
    let later = |error: Error| matches!(error, Error::Retryable { .. });
    let refused = |status, error| json!({"status": status, "message": "…", "error": error, "error_description": "…"});
    assert!(dead(after(400, refused("BAD_REFRESH_TOKEN", "invalid_grant")).unwrap_err()));
    assert!(dead(after(400, refused("BAD_HUB", "access_denied")).unwrap_err()));
    assert!(dead(after(400, json!({"error": "invalid_grant"})).unwrap_err()));
    assert!(ours(after(400, refused("BAD_CLIENT_ID", "invalid_client")).unwrap_err()));
    assert!(ours(after(401, refused("BAD_CLIENT_SECRET", "invalid_client")).unwrap_err()));
    assert!(later(after(400, Json::Null).unwrap_err()), "a strange body disconnects nobody");
    assert!(later(after(400, json!({"status": 4})).unwrap_err()));
    assert!(later(after(503, Json::Null).unwrap_err()));
    assert!(later(after(404, Json::Null).unwrap_err()));
    assert!(later(after(200, json!({"access_token": ""})).unwrap_err()));
    assert!(
        matches!(after(429, json!({"policyName": "TEN_SECONDLY_ROLLING"})).unwrap_err(), Error::RateLimited { after } if after.as_secs() == 10)
    );
}

#[test]
fn nothing_but_hubspot_or_the_local_stack_is_spoken_to() {
    assert_eq!(base(&Hosts { local: None }), "https://api.hubapi.com");
    assert_eq!(base(&Hosts { local: Some("http://127.0.0.1:9000".to_owned()) }), "http://127.0.0.1:9000/hubspot");
}

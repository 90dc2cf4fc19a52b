use super::*;
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::{Value as Json, json};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn grant() -> Grant {
    Grant {
        access_token: Secret::new("old"),
        refresh_token: Some(Secret::new("refresh")),
        expires_at: None,
        api_domain: Some("https://acme.pipedrive.com".to_owned()),
        accounts_server: None,
        webhook_token: Some(Secret::new("hook")),
        ..Grant::none()
    }
}

fn after(status: u16, body: Json) -> Result<Grant> {
    let answer = Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body };
    granted(&answer, &grant(), &Hosts::default(), NOW)
}

#[test]
fn a_renamed_company_is_followed_to_its_new_host() {
    let next = after(200, json!({"access_token": "new", "expires_in": 3599, "refresh_token": "refresh", "api_domain": "https://acme2.pipedrive.com"})).unwrap();
    assert_eq!(next.api_domain.as_deref(), Some("https://acme2.pipedrive.com"));
    assert_eq!(next.expires_at, Some(NOW + SignedDuration::from_secs(3599)));
    assert_eq!((next.refresh_token, next.webhook_token), (grant().refresh_token, grant().webhook_token));
}

#[test]
fn only_hosts_of_pipedrives_are_spoken_to() {
    for odd in [
        "https://evil.example",
        "http://acme.pipedrive.com",
        "https://.pipedrive.com",
        "https://acme.pipedrive.com.evil.example",
        "https://evil.example/.pipedrive.com",
        "https://a@evil.pipedrive.com",
        "https://evilpipedrive.com",
    ] {
        let next = after(200, json!({"access_token": "new", "api_domain": odd})).unwrap();
        assert_eq!(next.api_domain, grant().api_domain, "{odd}");
        let odd = Grant { api_domain: Some(odd.to_owned()), ..grant() };
        assert!(matches!(base(&Hosts::default(), &odd), Err(Error::Config { .. })), "{odd:?}");
    }
}

#[test]
fn each_refusal_says_what_to_do_next() {
    assert!(matches!(after(400, json!({"error": "invalid_grant"})), Err(Error::AuthExpired { .. })));
    assert!(matches!(after(401, json!({"error": "invalid_client"})), Err(Error::Config { .. })));
    assert!(matches!(after(400, json!({"error": "something"})), Err(Error::Retryable { .. })));
    assert!(matches!(after(429, Json::Null), Err(Error::RateLimited { .. })));
    assert!(matches!(after(502, Json::Null), Err(Error::Retryable { .. })));
}

use super::*;
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::{Value as Json, json};

fn grant() -> Grant {
    Grant {
        access_token: Secret::new("old"),
        refresh_token: Some(Secret::new("refresh")),
        expires_at: None,
        api_domain: Some("https://acme.my.salesforce.com".to_owned()),
        accounts_server: Some("https://login.salesforce.com".to_owned()),
        webhook_token: Some(Secret::new("hook")),
        ..Grant::none()
    }
}

fn after(status: u16, body: Json) -> Result<Grant> {
    let answer = Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body };
    granted(&answer, &grant(), &Hosts::default())
}

#[test]
fn a_rotated_refresh_token_replaces_the_old_one_and_an_absent_one_keeps_it() {
    let answer = json!({"access_token": "new", "refresh_token": "next", "instance_url": "https://acme2.my.salesforce.com", "token_type": "Bearer", "issued_at": "1790000000000"});
    let next = after(200, answer).unwrap();
    assert_eq!((next.access_token.reveal(), next.refresh_token.as_ref().unwrap().reveal()), ("new", "next"));
    assert_eq!(next.api_domain.as_deref(), Some("https://acme2.my.salesforce.com"), "the org has moved");
    assert_eq!(next.expires_at, None);
    assert_eq!(after(200, json!({"access_token": "new"})).unwrap().refresh_token, grant().refresh_token);
}

#[test]
fn only_hosts_of_salesforces_are_spoken_to() {
    for odd in [
        "https://evil.example",
        "http://acme.my.salesforce.com",
        "https://acme.my.salesforce.com.evil.example",
        "https://evil.example/.salesforce.com",
        "https://evil.example#.salesforce.com",
        "https://a@evil.example?.salesforce.com",
        "https://evilsalesforce.com",
        "https://acme.my.salesforce.com:8443",
    ] {
        let next = after(200, json!({"access_token": "new", "refresh_token": "next", "instance_url": odd})).unwrap();
        assert_eq!(next.api_domain, grant().api_domain, "{odd}");
        assert_eq!(next.refresh_token.unwrap().reveal(), "next", "what rotates is kept all the same");
        let odd = Grant { api_domain: Some(odd.to_owned()), accounts_server: Some(odd.to_owned()), ..grant() };
        assert!(matches!(base(&Hosts::default(), &odd), Err(Error::Config { .. })), "{odd:?}");
        assert!(
            matches!(login(&Hosts::default(), odd.accounts_server.as_deref()), Err(Error::Config { .. })),
            "{odd:?}"
        );
    }
    assert_eq!(base(&Hosts::default(), &grant()).unwrap(), "https://acme.my.salesforce.com");
}

#[test]
fn each_refusal_says_what_to_do_next() {
    let dead = |error: &str| after(400, json!({"error": error, "error_description": "expired access/refresh token"}));
    for error in DEAD {
        assert!(matches!(dead(error), Err(Error::AuthExpired { .. })), "{error}");
    }
    for error in OURS_ALONE {
        assert!(matches!(dead(error), Err(Error::Config { .. })), "{error}");
    }
    assert!(matches!(after(503, Json::Null), Err(Error::Retryable { .. })));
    assert!(matches!(after(429, Json::Null), Err(Error::RateLimited { .. })));
    assert!(matches!(after(400, json!({"error": "unknown_error"})), Err(Error::Retryable { .. })));
    assert!(matches!(after(200, json!({"access_token": ""})), Err(Error::Retryable { .. })), "no token at all");
}

#[test]
fn people_log_in_at_salesforces_own_hosts_alone() {
    let (redirect_uri, objects) = ("r", &[][..]);
    let ask = |login_host| Ask { client_id: "c", login_host, redirect_uri, objects, state: "s", challenge: "x" };
    let page = |host| consent_page(&Hosts::default(), &ask(host)).unwrap();
    assert!(page(None).starts_with("https://login.salesforce.com/services/oauth2/authorize?"));
    assert!(page(Some("https://test.salesforce.com")).starts_with("https://test.salesforce.com/services/"));
    let sandbox = "acme--dev.sandbox.my.salesforce.com";
    assert!(page(Some(sandbox)).starts_with("https://acme--dev.sandbox.my.salesforce.com/services/"));
    for host in [
        "https://evil.example",
        "https://evil.salesforce.com",
        "https://my.salesforce.com",
        "https://.my.salesforce.com",
        "https://acme.my.salesforce.com@evil.example",
        "https://evil.example/.my.salesforce.com",
        "http://acme.my.salesforce.com",
    ] {
        assert!(consent_page(&Hosts::default(), &ask(Some(host))).is_err(), "{host}");
    }
}

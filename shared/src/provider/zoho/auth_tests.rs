use super::*;
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::{Value as Json, json};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn grant() -> Grant {
    Grant {
        access_token: Secret::new("old"),
        refresh_token: Some(Secret::new("refresh")),
        expires_at: None,
        api_domain: Some("https://www.zohoapis.eu".to_owned()),
        accounts_server: Some("https://accounts.zoho.eu".to_owned()),
        webhook_token: Some(Secret::new("hook")),
        ..Grant::none()
    }
}

fn after(status: u16, body: Json) -> Result<Grant> {
    let answer = Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body };
    granted(&answer, &grant(), &Hosts::default(), NOW)
}

#[test]
fn an_answer_replaces_the_token_and_keeps_the_rest() {
    let next = after(200, json!({"access_token": "new", "api_domain": "https://www.zohoapis.in", "token_type": "Bearer", "expires_in": 3600})).unwrap();
    assert_eq!(next.access_token.reveal(), "new");
    assert_eq!(next.expires_at, Some(NOW + SignedDuration::from_secs(3600)));
    assert_eq!(next.api_domain.as_deref(), Some("https://www.zohoapis.in"));
    assert_eq!(
        (next.refresh_token, next.webhook_token, next.accounts_server),
        (grant().refresh_token, grant().webhook_token, grant().accounts_server)
    );
}

#[test]
fn an_unknown_api_domain_is_not_taken_over() {
    for odd in [
        "https://evil.example",
        "http://www.zohoapis.com",
        "https://www.zohoapis.com.evil.example",
        "https://www.zohoapis.com@evil.example",
        "https://accounts.zoho.eu",
    ] {
        let next = after(200, json!({"access_token": "new", "api_domain": odd, "expires_in": 3600})).unwrap();
        assert_eq!(next.api_domain, grant().api_domain, "{odd}");
        let hosts = Hosts::default();
        assert!(
            matches!(base(&hosts, &Grant { api_domain: Some(odd.to_owned()), ..grant() }), Err(Error::Config { .. })),
            "{odd}"
        );
        let server = if odd == "https://accounts.zoho.eu" { "https://www.zohoapis.eu" } else { odd };
        assert!(
            matches!(
                accounts_server(&hosts, &Grant { accounts_server: Some(server.to_owned()), ..grant() }),
                Err(Error::Config { .. })
            ),
            "{server}"
        );
    }
}

#[test]
fn a_local_stack_is_both_servers() {
    let hosts = Hosts { local: Some("http://127.0.0.1:9".to_owned()) };
    assert_eq!(base(&hosts, &grant()).unwrap(), "http://127.0.0.1:9/zoho");
    assert_eq!(accounts_server(&hosts, &grant()).unwrap(), "http://127.0.0.1:9/zoho");
    let answer = Answer {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: json!({"access_token": "new", "api_domain": "https://www.zohoapis.in"}),
    };
    assert_eq!(granted(&answer, &grant(), &hosts, NOW).unwrap().api_domain, grant().api_domain);
}

#[test]
fn every_data_centre_is_its_own_base() {
    for (accounts, api) in DATA_CENTRES {
        let grant =
            Grant { api_domain: Some(format!("{api}/")), accounts_server: Some((*accounts).to_owned()), ..grant() };
        assert_eq!(base(&Hosts::default(), &grant).unwrap(), *api);
        assert_eq!(accounts_server(&Hosts::default(), &grant).unwrap(), *accounts);
    }
    let none = Grant { api_domain: None, accounts_server: None, ..grant() };
    assert_eq!(base(&Hosts::default(), &none).unwrap(), "https://www.zohoapis.com");
}

#[test]
fn the_two_dangerous_answers_are_told_apart() {
    for status in [200, 400] {
        assert!(matches!(after(status, json!({"error": "invalid_code"})), Err(Error::AuthExpired { .. })), "{status}");
        for ours in ["invalid_client", "invalid_client_secret"] {
            assert!(matches!(after(status, json!({"error": ours})), Err(Error::Config { .. })), "{ours}");
        }
    }
    let throttled = json!({"error_description": "You have made too many requests continuously.", "error": "Access Denied", "status": "failure"});
    for status in [200, 400, 401] {
        let Err(Error::RateLimited { after }) = after(status, throttled.clone()) else { panic!("{status}") };
        assert!(after >= Duration::from_secs(600));
    }
    assert!(matches!(after(429, Json::Null), Err(Error::RateLimited { .. })));
    for (status, body) in [
        (200, json!({"error": "general_error"})),
        (200, Json::Null),
        (200, json!({"access_token": 7})),
        (500, json!({"error": "invalid_code"})),
        (503, Json::Null),
        (400, json!([])),
    ] {
        assert!(matches!(after(status, body.clone()), Err(Error::Retryable { .. })), "{status} {body}");
    }
}

#[test]
fn an_error_beside_a_token_is_an_error() {
    assert!(matches!(
        after(200, json!({"access_token": "x", "error": "invalid_code"})),
        Err(Error::AuthExpired { .. })
    ));
}

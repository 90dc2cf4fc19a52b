//! Requests to S3 that others make: signed here, without the client, whose code and tables of checksums are a tenth of a function that only signs.

use super::Signed;
use crate::error::{Error, Result};
use aws_config::SdkConfig;
use aws_sdk_sqs::config::{Credentials, ProvideCredentials};
use aws_sigv4::{
    http_request::{
        PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4::SigningParams,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

const AN_HOUR: Duration = Duration::from_secs(3600);
/// What stands in a path as it is (Amazon S3 docs: authenticating requests, "UriEncode").
const PATH: &AsciiSet = &QUERY.remove(b'/');
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where a bucket is, and who may give others access to it.
struct Place<'a> {
    bucket: &'a str,
    region: &'a str,
    /// Of a local stack.
    endpoint: Option<&'a str>,
    credentials: Credentials,
}

/// One that is good for an hour from now.
pub(super) async fn signed(aws: &SdkConfig, bucket: &str, asked: Asked<'_>) -> Result<Signed> {
    let provider = aws.credentials_provider().ok_or_else(|| Error::bug("nobody to sign for"))?;
    let credentials = provider.provide_credentials().await;
    let credentials = credentials.map_err(|e| Error::retryable("the credentials cannot be read").because(e))?;
    let region = aws.region().ok_or_else(|| Error::bug("no region"))?;
    let place = Place { bucket, region: region.as_ref(), endpoint: aws.endpoint_url(), credentials };
    #[expect(clippy::disallowed_methods, reason = "AWS judges by its own clock, whatever ours is said to be")]
    let now = SystemTime::now();
    signed_at(&place, asked, now)
}

/// What is to be allowed.
pub(super) struct Asked<'a> {
    pub(super) method: &'static str,
    pub(super) key: &'a str,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: BTreeMap<String, String>,
}

fn signed_at(place: &Place<'_>, asked: Asked<'_>, now: SystemTime) -> Result<Signed> {
    let mut url = url(place, &asked);
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(AN_HOUR);
    // S3 takes paths as they are (Amazon S3 docs: authenticating requests).
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    let identity = place.credentials.clone().into();
    let by = SigningParams::builder().identity(&identity).region(place.region).name("s3").time(now).settings(settings);
    let by = by.build().map_err(|e| Error::bug("a signature that lacks something").because(e))?.into();
    let headers = asked.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request = SignableRequest::new(asked.method, url.as_str(), headers, SignableBody::UnsignedPayload);
    let done = request.and_then(|request| sign(request, &by));
    let (told, _) = done.map_err(|e| Error::bug("a request that cannot be signed").because(e))?.into_parts();
    for (name, value) in told.params() {
        url += &format!("&{name}={}", utf8_percent_encode(value, QUERY));
    }
    Ok(Signed { method: asked.method.to_owned(), url, headers: asked.headers })
}

/// A bucket is a host of its own, but where the endpoint is ours (Amazon S3 docs: virtual hosting).
fn url(place: &Place<'_>, asked: &Asked<'_>) -> String {
    let Place { bucket, region, .. } = place;
    let base = match place.endpoint {
        Some(endpoint) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
        None if region.starts_with("cn-") => format!("https://{bucket}.s3.{region}.amazonaws.com.cn"),
        None => format!("https://{bucket}.s3.{region}.amazonaws.com"),
    };
    let encoded = |(name, value): &(&str, String)| format!("{name}={}", utf8_percent_encode(value, QUERY));
    let query: Vec<String> = asked.query.iter().map(encoded).collect();
    format!("{base}/{}?{}", utf8_percent_encode(asked.key, PATH), query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::{AN_HOUR, Asked, Place, Signed, signed_at};
    use crate::files::{download, upload};
    use aws_sdk_s3::{
        Client,
        config::{BehaviorVersion, Credentials, Region},
        presigning::{PresignedRequest, PresigningConfig},
    };
    use std::{
        collections::BTreeSet,
        time::{Duration, SystemTime, UNIX_EPOCH},
    };

    const KEY: &str = "imports/a tenant/ü+1.csv";

    fn at() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_795_000_000)
    }

    fn ours(asked: Asked<'_>, endpoint: Option<&str>) -> Signed {
        let credentials = Credentials::new("AKIA", "secret", Some("token/+=".to_owned()), None, "test");
        let place = Place { bucket: "files-1abc", region: "eu-central-1", endpoint, credentials };
        signed_at(&place, asked, at()).unwrap()
    }

    fn sdk(endpoint: Option<&str>) -> (Client, PresigningConfig) {
        let credentials = Credentials::new("AKIA", "secret", Some("token/+=".to_owned()), None, "test");
        let config = aws_sdk_s3::Config::builder().behavior_version(BehaviorVersion::latest());
        let mut config = config.region(Region::new("eu-central-1")).credentials_provider(credentials);
        config.set_endpoint_url(endpoint.map(str::to_owned));
        (
            Client::from_conf(config.build()),
            PresigningConfig::builder().start_time(at()).expires_in(AN_HOUR).build().unwrap(),
        )
    }

    fn parts(url: &str) -> (&str, BTreeSet<&str>) {
        let (path, query) = url.split_once('?').unwrap();
        (path, query.split('&').collect())
    }

    fn are_the_same(ours: &Signed, theirs: &PresignedRequest) {
        assert_eq!(parts(&ours.url), parts(theirs.uri()));
        assert_eq!(ours.method, theirs.method());
        let headers: BTreeSet<(&str, &str)> = theirs.headers().collect();
        assert!(
            ours.headers.iter().all(|(name, value)| headers.contains(&(name.as_str(), value.as_str()))),
            "{headers:?}"
        );
    }

    #[tokio::test]
    async fn what_is_signed_is_what_the_sdk_signs() {
        for endpoint in [None, Some("http://127.0.0.1:4566")] {
            let (client, hour) = sdk(endpoint);
            let put = client.put_object().bucket("files-1abc").key(KEY).content_type("text/csv").content_length(7);
            are_the_same(&ours(upload(KEY, "text/csv", 7), endpoint), &put.presigned(hour.clone()).await.unwrap());
            let get = client.get_object().bucket("files-1abc").key(KEY);
            let get = get.response_content_disposition("attachment; filename=\"a b.csv\"");
            are_the_same(&ours(download(KEY, "a b.csv"), endpoint), &get.presigned(hour).await.unwrap());
        }
    }
}

//! S3, as the functions use it: a file read in parts, written in parts, and the addresses by which people send and fetch one.

mod signing;

use crate::error::{Error, Result};
use aws_config::SdkConfig;
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use futures::{StreamExt, TryStreamExt, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signing::{Asked, signed};
use std::{collections::BTreeMap, sync::OnceLock};

/// The bucket of files that come and go.
#[derive(Clone, Debug)]
pub struct Files {
    aws: SdkConfig,
    /// Built when it is first used: most functions touch no file.
    client: OnceLock<Client>,
    bucket: String,
}

/// A request that whoever has it may make, for an hour at the most: it is signed by credentials that may end before.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Signed {
    pub method: String,
    pub url: String,
    /// To be sent with it as they are.
    pub headers: BTreeMap<String, String>,
}

/// A part of a file, unless that is another file now.
#[derive(Debug)]
pub enum Part {
    Bytes(Vec<u8>),
    Replaced,
}

/// Each part of an upload but the last has 5 MiB at least (Amazon S3 docs: multipart upload limits).
const UPLOADED: usize = 8 << 20;
/// Parts read at the same time.
const AT_ONCE: usize = 8;

impl Files {
    pub fn new(aws: SdkConfig, bucket: String) -> Files {
        Files { aws, client: OnceLock::new(), bucket }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::new(&self.aws))
    }

    /// A request that puts a file of exactly so many bytes and this type.
    pub async fn upload(&self, key: &str, content_type: &str, bytes: u64) -> Result<Signed> {
        signed(&self.aws, &self.bucket, upload(key, content_type, bytes)).await
    }

    /// Where those requests go, as browsers name it: scheme, host and port.
    pub async fn origin(&self) -> Result<String> {
        let Signed { url, .. } = self.upload("imports/", "text/csv", 1).await?;
        let url = reqwest::Url::parse(&url).map_err(|e| Error::bug("a signed address that is none").because(e))?;
        Ok(url.origin().ascii_serialization())
    }

    /// A request that fetches a file, which a browser saves under a name.
    pub async fn download(&self, key: &str, name: &str) -> Result<Signed> {
        signed(&self.aws, &self.bucket, download(key, name)).await
    }

    /// At most so many bytes of a file, which is not empty, from a place on.
    pub async fn part(&self, key: &str, etag: &str, from: u64, most: usize) -> Result<Part> {
        let range = format!("bytes={from}-{}", from + most as u64 - 1);
        let get = self.client().get_object().bucket(&self.bucket).key(key).if_match(etag).range(range);
        match get.send().await {
            Ok(got) => Ok(Part::Bytes(all(got.body).await?)),
            Err(error) if matches!(error.code(), Some("PreconditionFailed" | "NoSuchKey")) => Ok(Part::Replaced),
            Err(error) => Err(trouble(error)),
        }
    }

    /// The names of all files that begin like this, in their order.
    pub async fn names(&self, prefix: &str) -> Result<Vec<String>> {
        let list = self.client().list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let pages: Vec<_> = list.into_paginator().send().try_collect().await.map_err(trouble)?;
        Ok(pages.into_iter().flat_map(|page| page.contents.unwrap_or_default()).filter_map(|file| file.key).collect())
    }

    pub async fn delete(&self, key: &str) -> Result<()> {
        self.client().delete_object().bucket(&self.bucket).key(key).send().await.map(drop).map_err(trouble)
    }

    pub async fn put(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<()> {
        let put = self.client().put_object().bucket(&self.bucket).key(key).content_type(content_type);
        put.body(ByteStream::from(bytes)).send().await.map(drop).map_err(trouble)
    }

    /// Puts a file of this machine.
    pub async fn send(&self, key: &str, content_type: &str, file: &std::path::Path) -> Result<()> {
        let unread = |e| Error::Config { reason: format!("the file cannot be read: {e}") };
        let body = ByteStream::from_path(file).await.map_err(unread)?;
        let put = self.client().put_object().bucket(&self.bucket).key(key).content_type(content_type);
        put.body(body).send().await.map(drop).map_err(trouble)
    }

    /// Makes one file of a beginning and of others in their order; a few parts of it are in memory at a time.
    pub async fn join(&self, key: &str, content_type: &str, begin: Vec<u8>, parts: Vec<String>) -> Result<()> {
        let mut read = stream::iter(parts.into_iter().map(async |key| self.whole(&key).await)).buffered(AT_ONCE);
        let mut buffer = begin;
        while buffer.len() < UPLOADED {
            match read.try_next().await? {
                Some(more) => buffer.extend(more),
                None => return self.put(key, content_type, buffer).await,
            }
        }
        let begun = self.client().create_multipart_upload().bucket(&self.bucket).key(key).content_type(content_type);
        let begun = begun.send().await.map_err(trouble)?.upload_id.unwrap_or_default();
        let mut done = vec![self.send_part(key, &begun, 1, std::mem::take(&mut buffer)).await?];
        while let Some(more) = read.try_next().await? {
            buffer.extend(more);
            if buffer.len() >= UPLOADED {
                let number = done.len() + 1;
                done.push(self.send_part(key, &begun, number, std::mem::take(&mut buffer)).await?);
            }
        }
        if !buffer.is_empty() {
            let number = done.len() + 1;
            done.push(self.send_part(key, &begun, number, buffer).await?);
        }
        let whole = CompletedMultipartUpload::builder().set_parts(Some(done)).build();
        let end = self.client().complete_multipart_upload().bucket(&self.bucket).key(key).upload_id(begun);
        end.multipart_upload(whole).send().await.map(drop).map_err(trouble)
    }

    async fn send_part(&self, key: &str, upload: &str, number: usize, bytes: Vec<u8>) -> Result<CompletedPart> {
        let number = i32::try_from(number).map_err(|_| Error::bug("a file of too many parts"))?;
        let part = self.client().upload_part().bucket(&self.bucket).key(key).upload_id(upload).part_number(number);
        let sent = part.body(ByteStream::from(bytes)).send().await.map_err(trouble)?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        Ok(part.set_checksum_crc32(sent.checksum_crc32).build())
    }

    pub async fn whole(&self, key: &str) -> Result<Vec<u8>> {
        let got = self.client().get_object().bucket(&self.bucket).key(key).send().await.map_err(trouble)?;
        all(got.body).await
    }
}

fn upload<'a>(key: &'a str, content_type: &str, bytes: u64) -> Asked<'a> {
    let headers = [("content-length", bytes.to_string()), ("content-type", content_type.to_owned())];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
    Asked { method: "PUT", key, query: vec![("x-id", "PutObject".to_owned())], headers }
}

fn download<'a>(key: &'a str, name: &str) -> Asked<'a> {
    let saved = format!("attachment; filename=\"{name}\"");
    let query = vec![("response-content-disposition", saved), ("x-id", "GetObject".to_owned())];
    Asked { method: "GET", key, query, headers: BTreeMap::new() }
}

async fn all(body: ByteStream) -> Result<Vec<u8>> {
    let bytes = body.collect().await.map_err(|e| Error::retryable("S3: a file broke off").because(e))?;
    Ok(bytes.into_bytes().to_vec())
}

fn trouble<E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static>(error: SdkError<E>) -> Error {
    Error::retryable(format!("S3: {}", error.code().unwrap_or("no answer"))).because(error)
}

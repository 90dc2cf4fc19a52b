//! The state table's stream, from its beginning on, in the shape in which Lambda hands it to journal.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::ProvideCredentials;
use serde_json::{Value as Json, json};
use tokio::sync::Mutex;

pub(crate) struct Stream {
    endpoint: String,
    account: String,
    /// Its ARN and its only shard.
    shard: Json,
    /// The last change that was read.
    last: Mutex<Option<Json>>,
}

impl Stream {
    pub(crate) async fn of(aws: &SdkConfig, table: &str) -> Stream {
        let endpoint = aws.endpoint_url().unwrap().to_owned();
        let credentials = aws.credentials_provider().unwrap().provide_credentials().await.unwrap();
        let account = credentials.access_key_id().to_owned();
        let mut stream = Stream { endpoint, account, shard: Json::Null, last: Mutex::default() };
        let streams = stream.ask("ListStreams", &json!({"TableName": table})).await;
        let arn = &streams["Streams"][0]["StreamArn"];
        let described = stream.ask("DescribeStream", &json!({"StreamArn": arn})).await;
        stream.shard = json!({"StreamArn": arn, "ShardId": described["StreamDescription"]["Shards"][0]["ShardId"]});
        stream
    }

    /// What it holds since it was last read, in batches as large as the template's.
    pub(crate) async fn read(&self) -> Vec<Json> {
        let mut last = self.last.lock().await;
        let mut from = self.shard.clone();
        from["ShardIteratorType"] = json!(if last.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" });
        if let Some(last) = &*last {
            from["SequenceNumber"] = last.clone();
        }
        // An iterator lives for minutes, and some tests for longer.
        let iterator = self.ask("GetShardIterator", &from).await;
        let page = self.ask("GetRecords", &json!({"ShardIterator": iterator["ShardIterator"]})).await;
        let records = page["Records"].as_array().unwrap();
        *last = records.last().map(|record| record["dynamodb"]["SequenceNumber"].clone()).or(last.take());
        records.chunks(100).map(|batch| json!({"Records": batch})).collect()
    }

    /// The SDK for streams gives no JSON, which is what Lambda gives.
    async fn ask(&self, operation: &str, body: &Json) -> Json {
        let scope = format!("{}/20261121/us-east-1/dynamodb/aws4_request", self.account);
        let call = reqwest::Client::new()
            .post(&self.endpoint)
            .header("x-amz-target", format!("DynamoDBStreams_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"),
            );
        let answer = call.body(body.to_string()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{operation}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}

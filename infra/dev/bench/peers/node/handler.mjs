// The webhook function as one would write it in Node.js: proves a delivery of HubSpot's, and notes what may have changed.
//
// It does what `shared/src/handler/webhook.rs` does for HubSpot, against the same table, secrets and queue.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { BatchGetItemCommand, DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";

const { STATE_TABLE, CHANGES_QUEUE_URL, SECRET_PREFIX } = process.env;

// Made once, so that connections are kept and used again.
const dynamodb = new DynamoDBClient();
const secrets = new SecretsManagerClient();
const sqs = new SQSClient();

const SECRET_KEPT_MS = 300_000;
const CONNECTIONS_KEPT_MS = 5_000;
const TOLERANCE_MS = 300_000;
const MOST_HINTS = 100;
const MOST_MESSAGES = 10;
// What HubSpot unescapes in a URL before it signs it, and nothing else.
const ESCAPED = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/g;
const OBJECTS = { contact: "contacts", company: "companies", deal: "deals", task: "tasks", note: "notes" };
const ACTIONS = new Set(["creation", "deletion", "merge", "restore", "propertyChange", "privacyDeletion"]);

let kept = { at: 0, secret: undefined };
const accounts = new Map();

export async function handler(event, context) {
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  if (!(await proved(event, body))) {
    return { statusCode: 401 };
  }
  const messages = [];
  for (const [account, hints] of byAccount(JSON.parse(body.toString("utf8")))) {
    for (const connection of await connections(account)) {
      messages.push(...outgoing(connection, hints, context.awsRequestId));
    }
  }
  await send(messages);
  console.log(JSON.stringify({ level: "INFO", message: "a delivery is taken", messages: messages.length, trace: context.awsRequestId }));
  return { statusCode: 200 };
}

// HMAC-SHA-256 over method, URL, raw body and timestamp, no older than five minutes (HubSpot docs: validating requests, v3).
async function proved(event, body) {
  const sent = Buffer.from(event.headers["x-hubspot-signature-v3"] ?? "");
  const timestamp = event.headers["x-hubspot-request-timestamp"] ?? "";
  if (!/^[0-9]{13}$/.test(timestamp) || Math.abs(Date.now() - Number(timestamp)) > TOLERANCE_MS) {
    return false;
  }
  const query = event.rawQueryString ? `?${event.rawQueryString}` : "";
  const url = `https://${event.requestContext.domainName}${event.rawPath}${query}`.replace(ESCAPED, decodeURIComponent);
  const mac = createHmac("sha256", await secret());
  mac.update(event.requestContext.http.method).update(url).update(body).update(timestamp);
  const expected = Buffer.from(mac.digest("base64"));
  return expected.length === sent.length && timingSafeEqual(expected, sent);
}

async function secret() {
  if (!kept.secret || Date.now() - kept.at > SECRET_KEPT_MS) {
    const answer = await secrets.send(new GetSecretValueCommand({ SecretId: `${SECRET_PREFIX}/app/hubspot` }));
    kept = { at: Date.now(), secret: JSON.parse(answer.SecretString).client_secret };
  }
  return kept.secret;
}

// Map of account to a map of object and remote to what is told of it, in the order of their first events.
function byAccount(events) {
  const accounts = new Map();
  for (const event of events) {
    const [kind, action] = event.subscriptionType.split(".");
    if (!(kind in OBJECTS) || !ACTIONS.has(action)) {
      continue;
    }
    const account = String(event.portalId);
    const remotes = accounts.get(account) ?? accounts.set(account, new Map()).get(account);
    const key = `${OBJECTS[kind]} ${event.objectId}`;
    const told = tells(event, action);
    remotes.set(key, remotes.has(key) ? both(remotes.get(key), told) : told);
  }
  return accounts;
}

function tells(event, action) {
  if (action === "creation") {
    return {};
  }
  if (action === "propertyChange") {
    const digest = createHash("sha256").update(event.propertyValue.trim()).digest("hex").slice(0, 16);
    return { [event.propertyName]: digest };
  }
  return undefined;
}

// What two events tell, unless they contradict each other.
function both(before, now) {
  const differ = !before || !now || Object.entries(now).some(([field, digest]) => (before[field] ?? digest) !== digest);
  return differ ? undefined : { ...before, ...now };
}

// The connections to an account; that there are none is not remembered.
async function connections(account) {
  const known = accounts.get(account);
  if (known?.linked.length && Date.now() - known.at < CONNECTIONS_KEPT_MS) {
    return known.linked;
  }
  if (accounts.size >= 500) {
    accounts.clear();
  }
  const linked = await stored(account);
  accounts.set(account, { at: Date.now(), linked });
  return linked;
}

async function stored(account) {
  const found = await dynamodb.send(
    new QueryCommand({
      TableName: STATE_TABLE,
      ConsistentRead: true,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": { S: `A#hubspot#${account}` } },
      Limit: 100,
    }),
  );
  const keys = new Map();
  for (const { tenant, connection } of found.Items) {
    const partition = `T#${tenant.S}`;
    for (const place of [`C#${connection.S}`, "SETTINGS"]) {
      keys.set(`${partition} ${place}`, { pk: { S: partition }, sk: { S: place } });
    }
  }
  if (keys.size === 0) {
    return [];
  }
  const wanted = { [STATE_TABLE]: { Keys: [...keys.values()], ConsistentRead: true } };
  const answer = await dynamodb.send(new BatchGetItemCommand({ RequestItems: wanted }));
  return answer.Responses[STATE_TABLE].filter((item) => item.kind.S === "connection" && item.state.M.is.S !== "closed");
}

function* outgoing(connection, hints, trace) {
  const [tenant, name] = [connection.tenant.S, connection.id.S];
  const filed = new Map(Object.entries(connection.mappings.M).map(([ours, mapping]) => [mapping.M.object.S, ours]));
  const remotes = [];
  for (const [key, told] of hints) {
    const [theirs, remote] = key.split(" ");
    const object = filed.get(theirs);
    if (object) {
      remotes.push({ ...(object === "person" ? {} : { object }), remote, ...(told ? { tells: told } : {}) });
    }
  }
  for (let start = 0; start < remotes.length; start += MOST_HINTS) {
    const message = { tenant, connection: name, remotes: remotes.slice(start, start + MOST_HINTS), trace };
    yield { MessageBody: JSON.stringify(message), MessageGroupId: `${tenant}.${name}` };
  }
}

async function send(messages) {
  for (let start = 0; start < messages.length; start += MOST_MESSAGES) {
    const Entries = messages.slice(start, start + MOST_MESSAGES).map((message, place) => ({ Id: String(place), ...message }));
    const answer = await sqs.send(new SendMessageBatchCommand({ QueueUrl: CHANGES_QUEUE_URL, Entries }));
    if (answer.Failed?.length) {
      throw new Error("SQS took a part of a batch");
    }
  }
}

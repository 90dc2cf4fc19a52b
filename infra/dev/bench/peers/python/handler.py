"""The webhook function as one would write it in Python: proves a delivery of HubSpot's, and notes what may have changed.

It does what `shared/src/handler/webhook.rs` does for HubSpot, against the same table, secrets and queue.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import time

import boto3

STATE_TABLE = os.environ["STATE_TABLE"]
CHANGES_QUEUE_URL = os.environ["CHANGES_QUEUE_URL"]
APP_SECRET = f"{os.environ['SECRET_PREFIX']}/app/hubspot"

# Made once, so that connections are kept and used again.
dynamodb = boto3.client("dynamodb")
secrets = boto3.client("secretsmanager")
sqs = boto3.client("sqs")

SECRET_KEPT_S = 300
CONNECTIONS_KEPT_S = 5
TOLERANCE_MS = 300_000
MOST_HINTS = 100
MOST_MESSAGES = 10
# What HubSpot unescapes in a URL before it signs it, and nothing else.
ESCAPED = re.compile("|".join(f"%{ord(plain):02X}" for plain in ":/?@!$'()*,;"))
OBJECTS = {"contact": "contacts", "company": "companies", "deal": "deals", "task": "tasks", "note": "notes"}
ACTIONS = {"creation", "deletion", "merge", "restore", "propertyChange", "privacyDeletion"}

_secret = (0.0, b"")
_connections = {}


def handler(event, context):
    body = event.get("body") or ""
    body = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    if not proved(event, body):
        return {"statusCode": 401}
    messages = []
    for account, hints in by_account(json.loads(body)).items():
        for connection in connections(account):
            messages.extend(outgoing(connection, hints, context.aws_request_id))
    send(messages)
    print(json.dumps({"level": "INFO", "message": "a delivery is taken", "messages": len(messages), "trace": context.aws_request_id}))
    return {"statusCode": 200}


def proved(event, body):
    """HMAC-SHA-256 over method, URL, raw body and timestamp, no older than five minutes (HubSpot docs: validating requests, v3)."""
    headers = event["headers"]
    sent = headers.get("x-hubspot-signature-v3", "")
    timestamp = headers.get("x-hubspot-request-timestamp", "")
    if not re.fullmatch("[0-9]{13}", timestamp) or abs(time.time() * 1000 - int(timestamp)) > TOLERANCE_MS:
        return False
    context = event["requestContext"]
    query = event.get("rawQueryString")
    url = f"https://{context['domainName']}{event['rawPath']}" + (f"?{query}" if query else "")
    url = ESCAPED.sub(lambda escape: chr(int(escape[0][1:], 16)), url)
    signed = context["http"]["method"].encode() + url.encode() + body + timestamp.encode()
    expected = base64.b64encode(hmac.digest(secret(), signed, "sha256"))
    return hmac.compare_digest(expected, sent.encode())


def secret():
    global _secret
    read_at, value = _secret
    if time.monotonic() - read_at > SECRET_KEPT_S or not value:
        answer = secrets.get_secret_value(SecretId=APP_SECRET)
        value = json.loads(answer["SecretString"])["client_secret"].encode()
        _secret = (time.monotonic(), value)
    return value


def by_account(events):
    """{account: {(object, remote): what is told of it, or None}}, in the order of their first events."""
    accounts = {}
    for event in events:
        kind, _, action = event["subscriptionType"].partition(".")
        if kind not in OBJECTS or action not in ACTIONS:
            continue
        remotes = accounts.setdefault(str(event["portalId"]), {})
        key = (OBJECTS[kind], str(event["objectId"]))
        told = tells(event, action)
        if key in remotes:
            told = both(remotes[key], told)
        remotes[key] = told
    return accounts


def tells(event, action):
    if action == "creation":
        return {}
    if action == "propertyChange":
        digest = hashlib.sha256(event["propertyValue"].strip().encode()).hexdigest()[:16]
        return {event["propertyName"]: digest}
    return None


def both(before, now):
    """What two events tell, unless they contradict each other."""
    if before is None or now is None or any(before.get(field, digest) != digest for field, digest in now.items()):
        return None
    return {**before, **now}


def connections(account):
    """The connections to an account; that there are none is not remembered."""
    read_at, kept = _connections.get(account, (0.0, []))
    if kept and time.monotonic() - read_at < CONNECTIONS_KEPT_S:
        return kept
    if len(_connections) >= 500:
        _connections.clear()
    _connections[account] = (time.monotonic(), stored(account))
    return _connections[account][1]


def stored(account):
    found = dynamodb.query(
        TableName=STATE_TABLE,
        ConsistentRead=True,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"A#hubspot#{account}"}},
        Limit=100,
    )
    keys = {}
    for pointer in found["Items"]:
        partition = f"T#{pointer['tenant']['S']}"
        for place in (f"C#{pointer['connection']['S']}", "SETTINGS"):
            keys[partition, place] = {"pk": {"S": partition}, "sk": {"S": place}}
    if not keys:
        return []
    answer = dynamodb.batch_get_item(RequestItems={STATE_TABLE: {"Keys": list(keys.values()), "ConsistentRead": True}})
    items = answer["Responses"][STATE_TABLE]
    return [item for item in items if item["kind"]["S"] == "connection" and item["state"]["M"]["is"]["S"] != "closed"]


def outgoing(connection, hints, trace):
    tenant, name = connection["tenant"]["S"], connection["id"]["S"]
    filed = {mapping["M"]["object"]["S"]: ours for ours, mapping in connection["mappings"]["M"].items()}
    remotes = []
    for (theirs, remote), told in hints.items():
        if theirs in filed:
            hint = {"remote": remote}
            if filed[theirs] != "person":
                hint["object"] = filed[theirs]
            if told is not None:
                hint["tells"] = told
            remotes.append(hint)
    for start in range(0, len(remotes), MOST_HINTS):
        message = {"tenant": tenant, "connection": name, "remotes": remotes[start : start + MOST_HINTS], "trace": trace}
        yield f"{tenant}.{name}", json.dumps(message)


def send(messages):
    for start in range(0, len(messages), MOST_MESSAGES):
        entries = [
            {"Id": str(place), "MessageBody": body, "MessageGroupId": group}
            for place, (group, body) in enumerate(messages[start : start + MOST_MESSAGES])
        ]
        answer = sqs.send_message_batch(QueueUrl=CHANGES_QUEUE_URL, Entries=entries)
        if answer.get("Failed"):
            raise RuntimeError("SQS took a part of a batch")

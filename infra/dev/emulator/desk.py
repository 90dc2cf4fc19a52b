"""Does what `cargo dev demo` asks of the emulator: one JSON request per line on stdin, one JSON answer per line on stdout.

    {"do": "listen", "bus": …}                 hears every event of a bus from now on
    {"do": "hear"}                             [{type, detail}] of the events since it was last asked
    {"do": "send", "queue", "group", "bodies"} puts messages on a queue, ten in a call
    {"do": "waiting"}                          {queue: messages that wait or are being worked on}
    {"do": "feed", "function", "queue", "on"}  lets a function take messages of a queue, or not
    {"do": "record", "on"}                     counts calls to AWS from now on, or no longer
    {"do": "writes"}                           writes to DynamoDB since counting began
"""

import json
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from aws import EMULATOR, client, resources, run

EARS = "demo-hears"
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")


def queue(sqs, name):
    return sqs.create_queue(QueueName=name)["QueueUrl"]


def listen(desk, bus):
    arn = desk.sqs.get_queue_attributes(QueueUrl=desk.ears(), AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events, pattern = client("events"), json.dumps({"source": ["crm-sync"]})
    events.put_rule(Name=EARS, EventBusName=bus, EventPattern=pattern, State="ENABLED")
    events.put_targets(Rule=EARS, EventBusName=bus, Targets=[{"Id": EARS, "Arn": arn}])
    return arn


def hear(desk):
    url, heard = desk.ears(), []
    while batch := desk.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        heard += [json.loads(message["Body"]) for message in batch]
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(batch)]
        desk.sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    return [{"type": event["detail-type"], "detail": event["detail"]} for event in heard]


def send(desk, queue, group, bodies):
    def some(start):
        entries = [
            {"Id": str(n), "MessageBody": body, "MessageGroupId": group}
            for n, body in enumerate(bodies[start : start + 10])
        ]
        return len(sqs.send_message_batch(QueueUrl=queue, Entries=entries)["Successful"])

    sqs = desk.workflow_service()
    with ThreadPoolExecutor(4) as several:
        return sum(several.map(some, range(0, len(bodies), 10)))


def waiting(desk):
    states = ["ApproximateNumberOfMessages" + state for state in ("", "NotVisible", "Delayed")]
    found = {}
    for url in desk.sqs.list_queues().get("QueueUrls", []):
        name = url.rsplit("/", 1)[1]
        if name != EARS:
            counts = desk.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=states)["Attributes"]
            found[name] = sum(int(count) for count in counts.values())
    return found


def feed(desk, function, queue, on):
    lambdas = client("lambda")
    for mapping in lambdas.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]:
        if mapping["EventSourceArn"].rsplit(":", 1)[1] == queue.rsplit("/", 1)[1]:
            lambdas.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)
            return mapping["UUID"]
    raise LookupError(f"{function} does not take messages of {queue}")


def record(desk, on):
    desk.since = time.time()
    body = json.dumps({"cloudtrail._recording_enabled": str(on).lower()}).encode()
    request = urllib.request.Request(EMULATOR["endpoint"] + "/_ministack/config", body, method="POST")
    return json.load(urllib.request.urlopen(request, timeout=10))


def writes(desk):
    """One lookup shows at most 50 calls of a name; a story that counts writes expects none."""
    trail, found = client("cloudtrail"), {}
    for name in WRITES:
        only = [{"AttributeKey": "EventName", "AttributeValue": name}]
        calls = trail.lookup_events(LookupAttributes=only, StartTime=desk.since)["Events"]
        if calls:
            found[name] = len(calls)
    return found


class Desk:
    def __init__(self):
        self.sqs, self.since, self._ears, self._sender = client("sqs"), time.time(), None, None

    def workflow_service(self):
        """Sends as a stranger may who was given no more than the template's send-only policy."""
        if not self._sender:
            iam, user = client("iam"), "workflow-service"
            iam.create_user(UserName=user)
            iam.attach_user_policy(UserName=user, PolicyArn=resources()["SendOnlyPolicy"])
            key = iam.create_access_key(UserName=user)["AccessKey"]
            self._sender = client("sqs", key["AccessKeyId"], key["SecretAccessKey"])
        return self._sender

    def ears(self):
        self._ears = self._ears or queue(self.sqs, EARS)
        return self._ears


def main():
    desk, work = Desk(), {f.__name__: f for f in (listen, hear, send, waiting, feed, record, writes)}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"done": work[request.pop("do")](desk, **request)}
        except Exception as error:  # Whatever it is, the one who asked is told.
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    run(main)

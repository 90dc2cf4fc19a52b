"""What template.yaml's policies allow, grant by grant: lists them, or takes one away. Prints JSON [{policy, allows, enforced}].

A grant is one action of a statement, or one resource of a statement that has several.
"""

import json
import sys

import template as source

# What Lambda, Scheduler and the runtime do in a function's name is not checked by the emulator. What AWS asks for:
#   SQS event source      https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
#   DynamoDB stream       https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
#   its failures to S3    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
#   logs                  https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
DONE_BY_AWS = {
    "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
    "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
    "s3:ListBucket",
    "logs:CreateLogStream", "logs:PutLogEvents",
}  # fmt: skip


# What did not become history is put there by Lambda; other files are ours to put.
FAILURES = ("JournalRole", "s3:PutObject")

# A sync request is hidden only when AWS itself fails, which the emulator never does.
NEVER_HAPPENS = {("ReconcileRole", "SyncRequestsQueue")}
# Nor is work on a file.
NEVER_DONE = ("ImportRole", "sqs:ChangeMessageVisibility")


def every(template):
    """(policy's name, statement, the list to take from, its entry) of every grant."""
    for name, document in policies(template):
        for statement in document["Statement"]:
            for part in ("Action", "Resource"):
                if not isinstance(statement[part], list):
                    statement[part] = [statement[part]]
                if part == "Action" or len(statement[part]) > 1:
                    for entry in list(statement[part]):
                        yield name, statement, part, entry


def policies(template):
    for logical, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            yield logical, properties["PolicyDocument"]
        if resource["Type"] == "AWS::IAM::Role":
            for policy in properties.get("Policies", []):
                yield logical, policy["PolicyDocument"]


def take_away(template, number):
    """Takes the grant with this number out of the template; a statement that allows nothing goes too."""
    _, statement, part, entry = list(every(template))[number]
    statement[part].remove(entry)
    for _, document in policies(template):
        document["Statement"] = [s for s in document["Statement"] if s["Action"] and s["Resource"]]


def describe(name, statement, part, entry):
    on = entry if part == "Resource" else statement["Resource"]
    where = " ".join(target(resource) for resource in (on if isinstance(on, list) else [on]))
    actions = [entry] if part == "Action" else statement["Action"]
    enforced = not all(action in DONE_BY_AWS or (name, action) == FAILURES for action in actions)
    if part == "Action" and (name, entry) == NEVER_DONE:
        enforced = False
    if part == "Resource" and (name, target(entry)) in NEVER_HAPPENS:
        enforced = False
    what = f"{entry} on {where}" if part == "Action" else f"{' '.join(statement['Action'])} on {where}"
    return {"policy": name, "allows": what, "enforced": enforced}


def target(resource):
    """A resource as a person would name it."""
    if isinstance(resource, str):
        return resource
    ((_, value),) = resource.items()
    if isinstance(value, list):
        return value[0]
    return value.split(":")[-1].removeprefix("${AWS::StackName}").replace("${", "").replace("}", "")


if __name__ == "__main__":
    request = json.load(sys.stdin)
    json.dump([describe(*grant) for grant in every(source.load(request["template"]))], sys.stdout)

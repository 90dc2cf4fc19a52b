"""Invokes one function: invoke.py <deployed name> <event file>. Prints JSON {failed, payload, log}."""

import base64
import json
import sys

from aws import client

with open(sys.argv[2], "rb") as event:
    answer = client("lambda").invoke(FunctionName=sys.argv[1], Payload=event.read(), LogType="Tail")
json.dump(
    {
        "failed": "FunctionError" in answer,
        "payload": json.loads(answer["Payload"].read() or b"null"),
        "log": base64.b64decode(answer.get("LogResult", "")).decode(errors="replace"),
    },
    sys.stdout,
)

"""Invokes one function: invoke.py <deployed name> <event file>. Prints JSON {failed, payload, log}."""

import base64
import json
import sys

from aws import client, run


def main(function, event_file):
    with open(event_file, "rb") as event:
        answer = client("lambda").invoke(FunctionName=function, Payload=event.read(), LogType="Tail")
    json.dump(
        {
            "failed": "FunctionError" in answer,
            "payload": json.loads(answer["Payload"].read() or b"null"),
            "log": base64.b64decode(answer.get("LogResult", "")).decode(errors="replace"),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    run(main, *sys.argv[1:])

"""Reads the functions' logs.

    logs.py follow [function]     prints new lines until it is stopped
    logs.py find <text> …         prints JSON [{at, function, line}] of every line that holds one of the texts
    logs.py keep                  prints every line
"""

import json
import sys
import time
from datetime import datetime, timezone

from aws import client, resources, run

UTC = timezone.utc  # datetime.UTC is new in Python 3.11.


def groups(only=None):
    """{log group: function} as the template names them: /aws/lambda/<stack>/<function>."""
    found = {n: n.rsplit("/", 1)[1] for n in resources().values() if n.startswith("/aws/lambda/")}
    if only is None:
        return found
    one = {group: function for group, function in found.items() if function == only}
    return one or sys.exit(f"no function is called {only}: there are {', '.join(sorted(found.values()))}")


def events(logs, group, start):
    try:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=start):
            # The emulator's events have no id.
            yield from (((e["logStreamName"], e["timestamp"], e["message"]), e) for e in page["events"])
    except logs.exceptions.ResourceNotFoundException:
        return  # Nothing has run yet.


def follow(only=None):
    logs, seen, start = client("logs"), set(), 0
    watched = groups(only)
    while True:
        fresh = [
            (e["timestamp"], function, e["message"].rstrip())
            for group, function in watched.items()
            for key, e in events(logs, group, start)
            if key not in seen and not seen.add(key)
        ]
        for at, function, line in sorted(fresh):
            if not line.startswith(("START ", "END ")):
                print(f"{clock(at)[11:23]} {function:<13} {line}", flush=True)
            start = max(start, at - 2000)  # Lines of one moment may arrive late.
        time.sleep(1)


def find(*texts):
    logs = client("logs")
    json.dump(
        sorted(
            (
                {"at": clock(e["timestamp"]), "function": function, "line": e["message"].rstrip()}
                for group, function in groups().items()
                for _, e in events(logs, group, 0)
                if any(text in e["message"] for text in texts)
            ),
            key=lambda found: found["at"],
        ),
        sys.stdout,
    )


def keep():
    lines = ((e["timestamp"], f, e["message"].rstrip()) for g, f in groups().items() for _, e in events(client("logs"), g, 0))
    for at, function, line in sorted(lines):
        print(clock(at), function, line)


def clock(milliseconds):
    """Milliseconds since 1970 as 2026-11-21T09:00:00.000Z."""
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    run({"follow": follow, "find": find, "keep": keep}[sys.argv[1]], *sys.argv[2:])

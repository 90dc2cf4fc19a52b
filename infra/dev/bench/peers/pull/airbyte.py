"""An Airbyte connector as Airbyte runs it, without Docker: `read` with a configuration, a catalogue of one stream and the state of the last time.

    airbyte.py hubspot|salesforce <simulator> <folder>

The folder keeps the state from one time to the next. One line of JSON tells what this time took.
"""

import json
import os
import sys
from datetime import datetime, timedelta, timezone

import measured

CRM, SIMULATOR, FOLDER = sys.argv[1:]
ACCOUNT = measured.account(SIMULATOR, CRM)
HERE = os.path.dirname(os.path.abspath(__file__))
HUBSPOT = {
    "vendor": "https://api.hubapi.com",
    "run": "source_hubspot.run:run",
    "config": {
        "start_date": "2020-01-01T00:00:00Z",
        "credentials": {"credentials_title": "Private App Credentials", "access_token": ACCOUNT.get("private_app_token")},
    },
    "stream": "contacts",
    "cursor": "updatedAt",
}
# Each month since the start is a job of its own: one is enough for records that are a day old.
SALESFORCE = {
    "vendor": "https://login.salesforce.com",
    "run": "source_salesforce.run:run",
    "config": {
        "auth_type": "Client",
        "start_date": (datetime.now(timezone.utc) - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **{key: ACCOUNT.get(key) for key in ("client_id", "client_secret", "refresh_token")},
    },
    "stream": "Lead",
    "cursor": "SystemModstamp",
}
CONNECTOR = {"hubspot": HUBSPOT, "salesforce": SALESFORCE}[CRM]


def written(name, value):
    path = os.path.join(FOLDER, name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)
    return path


def catalogue():
    stream = {
        "name": CONNECTOR["stream"],
        "json_schema": {},
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_cursor": True,
        "source_defined_primary_key": [["Id" if CRM == "salesforce" else "id"]],
    }
    chosen = {
        "stream": stream,
        "sync_mode": "incremental",
        "cursor_field": [CONNECTOR["cursor"]],
        "destination_sync_mode": "append",
    }
    return {"streams": [chosen]}


def told(out):
    """How many records there were, and the last state."""
    records, states = 0, {}
    with open(out, encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("{"):
                continue
            message = json.loads(line)
            if message["type"] == "RECORD":
                records += 1
            elif message["type"] == "STATE":
                state = message["state"]
                states[json.dumps(state["stream"]["stream_descriptor"], sort_keys=True)] = state
    return records, list(states.values())


os.makedirs(FOLDER, exist_ok=True)
state = os.path.join(FOLDER, "state.json")
out = os.path.join(FOLDER, "out.jsonl")
command = [
    sys.executable,
    os.path.join(HERE, "..", "pointed.py"),
    f"{CONNECTOR['vendor']}={SIMULATOR}/{CRM}",
    CONNECTOR["run"],
    "read",
    "--config",
    written("config.json", CONNECTOR["config"]),
    "--catalog",
    written("catalog.json", catalogue()),
]
if os.path.exists(state):
    command += ["--state", state]
figures = measured.run(command, out, SIMULATOR)
figures["records"], states = told(out)
written("state.json", states)
print(json.dumps(figures))

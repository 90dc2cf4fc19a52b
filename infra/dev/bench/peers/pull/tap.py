"""A Singer tap as a scheduler runs it: with a configuration, a catalogue of one stream and the state of the last time.

    tap.py hubspot|salesforce <simulator> <folder>

The folder keeps the state from one time to the next. One line of JSON tells what this time took. What discovery asks is not counted.
"""

import json
import os
import subprocess
import sys

import measured

CRM, SIMULATOR, FOLDER = sys.argv[1:]
ACCOUNT = measured.account(SIMULATOR, CRM)
POINTED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "pointed.py")


def hubspot():
    """The vendor's host, the program, its configuration, and how its catalogue is made."""
    import tap_hubspot

    def catalogue():
        tap_hubspot.BASE_URL = f"{SIMULATOR}/hubspot"
        tap_hubspot.CONFIG.update(config)
        stream = next(stream for stream in tap_hubspot.STREAMS if stream.tap_stream_id == "contacts")
        schema, metadata = tap_hubspot.load_discovered_schema(stream)
        return {"stream": "contacts", "tap_stream_id": "contacts", "schema": schema, "metadata": metadata}

    config = {"api_key": ACCOUNT["private_app_token"], "start_date": "2020-01-01T00:00:00Z"}
    return "https://api.hubapi.com", "tap_hubspot:main", config, catalogue


def salesforce():
    """The same of leads, over the REST API."""
    def catalogue():
        with open(os.path.join(FOLDER, "all.json"), "w", encoding="utf-8") as file:
            discovery = [*pointed, "--config", written("config.json", config), "--discover"]
            subprocess.run(discovery, stdout=file, stderr=subprocess.DEVNULL, check=True)
        with open(file.name, encoding="utf-8") as text:
            return next(stream for stream in json.load(text)["streams"] if stream["stream"] == "Lead")

    secrets = {key: ACCOUNT[key] for key in ("client_id", "client_secret", "refresh_token")}
    config = {**secrets, "api_type": "REST", "start_date": "2020-01-01T00:00:00Z", "select_fields_by_default": True}
    vendor, program = "https://login.salesforce.com", "tap_salesforce:main"
    pointed = [sys.executable, POINTED, f"{vendor}={SIMULATOR}/{CRM}", program]
    return vendor, program, config, catalogue


def written(name, value):
    path = os.path.join(FOLDER, name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)
    return path


def selected(stream):
    """All of its fields, and only what has changed."""
    for entry in stream["metadata"]:
        entry["metadata"]["selected"] = True
        if not entry["breadcrumb"]:
            keys = entry["metadata"].get("valid-replication-keys", [])
            entry["metadata"].update({"replication-method": "INCREMENTAL", "replication-key": keys[0]})
    return {"streams": [stream]}


def told(out):
    """How many records there were, and the last state."""
    records, state = 0, {}
    with open(out, encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            if message["type"] == "RECORD":
                records += 1
            elif message["type"] == "STATE":
                state = message["value"]
    return records, state


os.makedirs(FOLDER, exist_ok=True)
state, catalogue, out = (os.path.join(FOLDER, name) for name in ("state.json", "catalog.json", "out.jsonl"))
vendor, program, config, discovered = {"hubspot": hubspot, "salesforce": salesforce}[CRM]()
if not os.path.exists(catalogue):
    written("catalog.json", selected(discovered()))
command = [
    sys.executable,
    POINTED,
    f"{vendor}={SIMULATOR}/{CRM}",
    program,
    "--config",
    written("config.json", config),
    "--properties",
    catalogue,
]
if os.path.exists(state):
    command += ["--state", state]
figures = measured.run(command, out, SIMULATOR)
figures["records"], last = told(out)
written("state.json", last)
print(json.dumps(figures))

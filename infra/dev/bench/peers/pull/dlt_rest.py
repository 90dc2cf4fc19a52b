"""dlt's `rest_api` source for HubSpot's contacts, into DuckDB; or nowhere, to see what reading alone takes.

    dlt_rest.py duckdb|nowhere <simulator> <folder>

The folder keeps dlt's state from one time to the next. One line of JSON tells what this time took.
"""

import json
import os
import sys

import measured

INTO, SIMULATOR, FOLDER = sys.argv[1:4]
TOKEN = measured.account(SIMULATOR, "hubspot")["private_app_token"]


def listed():
    """All contacts with all of their properties, page by page."""
    from dlt.sources.rest_api import rest_api_source

    with open(os.path.join(FOLDER, "properties.json"), encoding="utf-8") as file:
        properties = ",".join(json.load(file))
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{SIMULATOR}/hubspot/crm/v3/",
                "auth": {"type": "bearer", "token": TOKEN},
                "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"},
            },
            "resources": [
                {
                    "name": "contacts",
                    "endpoint": {
                        "path": "objects/contacts",
                        "params": {"limit": 100, "properties": properties},
                        "data_selector": "results",
                    },
                }
            ],
        }
    )
    return source.resources["contacts"]


def pull():
    """As a program of its own; its last line is the number of records."""
    import dlt

    if INTO == "nowhere":
        print(sum(1 for _ in listed()))
        return

    @dlt.resource(primary_key="id", write_disposition="merge")
    def contacts(updated=dlt.sources.incremental("updatedAt")):
        # The list has no filter: what was seen before is read again and left out, which is more than dlt's own HubSpot source does.
        yield from listed()

    pipeline = dlt.pipeline(
        pipeline_name="contacts",
        pipelines_dir=os.path.join(FOLDER, "pipelines"),
        destination=dlt.destinations.duckdb(os.path.join(FOLDER, "contacts.duckdb")),
        dataset_name="hubspot",
    )
    pipeline.run(contacts)
    print(pipeline.last_trace.last_normalize_info.row_counts.get("contacts", 0))


def discovered():
    """The names of all properties, once."""
    import requests

    answer = requests.get(
        f"{SIMULATOR}/hubspot/crm/v3/properties/contacts", headers={"authorization": f"Bearer {TOKEN}"}, timeout=60
    )
    answer.raise_for_status()
    return [one["name"] for one in answer.json()["results"]]


def main():
    os.makedirs(FOLDER, exist_ok=True)
    properties, out = (os.path.join(FOLDER, name) for name in ("properties.json", "out.txt"))
    if not os.path.exists(properties):
        with open(properties, "w", encoding="utf-8") as file:
            json.dump(discovered(), file)
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    command = [sys.executable, os.path.abspath(__file__), INTO, SIMULATOR, FOLDER, "pull"]
    figures = measured.run(command, out, SIMULATOR)
    with open(out, encoding="utf-8") as file:
        figures["records"] = int(file.read().split()[-1])
    print(json.dumps(figures))


pull() if sys.argv[4:] == ["pull"] else main()

"""Records pushed by the vendors' clients as integrations usually do it: for each a search, and then an update or a create.

    upserts.py hubspot|salesforce <simulator> <number>

Every other record is there already. No more than HubSpot's five searches in a second are asked for; where they come too close together all the
same, the refused one is asked again a second later.
One line of JSON tells what it took.
"""

import json
import os
import sys
import tempfile
import time

import measured

CRM, SIMULATOR, NUMBER = sys.argv[1:4]
# A little more than a fifth of a second, lest a sixth search falls into one.
BETWEEN_SEARCHES_S = 0.21


def people():
    for n in range(int(NUMBER)):
        email = f"person{n}@example.com" if n % 2 else f"somebody{n}@example.com"
        yield {"email": email, "firstname": f"Given{n}", "lastname": f"Family{n}", "company": "Company", "phone": f"+1415{n:07}"}


def hubspot(account):
    from hubspot import HubSpot
    from hubspot.crm.contacts import (
        ApiException,
        PublicObjectSearchRequest,
        SimplePublicObjectInput,
        SimplePublicObjectInputForCreate,
    )

    client = HubSpot(access_token=account["private_app_token"])
    contacts, finding = client.crm.contacts.basic_api, client.crm.contacts.search_api
    for api in (contacts, finding):
        api.api_client.configuration.host = f"{SIMULATOR}/hubspot"

    def patiently(search):
        while True:
            try:
                return finding.do_search(public_object_search_request=search)
            except ApiException as refused:
                if refused.status != 429:
                    raise
                time.sleep(1)

    def upsert(person):
        by_email = {"propertyName": "email", "operator": "EQ", "value": person["email"]}
        search = PublicObjectSearchRequest(filter_groups=[{"filters": [by_email]}], properties=["email"], limit=1)
        found = patiently(search).results
        if found:
            contacts.update(found[0].id, SimplePublicObjectInput(properties=person))
        else:
            contacts.create(SimplePublicObjectInputForCreate(properties=person, associations=[]))

    return upsert, BETWEEN_SEARCHES_S


def salesforce(account):
    import requests
    from simple_salesforce import Salesforce

    form = {key: account[key] for key in ("client_id", "client_secret", "refresh_token")}
    token = requests.post(
        f"{SIMULATOR}/salesforce/services/oauth2/token", data={"grant_type": "refresh_token", **form}, timeout=60
    ).json()
    client = Salesforce(session_id=token["access_token"], instance_url="https://instance.example")
    client.base_url = client.base_url.replace("https://instance.example", f"{SIMULATOR}/salesforce")
    leads = client.Lead
    leads.base_url = leads.base_url.replace("https://instance.example", f"{SIMULATOR}/salesforce")

    def upsert(person):
        lead = {
            "Email": person["email"],
            "FirstName": person["firstname"],
            "LastName": person["lastname"],
            "Company": person["company"],
            "Phone": person["phone"],
        }
        found = client.query(f"SELECT Id FROM Lead WHERE Email = '{person['email']}' LIMIT 1")["records"]
        if found:
            leads.update(found[0]["Id"], lead)
        else:
            leads.create(lead)

    return upsert, 0


def push():
    upsert, pause = {"hubspot": hubspot, "salesforce": salesforce}[CRM](measured.account(SIMULATOR, CRM))
    pushed, due = 0, time.monotonic()
    for person in people():
        time.sleep(max(0, due - time.monotonic()))
        due = time.monotonic() + pause
        upsert(person)
        pushed += 1
    print(pushed)


def main():
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.txt")
        figures = measured.run([sys.executable, os.path.abspath(__file__), *sys.argv[1:4], "push"], out, SIMULATOR)
        with open(out, encoding="utf-8") as file:
            figures["records"] = int(file.read())
    print(json.dumps(figures))


push() if sys.argv[4:] == ["push"] else main()

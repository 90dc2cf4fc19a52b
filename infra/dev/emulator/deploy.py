"""Deploys template.yaml to the emulator, and does what the emulator leaves undone.

Input: JSON on stdin {template, dist, parameters, without: number of a grant to leave out}. Output: JSON on stdout {outputs, functions}.
"""

import io
import json
import os
import sys
import time
import zipfile

import gaps
import grants
import template as source
from aws import EMULATOR, STACK, client, note, resources, run

BUCKET = "deployment"


def main():
    request = json.load(sys.stdin)
    template = source.load(request["template"])
    if (number := request.get("without")) is not None:
        grants.take_away(template, number)
    upload_code(template, request["dist"])
    gaps.allow_batches(template)
    gaps.leave_out(template)
    parameters = request["parameters"]
    note("creating the stack")
    settle(client("cloudformation").create_stack, template, parameters)
    deployed = resources()
    # The API's address is what HubSpot signs, and where people log in; here it is known only once the API exists.
    api = f"{EMULATOR['endpoint']}/_aws/execute-api/{deployed['Api']}"
    note("telling the functions the API's address")
    settle(client("cloudformation").update_stack, template, parameters | {"PublicUrl": api, "DashboardUrl": control(deployed) or ""})
    gaps.close(template, deployed, parameters)
    json.dump(
        {
            "api": api,
            "control": control(deployed),
            "outputs": outputs(),
            "functions": {binary: deployed[logical] for logical, (binary, _) in source.functions(template).items() if logical in deployed},
        },
        sys.stdout,
    )


def control(deployed):
    """Where the control API is, if there is one."""
    return f"{EMULATOR['endpoint']}/_aws/execute-api/{deployed['ControlApi']}" if "ControlApi" in deployed else None


def upload_code(template, dist):
    """Puts each function's zip into S3, and points its CodeUri there, as `sam package` would."""
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for logical, (binary, properties) in source.functions(template).items():
        note(f"uploading {binary}")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.write(os.path.join(dist, binary, "bootstrap"), "bootstrap")
        s3.put_object(Bucket=BUCKET, Key=f"{binary}.zip", Body=packed.getvalue())
        properties["CodeUri"] = {"Bucket": BUCKET, "Key": f"{binary}.zip"}


def uploaded(template):
    """Where the template is, as `sam deploy` leaves it: inline it may have no more than 51,200 characters (CloudFormation quotas)."""
    client("s3").put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(template, default=str).encode())
    return f"{EMULATOR['endpoint']}/{BUCKET}/template.json"


def settle(change, template, parameters):
    """Creates or updates the stack, and waits for the end of it."""
    change(
        StackName=STACK,
        TemplateURL=uploaded(template),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    deadline = time.monotonic() + 180
    while (status := stack()["StackStatus"]).endswith("IN_PROGRESS"):
        if time.monotonic() > deadline:
            sys.exit(f"the stack is still {status} after three minutes")
        time.sleep(0.2)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        sys.exit("\n".join([f"the stack ended as {status}", *failures()]))


def stack():
    return client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]


def outputs():
    return {o["OutputKey"]: o["OutputValue"] for o in stack().get("Outputs", [])}


def failures():
    """What CloudFormation says of each resource that failed, first failure first."""
    events = client("cloudformation").describe_stack_events(StackName=STACK)["StackEvents"]
    return [
        f"{e['LogicalResourceId']} ({e['ResourceType']}): {e.get('ResourceStatusReason', 'no reason given')}"
        for e in reversed(events)
        if e["ResourceStatus"].endswith("FAILED")
    ]


if __name__ == "__main__":
    run(main)

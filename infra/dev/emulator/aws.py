"""Clients of the emulator that `cargo dev up` started; where it listens is in target/dev/emulator.json."""

import json
import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

DEV = os.environ["DEV_DIR"]
with open(os.path.join(DEV, "emulator.json"), encoding="utf-8") as _file:
    EMULATOR = json.load(_file)
STACK = EMULATOR["stack"]


def client(service, key=EMULATOR["access_key_id"], secret=EMULATOR["secret_access_key"]):
    return boto3.client(
        service,
        endpoint_url=EMULATOR["endpoint"],
        region_name=EMULATOR["region"],
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 2}, read_timeout=90, s3={"addressing_style": "path"}),
    )


def resources():
    """{logical id: physical id} of the deployed stack."""
    pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
    return {
        r["LogicalResourceId"]: r["PhysicalResourceId"]
        for page in pages
        for r in page["StackResourceSummaries"]
    }


def run(main, *arguments):
    """Runs a script; what the emulator refuses, or its absence, is told in one line."""
    try:
        main(*arguments)
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def note(text):
    """One line of progress; `cargo dev` shows the last one."""
    print(text, file=sys.stderr, flush=True)

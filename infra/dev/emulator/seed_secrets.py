"""Puts secrets into the emulator: JSON {name: value} on stdin; prints how many as JSON."""

import json
import sys

from aws import client, note, run


def main():
    secrets, wanted = client("secretsmanager"), json.load(sys.stdin)
    for name, value in wanted.items():
        note(name)
        try:
            secrets.create_secret(Name=name, SecretString=json.dumps(value))
        except secrets.exceptions.ResourceExistsException:
            secrets.put_secret_value(SecretId=name, SecretString=json.dumps(value))
    json.dump(len(wanted), sys.stdout)


if __name__ == "__main__":
    run(main)

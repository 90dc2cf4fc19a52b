"""Starts an installed program, unchanged, with every call to a vendor's host going to the simulator instead.

    pointed.py https://api.hubapi.com=http://127.0.0.1:1234/hubspot module:function [argument …]
"""

import importlib
import sys

from requests.adapters import HTTPAdapter

VENDOR, SIMULATOR = sys.argv[1].split("=", 1)
MODULE, FUNCTION = sys.argv[2].split(":")
send = HTTPAdapter.send


def send_there(self, request, *arguments, **options):
    if request.url.startswith(VENDOR):
        request.url = SIMULATOR + request.url[len(VENDOR) :]
    return send(self, request, *arguments, **options)


HTTPAdapter.send = send_there
sys.argv = [MODULE, *sys.argv[3:]]
getattr(importlib.import_module(MODULE), FUNCTION)()

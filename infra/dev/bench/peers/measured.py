"""Runs a program to its end, as whoever schedules it would, and tells what that took: it, and the CRM."""

import json
import os
import sys
import time
import urllib.request


def run(command, out, simulator):
    """What it prints goes into the file `out`, and what it logs into a file beside, which costs it less than any pipe.

    Seconds from start to end, processor time, the peak memory of the largest of its processes, its calls of the CRM by routes.
    """
    calls(simulator)
    log = f"{out}.log"
    begun = time.perf_counter()
    child = os.fork()
    if child == 0:
        for stream, file in ((1, out), (2, log)):
            os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), stream)
        os.execv(command[0], command)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - begun
    if status != 0:
        for file in (out, log):
            with open(file, encoding="utf-8", errors="replace") as text:
                sys.stderr.write(text.read()[-2000:])
        sys.exit(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    peak = usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
    cpu = usage.ru_utime + usage.ru_stime
    return {"seconds": seconds, "cpu_s": cpu, "peak_kb": peak, "calls": calls(simulator)}


def calls(simulator):
    """Those that the simulator has counted since this was last asked."""
    with urllib.request.urlopen(f"{simulator}/_sim/calls?reset=1") as answer:
        counted = json.load(answer)
    return {route: count for routes in counted.values() for route, count in routes.items()}


def account(simulator, crm):
    """What an app needs to know to get into the simulated account."""
    with urllib.request.urlopen(f"{simulator}/_sim/accounts") as answer:
        return next(account for account in json.load(answer) if account["crm"] == crm)

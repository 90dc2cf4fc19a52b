"""The same decisions as `tests/bench/src/main.rs`, as one would write them with Jinja2: rules from the same file, compiled once."""

import json
import sys
import time

from jinja2 import Environment


def compiled(rules):
    env = Environment()
    env.globals["SUM"] = lambda *of: sum(n for n in of if isinstance(n, (int, float)))
    for rule in rules:
        source = rule.get("formula")
        if source and "{{" in source:
            template = env.from_string(source)
            rule["compute"] = lambda hub, template=template: template.render(hub)
        elif source:
            expression = env.compile_expression(source)
            rule["compute"] = lambda hub, expression=expression: expression(**hub)
        rule["back"] = {theirs: ours for ours, theirs in rule.get("values", {}).items()}
    return rules


def render(rules, hub):
    wanted = {}
    for rule in rules:
        if "compute" in rule:
            wanted[rule["remote"]] = rule["compute"](hub)
        elif rule["hub"] in hub:
            value = hub[rule["hub"]]
            wanted[rule["remote"]] = rule.get("values", {}).get(value, value)
    return wanted


def decide(rules, row):
    """What the hub takes over from the CRM, and what the CRM lacks then."""
    hub, agreed, taken = dict(row["hub"]), dict(row["agreed"]), 0
    for rule in rules:
        remote = rule["remote"]
        ours, theirs = agreed.get(remote, (None, None))
        shown = row["shown"].get(remote)
        if "compute" in rule or shown == theirs:
            continue
        value = rule["back"].get(shown, shown)
        if hub.get(rule["hub"]) != value:
            hub[rule["hub"]] = value
            taken += 1
        agreed[remote] = (shown, shown)
    lacking = sum(1 for remote, value in render(rules, hub).items() if agreed.get(remote, (None,))[0] != value)
    return lacking, taken


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    rules, rows = compiled(data["mapping"]["rules"]), data["rows"]

    def everything():
        lacking = taken = 0
        for row in rows:
            more, moved = decide(rules, row)
            lacking, taken = lacking + more, taken + moved
        return lacking, taken

    seconds = []
    for _ in range(int(sys.argv[2])):
        begun = time.perf_counter()
        everything()
        seconds.append(time.perf_counter() - begun)
    lacking, taken = everything()
    print(json.dumps({"records": len(rows), "seconds": seconds, "lacking": lacking, "taken": taken}))


main()

"""template.yaml as plain data, and the copy of it that the emulator is given."""

import yaml


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags (!Ref, !Sub, …) into their long form."""


def _tag(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", _tag)


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


def functions(template):
    """{logical id: (binary's name, properties)} of every function."""
    return {
        logical: (resource["Metadata"]["BuildProperties"]["Binary"], resource["Properties"])
        for logical, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def http_routes(template):
    """(function's logical id, its API's, route key, whether anybody may come) of every HttpApi event."""
    for logical, (_, properties) in functions(template).items():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "HttpApi":
                route = event["Properties"]
                is_open = route.get("Auth", {}).get("Authorizer") == "NONE"
                yield logical, route["ApiId"]["Ref"], f"{route['Method'].upper()} {route['Path']}", is_open


def authorizers(template):
    """(API's logical id, name, properties) of every JWT authorizer that the routes of an API have if they name none."""
    for logical, resource in template["Resources"].items():
        auth = resource.get("Properties", {}).get("Auth", {}) if resource["Type"] == "AWS::Serverless::HttpApi" else {}
        if name := auth.get("DefaultAuthorizer"):
            yield logical, name, auth["Authorizers"][name]


def tables_with_ttl(template):
    """(table's logical id, TTL specification)."""
    for logical, resource in template["Resources"].items():
        if spec := resource["Properties"].get("TimeToLiveSpecification"):
            yield logical, spec

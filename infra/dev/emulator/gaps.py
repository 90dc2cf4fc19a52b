"""Where the emulator does less than AWS does with the same template (MiniStack 1.5.33), the rest is done here.

AWS is right: what differs is bent here, never in template.yaml.
"""

import template as source
from aws import EMULATOR, client, note


# On AWS a batch call is allowed by the action of its single call; IAM knows no others.
BATCH_ACTIONS = {f"sqs:{call}": f"sqs:{call}Batch" for call in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")}


def allow_batches(node):
    """The emulator demands actions for SQS's batch calls that IAM does not have: adds them beside the real ones."""
    if isinstance(node, dict):
        if "Effect" in node and "Action" in node:
            actions = [node["Action"]] if isinstance(node["Action"], str) else node["Action"]
            node["Action"] = actions + [BATCH_ACTIONS[action] for action in actions if action in BATCH_ACTIONS]
        for value in node.values():
            allow_batches(value)
    elif isinstance(node, list):
        for value in node:
            allow_batches(value)


# CloudFormation knows none of them there, and nothing depends on them.
UNKNOWN = {"AWS::Logs::QueryDefinition"}


def leave_out(template):
    """Takes what the emulator cannot make out of the template."""
    known = {name: resource for name, resource in template["Resources"].items() if resource["Type"] not in UNKNOWN}
    template["Resources"] = known


def close(template, deployed, parameters):
    note("routes, expiry, concurrency")
    _routes(template, deployed, _authorizers(template, deployed, parameters))
    _expiry(template, deployed)
    _functions(template, deployed)


def _authorizers(template, deployed, parameters):
    """The same is so of authorizers: {API's logical id: what each of its routes has}."""
    gateway, made = client("apigatewayv2"), {}
    said = {name: given.get("Default") for name, given in template["Parameters"].items()} | parameters
    for api, name, properties in source.authorizers(template):
        if api not in deployed:
            continue
        jwt = properties["JwtConfiguration"]
        authorizer = gateway.create_authorizer(
            ApiId=deployed[api],
            Name=name,
            AuthorizerType="JWT",
            IdentitySource=[properties["IdentitySource"]],
            JwtConfiguration={"Issuer": said[jwt["issuer"]["Ref"]], "Audience": [said[one["Ref"]] for one in jwt["audience"]]},
        )
        made[api] = {"AuthorizationType": "JWT", "AuthorizerId": authorizer["AuthorizerId"]}
    return made


def _routes(template, deployed, authorizers):
    """CloudFormation ignores `Body` of an HTTP API, which is where SAM puts every route."""
    gateway = client("apigatewayv2")
    for logical, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::HttpApi" and logical in deployed:
            for route in gateway.get_routes(ApiId=deployed[logical])["Items"]:
                gateway.delete_route(ApiId=deployed[logical], RouteId=route["RouteId"])
    for logical, of, key, is_open in source.http_routes(template):
        if of not in deployed:
            continue
        api = deployed[of]
        integration = gateway.create_integration(
            ApiId=api,
            IntegrationType="AWS_PROXY",
            IntegrationMethod="POST",
            IntegrationUri=f"arn:aws:lambda:{EMULATOR['region']}:000000000000:function:{deployed[logical]}",
            PayloadFormatVersion="2.0",
        )
        gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration['IntegrationId']}", **({} if is_open else authorizers.get(of, {})))


def _expiry(template, deployed):
    """CloudFormation ignores TimeToLiveSpecification."""
    dynamodb = client("dynamodb")
    for logical, spec in source.tables_with_ttl(template):
        dynamodb.update_time_to_live(TableName=deployed[logical], TimeToLiveSpecification=spec)


def _functions(template, deployed):
    """CloudFormation ignores RecursiveLoop."""
    lambdas = client("lambda")
    for logical, (_, properties) in source.functions(template).items():
        if recursive := properties.get("RecursiveLoop"):
            lambdas.put_function_recursion_config(FunctionName=deployed[logical], RecursiveLoop=recursive)

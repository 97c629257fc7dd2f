# Aliases: what they point to, how Invoke obeys them, what happens to them when things go.
import collections
import signal

from conftest import error_of, package

WAIT = {"Delay": 0.02, "MaxAttempts": 3000}
SAYS = "def handler(event, context):\n    return [%r, context.function_version, context.invoked_function_arn]\n"


def arn(server, name, qualifier):
    return f"arn:aws:lambda:us-east-1:000000000000:function:{name}:{qualifier}"


def publish(server, name, code):
    """Makes `code` the function's newest version, and returns its number."""
    server.client.update_function_code(FunctionName=name, ZipFile=package({"app.py": code}))
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    return server.client.publish_version(FunctionName=name)["Version"]


def two_versions(server, name):
    server.create(name, SAYS % "one")
    server.client.publish_version(FunctionName=name)
    publish(server, name, SAYS % "two")


def test_an_alias_moves_and_invocations_with_it(server, name):
    two_versions(server, name)
    created = server.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="what runs")
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (created["AliasArn"], created["FunctionVersion"]) == (arn(server, name, "live"), "1")
    assert "RoutingConfig" not in created
    for how in ({"FunctionName": name, "Qualifier": "live"}, {"FunctionName": f"{name}:live"}, {"FunctionName": created["AliasArn"]}):
        answer = server.invoke(how.pop("FunctionName"), **how)
        assert answer.succeeded() == ["one", "1", arn(server, name, "live")]
        assert answer.version == "1"
    updated = server.client.update_alias(FunctionName=name, Name="live", FunctionVersion="2", RevisionId=created["RevisionId"])
    assert updated["RevisionId"] != created["RevisionId"] and updated["Description"] == "what runs"
    assert server.invoke(name, Qualifier="live").succeeded()[:2] == ["two", "2"]
    assert server.client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "2"
    function = server.client.get_function(FunctionName=name, Qualifier="live")["Configuration"]
    assert (function["FunctionArn"], function["Version"]) == (arn(server, name, "live"), "2")
    assert error_of(server.client.update_alias, FunctionName=name, Name="live", RevisionId=created["RevisionId"])[:2] == (412, "PreconditionFailedException")


def test_invocations_are_divided_by_weight(server, name):
    two_versions(server, name)
    server.client.create_alias(
        FunctionName=name, Name="split", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"2": 0.3}})
    seen = collections.Counter(server.invoke(name, Qualifier="split").version for _ in range(300))
    # 90 are expected; a fair draw is outside of these bounds once in ten million runs.
    assert set(seen) == {"1", "2"} and 48 <= seen["2"] <= 135, seen
    server.client.update_alias(FunctionName=name, Name="split", RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}})
    assert {server.invoke(name, Qualifier="split").version for _ in range(20)} == {"2"}
    cleared = server.client.update_alias(FunctionName=name, Name="split", RoutingConfig={"AdditionalVersionWeights": {}})
    assert "RoutingConfig" not in cleared
    assert {server.invoke(name, Qualifier="split").version for _ in range(20)} == {"1"}


def test_refusals(server, name):
    two_versions(server, name)
    client = server.client
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    make = dict(FunctionName=name, Name="other", FunctionVersion="1")
    assert error_of(client.create_alias, **{**make, "Name": "live"}) == (409, "ResourceConflictException", f"Alias already exists: {arn(server, name, 'live')}")
    assert error_of(client.create_alias, **{**make, "FunctionVersion": "10"}) == (404, "ResourceNotFoundException", f"Function not found: {arn(server, name, '10')}")
    assert error_of(client.create_alias, **make, RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}}) == (
        400, "InvalidParameterValueException", "Invalid function version 1. Function version 1 is already included in routing configuration.")
    assert error_of(client.create_alias, **make, RoutingConfig={"AdditionalVersionWeights": {"2": 2}}) == (
        400, "ValidationException",
        "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: "
        "[Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]")
    assert error_of(client.create_alias, **{**make, "FunctionVersion": "$LATEST"}, RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})[2] == (
        "$LATEST is not supported for an alias pointing to more than 1 version")
    assert error_of(client.create_alias, **{**make, "Name": "2024"})[2] == (
        "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")
    assert error_of(client.get_alias, FunctionName=name, Name="none") == (404, "ResourceNotFoundException", f"Cannot find alias arn: {arn(server, name, 'none')}")
    assert error_of(client.update_alias, FunctionName=name, Name="none") == (404, "ResourceNotFoundException", f"Alias not found: {arn(server, name, 'none')}")
    assert error_of(client.invoke, FunctionName=name, Qualifier="none")[:2] == (404, "ResourceNotFoundException")
    status, code, message = error_of(client.delete_function, FunctionName=name, Qualifier="1")
    assert (status, code) == (409, "ResourceConflictException") and "live" in message


def test_deleting_an_alias_leaves_its_versions(server, name):
    two_versions(server, name)
    for alias in ("a", "b", "c"):
        server.client.create_alias(FunctionName=name, Name=alias, FunctionVersion="2" if alias == "c" else "1")
    listed = server.client.list_aliases(FunctionName=name)["Aliases"]
    assert [a["Name"] for a in listed] == ["a", "b", "c"]
    assert [a["Name"] for a in server.client.list_aliases(FunctionName=name, FunctionVersion="1")["Aliases"]] == ["a", "b"]
    pages = list(server.client.get_paginator("list_aliases").paginate(FunctionName=name, PaginationConfig={"PageSize": 2}))
    assert [[a["Name"] for a in page["Aliases"]] for page in pages] == [["a", "b"], ["c"]]
    for _ in range(2):
        assert server.client.delete_alias(FunctionName=name, Name="a")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert error_of(server.client.invoke, FunctionName=name, Qualifier="a")[0] == 404
    assert server.invoke(name, Qualifier="b").succeeded()[0] == "one"
    assert server.client.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    server.create(name, SAYS % "new")
    assert server.client.list_aliases(FunctionName=name)["Aliases"] == []


def test_aliases_survive_kill(own_server, name):
    server = own_server()
    two_versions(server, name)
    made = server.client.create_alias(
        FunctionName=name, Name="live", FunctionVersion="1", Description="d", RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}})
    server.stop(signal.SIGKILL)
    second = own_server(state=server.state)
    kept = second.client.get_alias(FunctionName=name, Name="live")
    assert {k: v for k, v in kept.items() if k != "ResponseMetadata"} == {k: v for k, v in made.items() if k != "ResponseMetadata"}

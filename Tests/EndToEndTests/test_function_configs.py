# What is configured beside a function, through the SDK: it is kept, listed, and gone with what it belongs to.
import re
import signal

from conftest import error_of

CODE = "def handler(event, context):\n    return event\n"


def shown(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def everything(client, name):
    """All that is configured for a function and its alias."""
    named, alias = {"FunctionName": name}, {"FunctionName": name, "Qualifier": "live"}
    return [shown(answer) for answer in (
        client.get_function_event_invoke_config(**named), client.get_function_event_invoke_config(**alias),
        client.list_function_event_invoke_configs(**named), client.get_function_url_config(**named),
        client.get_function_url_config(**alias), client.list_function_url_configs(**named),
        client.get_function_recursion_config(**named), client.get_runtime_management_config(**named),
        client.get_runtime_management_config(**named, Qualifier="1"))]


def configure(client, name):
    named = {"FunctionName": name}
    client.publish_version(**named)
    client.create_alias(**named, Name="live", FunctionVersion="1")
    queue = {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:q"}}}
    client.put_function_event_invoke_config(**named, MaximumRetryAttempts=0, **queue)
    client.update_function_event_invoke_config(**named, MaximumEventAgeInSeconds=60)
    client.put_function_event_invoke_config(**named, Qualifier="live", MaximumEventAgeInSeconds=21600)
    client.create_function_url_config(**named, AuthType="NONE")
    client.create_function_url_config(
        **named, Qualifier="live", AuthType="AWS_IAM", InvokeMode="RESPONSE_STREAM", Cors={"AllowOrigins": ["*"], "MaxAge": 5})
    client.update_function_url_config(**named, Cors={"AllowMethods": ["GET"]})
    client.put_function_recursion_config(**named, RecursiveLoop="Allow")
    client.put_runtime_management_config(**named, UpdateRuntimeOn="FunctionUpdate")
    version = client.get_function_configuration(**named)["RuntimeVersionConfig"]["RuntimeVersionArn"]
    client.put_runtime_management_config(**named, Qualifier="1", UpdateRuntimeOn="Manual", RuntimeVersionArn=version)


def test_configurations_survive_a_kill_and_go_with_the_function(own_server):
    server = own_server()
    server.create("f", CODE)
    configure(server.client, "f")
    before = everything(server.client, "f")
    assert before[0]["MaximumRetryAttempts"] == 0 and before[0]["MaximumEventAgeInSeconds"] == 60
    assert before[0]["DestinationConfig"]["OnSuccess"] == {} and before[0]["DestinationConfig"]["OnFailure"]["Destination"]
    assert before[4]["Cors"] == {"AllowOrigins": ["*"], "MaxAge": 5}
    server.stop(signal.SIGKILL)
    second = own_server(state=server.state)
    after = everything(second.client, "f")
    for a, b in zip(before, after):
        # The port is the new server's.
        assert re.sub(r":\d+/", "/", str(a)) == re.sub(r":\d+/", "/", str(b))
    address = after[3]["FunctionUrl"]
    assert re.fullmatch(rf"http://[a-z0-9]{{32}}\.lambda-url\.us-east-1\.localhost:{second.port}/", address)
    second.client.delete_function(FunctionName="f")
    second.create("f", CODE)
    client = second.client
    assert client.list_function_event_invoke_configs(FunctionName="f")["FunctionEventInvokeConfigs"] == []
    assert client.list_function_url_configs(FunctionName="f")["FunctionUrlConfigs"] == []
    assert client.get_function_recursion_config(FunctionName="f")["RecursiveLoop"] == "Terminate"
    assert shown(client.get_runtime_management_config(FunctionName="f"))["UpdateRuntimeOn"] == "Auto"
    assert error_of(client.get_function_url_config, FunctionName="f")[0] == 404


def test_an_alias_takes_its_own_along(server, name):
    server.create(name, CODE)
    client = server.client
    configure(client, name)
    client.delete_alias(FunctionName=name, Name="live")
    assert [c["FunctionArn"].rsplit(":", 1)[1] for c in client.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]] == ["$LATEST"]
    assert [c["FunctionArn"].rsplit(":", 1)[1] for c in client.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]] == [name]
    client.delete_function_event_invoke_config(FunctionName=name)
    client.delete_function_url_config(FunctionName=name)
    assert error_of(client.get_function_event_invoke_config, FunctionName=name)[0] == 404
    assert server.invoke(name, 1).succeeded() == 1


def test_scaling_is_for_capacity_providers(server, name):
    server.create(name, CODE)
    client = server.client
    client.publish_version(FunctionName=name)
    limits = {"FunctionScalingConfig": {"MinExecutionEnvironments": 1, "MaxExecutionEnvironments": 2}}
    for call, more in ((client.put_function_scaling_config, limits), (client.get_function_scaling_config, {})):
        assert error_of(call, FunctionName=name, Qualifier="1", **more)[:2] == (400, "InvalidParameterValueException")
        assert error_of(call, FunctionName=name, Qualifier="2", **more)[:2] == (404, "ResourceNotFoundException")

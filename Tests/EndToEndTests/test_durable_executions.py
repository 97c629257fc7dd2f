# Durable executions: requests are checked as AWS checks them, then each operation says that it is not built.
import pytest

from conftest import error_of

EXECUTION = "arn:aws:lambda:us-east-1:000000000000:function:f:1/durable-execution/order-7/0123-abc"
CALLBACK = "Ab+/c9=="
UPDATE = {"Id": "step-1", "Type": "STEP", "Action": "START"}

#: {operation: the arguments of a valid call}
OPERATIONS = {
    "checkpoint_durable_execution": {"DurableExecutionArn": EXECUTION, "CheckpointToken": "dG9rZW4=", "Updates": [UPDATE]},
    "delete_durable_execution": {"DurableExecutionArn": EXECUTION},
    "get_durable_execution": {"DurableExecutionArn": EXECUTION, "IncludeExecutionData": True},
    "get_durable_execution_history": {"DurableExecutionArn": EXECUTION, "MaxItems": 1000, "ReverseOrder": True},
    "get_durable_execution_state": {"DurableExecutionArn": EXECUTION, "CheckpointToken": "dG9rZW4=", "MaxItems": 0},
    "pause_durable_execution": {"DurableExecutionArn": EXECUTION, "Reason": "lunch", "ClientToken": "t"},
    "resume_durable_execution": {"DurableExecutionArn": EXECUTION, "Reason": "lunch is over"},
    "stop_durable_execution": {"DurableExecutionArn": EXECUTION, "Error": {"ErrorMessage": "m", "StackTrace": ["a", "b"]}},
    "send_durable_execution_callback_success": {"CallbackId": CALLBACK, "Result": b"any \xff bytes"},
    "send_durable_execution_callback_failure": {"CallbackId": CALLBACK, "Error": {"ErrorType": "t"}},
    "send_durable_execution_callback_heartbeat": {"CallbackId": CALLBACK}}
ON_EXECUTIONS = sorted(name for name, arguments in OPERATIONS.items() if "DurableExecutionArn" in arguments)
ON_CALLBACKS = sorted(set(OPERATIONS) - set(ON_EXECUTIONS))


def test_there_are_no_others(server):
    methods = {name for name in dir(server.client) if "durable_execution" in name}
    assert methods == set(OPERATIONS) | {"list_durable_executions_by_function"}


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_a_valid_call_is_told_that_the_operation_is_not_built(server, operation):
    status, code, text = error_of(getattr(server.client, operation), **OPERATIONS[operation])
    model = "".join(part.title() for part in operation.split("_"))
    assert (status, code) == (501, "NotImplementedException") and model in text and "UNIMPLEMENTED.txt" in text


@pytest.mark.parametrize("operation", ["stop_durable_execution", "send_durable_execution_callback_failure",
                                       "send_durable_execution_callback_success", "pause_durable_execution"])
def test_what_is_optional_can_be_left_out(server, operation):
    (key,) = {"DurableExecutionArn", "CallbackId"} & set(OPERATIONS[operation])
    assert error_of(getattr(server.client, operation), **{key: OPERATIONS[operation][key]})[0] == 501


@pytest.mark.parametrize("arn", [
    "f", EXECUTION.replace(":1/", "/"), EXECUTION.replace(":1/", ":live/"), EXECUTION + "/more", EXECUTION.replace("order-7", "order 7"),
    EXECUTION.replace("000000000000", "1"), EXECUTION.replace(":1/", ":$LATEST.x/"), EXECUTION + "x" * 1024])
@pytest.mark.parametrize("operation", ON_EXECUTIONS)
def test_a_wrong_arn_is_refused(server, operation, arn):
    status, code, text = error_of(getattr(server.client, operation), **{**OPERATIONS[operation], "DurableExecutionArn": arn})
    assert (status, code) == (400, "ValidationException") and "at 'durableExecutionArn' failed to satisfy constraint: " in text


@pytest.mark.parametrize("qualifier", ["$LATEST", "$LATEST.PUBLISHED", "123"])
def test_executions_of_every_kind_of_version_can_be_named(server, qualifier):
    arn = EXECUTION.replace(":1/", f":{qualifier}/")
    assert error_of(server.client.get_durable_execution, DurableExecutionArn=arn)[0] == 501


@pytest.mark.parametrize("callback", ["a-b", "a=b", "a===", "x" * 1025])
@pytest.mark.parametrize("operation", ON_CALLBACKS)
def test_a_wrong_callback_is_refused(server, operation, callback):
    status, code, text = error_of(getattr(server.client, operation), **{**OPERATIONS[operation], "CallbackId": callback})
    assert (status, code) == (400, "ValidationException") and "at 'callbackId' failed to satisfy constraint: " in text


@pytest.mark.parametrize("operation, change, at", [
    ("checkpoint_durable_execution", {"CheckpointToken": None}, "null at 'checkpointToken'"),
    ("checkpoint_durable_execution", {"CheckpointToken": "not base 64"}, "'checkpointToken'"),
    ("checkpoint_durable_execution", {"ClientToken": "a b"}, "'clientToken'"),
    ("checkpoint_durable_execution", {"Updates": [UPDATE, {**UPDATE, "Id": "a b"}]}, "'updates.2.member.id'"),
    ("checkpoint_durable_execution", {"Updates": [{**UPDATE, "Type": "NAP"}]}, "'updates.1.member.type'"),
    ("checkpoint_durable_execution", {"Updates": [{**UPDATE, "Action": "JUMP"}]}, "'updates.1.member.action'"),
    ("checkpoint_durable_execution", {"Updates": [{"Type": "STEP", "Action": "START"}]}, "null at 'updates.1.member.id'"),
    ("checkpoint_durable_execution", {"Updates": [{**UPDATE, "WaitOptions": {"WaitSeconds": 0}}]}, "waitOptions.waitSeconds'"),
    ("checkpoint_durable_execution", {"Updates": [{**UPDATE, "ChainedInvokeOptions": {}}]}, "chainedInvokeOptions.functionName'"),
    ("get_durable_execution_history", {"MaxItems": 1001}, "'maxItems'"),
    ("get_durable_execution_state", {"CheckpointToken": "?"}, "'checkpointToken'"),
    ("get_durable_execution_state", {"MaxItems": -1}, "'maxItems'"),
    ("pause_durable_execution", {"Reason": "x" * 1025}, "'reason'"),
    ("pause_durable_execution", {"ClientToken": "ü"}, "'clientToken'"),
    ("resume_durable_execution", {"ClientToken": "x" * 65}, "'clientToken'"),
    ("send_durable_execution_callback_success", {"Result": bytes(1_048_577)}, "'result'"),
], ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_refused(server, operation, change, at):
    arguments = {key: value for key, value in {**OPERATIONS[operation], **change}.items() if value is not None}
    status, code, text = error_of(getattr(server.client, operation), **arguments)
    assert (status, code) == (400, "ValidationException") and at in text, text


def test_several_violations_come_at_once(server):
    _, _, text = error_of(
        server.client.checkpoint_durable_execution, DurableExecutionArn="f", CheckpointToken="?", Updates=[{**UPDATE, "Type": "NAP"}])
    assert text.startswith("3 validation errors detected: "), text


def test_a_function_has_none(server, name):
    server.create(name, "def handler(event, context):\n    return 1\n")
    client = server.client
    for more in ({}, {"Qualifier": "$LATEST"}, {"Statuses": ["RUNNING", "FAILED"], "DurableExecutionName": "order-7", "MaxItems": 5}):
        answer = client.list_durable_executions_by_function(FunctionName=name, **more)
        assert answer["DurableExecutions"] == [] and "NextMarker" not in answer
    assert error_of(client.list_durable_executions_by_function, FunctionName=name, Qualifier="7")[:2] == (404, "ResourceNotFoundException")
    assert error_of(client.list_durable_executions_by_function, FunctionName=name + "-absent") == (
        404, "ResourceNotFoundException", f"Function not found: arn:aws:lambda:us-east-1:000000000000:function:{name}-absent")
    for wrong in ({"Statuses": ["ASLEEP"]}, {"Statuses": ["RUNNING"] * 11}, {"MaxItems": 1001}, {"DurableExecutionName": "a b"}):
        assert error_of(client.list_durable_executions_by_function, FunctionName=name, **wrong)[:2] == (400, "ValidationException"), wrong


def test_streamed_and_old_invocations_say_what_is_missing(server, name):
    """InvokeWithResponseStream and InvokeAsync look at their request before they do anything else."""
    server.create(name, "def handler(event, context):\n    return 1\n")
    client = server.client
    assert client.invoke_with_response_stream(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    for call, payload in ((client.invoke_with_response_stream, "Payload"), (client.invoke_async, "InvokeArgs")):
        assert error_of(call, FunctionName=name + "-absent", **{payload: b"{}"})[:2] == (404, "ResourceNotFoundException")
        assert error_of(call, FunctionName=name, **{payload: b"{"})[:2] == (400, "InvalidRequestContentException")
    assert error_of(client.invoke_with_response_stream, FunctionName=name, Payload=b"{}")[:2] == (501, "NotImplementedException")
    assert client.invoke_async(FunctionName=name, InvokeArgs=b"{}")["Status"] == 202
    assert error_of(client.invoke_with_response_stream, FunctionName=name, InvocationType="Event")[:2] == (400, "ValidationException")
    assert error_of(client.invoke_async, FunctionName=name, InvokeArgs=b'"' + b"x" * 300_000 + b'"')[0] == 413

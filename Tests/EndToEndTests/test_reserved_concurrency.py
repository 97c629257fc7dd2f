# Reserved and provisioned concurrency: what they demand of each other and of the account, and how invocations obey them.
import concurrent.futures
import signal
import threading

from conftest import error_of, package, running_programs, wait_until

WAIT = {"Delay": 0.02, "MaxAttempts": 3000}
PROBE = ("import os, time\nstarted = os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
         "def handler(event, context):\n    time.sleep((event or {}).get('sleep', 0))\n"
         "    return [started, context.log_stream_name, context.function_version]\n")


def published(server, name, code=PROBE, **settings):
    server.create(name, code, **settings)
    return server.client.publish_version(FunctionName=name)["Version"]


def level(server, name, qualifier):
    found = server.client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
    return (found["Status"], found["AllocatedProvisionedConcurrentExecutions"], found["AvailableProvisionedConcurrentExecutions"])


def throttled(call, **arguments):
    status, code, message = error_of(call, **arguments)
    return (status, code, message) == (429, "TooManyRequestsException", "Rate Exceeded.")


def test_a_reservation_is_obeyed(server, name):
    server.create(name, PROBE, Timeout=30)
    assert "ReservedConcurrentExecutions" not in server.client.get_function_concurrency(FunctionName=name)
    assert server.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)["ReservedConcurrentExecutions"] == 0
    assert throttled(server.client.invoke, FunctionName=name)
    server.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    assert server.client.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 1}
    server.invoke(name)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(admitted, server, name, {"sleep": 1.5})
        try:
            wait_until(lambda: throttled_now(server, name), 5, "the one unit to be taken")
        finally:
            running.result().succeeded()
    server.client.delete_function_concurrency(FunctionName=name)
    assert server.client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions") is None
    server.invoke(name).succeeded()


def admitted(server, name, event):
    """The probes below take the one unit as well, each for a moment."""
    while True:
        try:
            return server.invoke(name, event)
        except server.client.exceptions.TooManyRequestsException:
            pass


def test_one_caller_after_another_is_not_refused(server, name):
    """The runtime of the invocation before need not be back already."""
    server.create(name, PROBE)
    server.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    assert [server.invoke(name).error for _ in range(200)] == [None] * 200


def throttled_now(server, name):
    try:
        server.client.invoke(FunctionName=name)
        return False
    except server.client.exceptions.TooManyRequestsException as error:
        assert error.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
        return True


def test_reservations_and_the_account(own_server, name):
    server = own_server("--concurrency", "150")
    client = server.client
    server.create(name, PROBE)
    server.create(f"{name}-b", PROBE)
    settings = client.get_account_settings()["AccountLimit"]
    assert (settings["ConcurrentExecutions"], settings["UnreservedConcurrentExecutions"]) == (150, 150)
    message = "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100]."
    assert error_of(client.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=51) == (400, "InvalidParameterValueException", message)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=50)
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 100
    assert error_of(client.put_function_concurrency, FunctionName=f"{name}-b", ReservedConcurrentExecutions=1)[2] == message
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=49)
    client.put_function_concurrency(FunctionName=f"{name}-b", ReservedConcurrentExecutions=1)
    assert error_of(client.put_function_concurrency, FunctionName=f"{name}:1", ReservedConcurrentExecutions=1)[2] == (
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
        "Please specify either a function name or an unqualified function ARN.")
    client.delete_function(FunctionName=name)
    server.stop(signal.SIGKILL)
    second = own_server("--concurrency", "150", state=server.state)
    assert second.client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 149
    assert second.client.get_function_concurrency(FunctionName=f"{name}-b")["ReservedConcurrentExecutions"] == 1


def test_provisioned_environments_exist_before_the_status_says_so(server, name):
    version = published(server, name)
    before = len(running_programs(server))
    put = server.client.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=2)
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (put["Status"], put["RequestedProvisionedConcurrentExecutions"], put["AllocatedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 2, 0)
    wait_until(lambda: level(server, name, version)[0] == "READY", 20)
    assert level(server, name, version) == ("READY", 2, 2)
    assert len(running_programs(server)) >= before + 2
    answer = server.invoke(name, Qualifier=version)
    assert answer.succeeded()[0] == "provisioned-concurrency"
    assert "Init Duration" not in answer.log or "INIT" not in answer.log
    barrier = threading.Barrier(3)

    def call(_):
        barrier.wait()
        return server.invoke(name, {"sleep": 1}, Qualifier=version).succeeded()[:2]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        seen = list(pool.map(call, range(3)))
    assert sorted(kind for kind, _ in seen) == ["on-demand", "provisioned-concurrency", "provisioned-concurrency"], "the third spills over"
    assert server.invoke(name).succeeded()[0] == "on-demand", "$LATEST has none"
    listed = server.client.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    assert [c["FunctionArn"].rsplit(":", 1)[1] for c in listed] == [version]
    server.client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier=version)
    assert error_of(server.client.get_provisioned_concurrency_config, FunctionName=name, Qualifier=version) == (
        404, "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function")


def test_provisioned_concurrency_moves_with_its_alias(server, name):
    first = published(server, name)
    server.client.create_alias(FunctionName=name, Name="live", FunctionVersion=first)
    server.client.put_provisioned_concurrency_config(FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=1)
    wait_until(lambda: level(server, name, "live")[0] == "READY", 20)
    one = server.invoke(name, Qualifier="live").succeeded()
    server.client.update_function_code(FunctionName=name, ZipFile=package({"app.py": PROBE + "# changed\n"}))
    server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=WAIT)
    second = server.client.publish_version(FunctionName=name)["Version"]
    server.client.update_alias(FunctionName=name, Name="live", FunctionVersion=second)
    wait_until(lambda: level(server, name, "live")[0] == "READY", 20)
    two = server.invoke(name, Qualifier="live").succeeded()
    assert (one[0], one[2], two[0], two[2]) == ("provisioned-concurrency", first, "provisioned-concurrency", second)
    assert error_of(server.client.put_provisioned_concurrency_config, FunctionName=name, Qualifier=second, ProvisionedConcurrentExecutions=1) == (
        409, "ResourceConflictException", "Version is pointed by a Provisioned Concurrency alias")
    server.client.create_alias(FunctionName=name, Name="other", FunctionVersion=second)
    assert error_of(server.client.put_provisioned_concurrency_config, FunctionName=name, Qualifier="other", ProvisionedConcurrentExecutions=1) == (
        409, "ResourceConflictException", "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
    server.client.delete_alias(FunctionName=name, Name="live")
    assert error_of(server.client.get_provisioned_concurrency_config, FunctionName=name, Qualifier="live")[2].startswith("Cannot find alias arn: ")


def test_provisioned_concurrency_is_kept_at_its_level(server, name):
    version = published(server, name, PROBE.replace("    time.sleep", "    if event.get('die'):\n        os._exit(3)\n    time.sleep"))
    server.client.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=1)
    wait_until(lambda: level(server, name, version)[0] == "READY", 20)
    dead = server.invoke(name, Qualifier=version).succeeded()[1]
    assert server.invoke(name, {"die": True}, Qualifier=version).error == "Unhandled"
    wait_until(lambda: level(server, name, version) == ("READY", 1, 1), 20)
    kind, stream, _ = server.invoke(name, Qualifier=version).succeeded()
    assert kind == "provisioned-concurrency" and stream != dead


def test_a_function_that_cannot_initialise_says_so(server, name):
    version = published(server, name, "raise Exception('no')\n")
    server.client.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=1)
    wait_until(lambda: level(server, name, version)[0] == "FAILED", 20)
    found = server.client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=version)
    assert found["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"


def test_what_is_provisioned_is_reserved(server, name):
    version = published(server, name)
    client = server.client
    client.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=2)
    assert error_of(client.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=1)[2] == (
        " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    assert throttled(client.invoke, FunctionName=name), "all of the reservation is provisioned"
    assert error_of(client.put_provisioned_concurrency_config, FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=3)[2] == (
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
    client.delete_function_concurrency(FunctionName=name)
    put = lambda **more: error_of(client.put_provisioned_concurrency_config, **{"FunctionName": name, "Qualifier": version, "ProvisionedConcurrentExecutions": 1, **more})
    assert put(Qualifier="$LATEST")[2] == "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    assert put(ProvisionedConcurrentExecutions=2000)[2].startswith("Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [")
    assert put(ProvisionedConcurrentExecutions=950)[2] == (
        "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].")
    assert error_of(client.get_provisioned_concurrency_config, FunctionName=name, Qualifier="$LATEST")[2] == (
        "The function resource provided must be an alias or a published version.")
    assert error_of(client.put_provisioned_concurrency_config, FunctionName="nobody", Qualifier="$LATEST", ProvisionedConcurrentExecutions=1)[2] == (
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody:$LATEST")
    client.delete_function(FunctionName=name)


def test_provisioned_concurrency_comes_back_after_a_crash(own_server, name):
    server = own_server()
    version = published(server, name)
    server.client.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=1)
    wait_until(lambda: level(server, name, version)[0] == "READY", 20)
    server.stop(signal.SIGKILL)
    second = own_server(state=server.state)
    wait_until(lambda: level(second, name, version) == ("READY", 1, 1), 20)
    assert second.invoke(name, Qualifier=version).succeeded()[0] == "provisioned-concurrency"

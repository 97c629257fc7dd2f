# Recorded scenarios: asynchronous invocation, as far as no other service is asked.
import json

from asynchronous import Events
from conftest import package, wait_until
from replay import scenario

SETTINGS = {"Handler": "handler.handler", "Timeout": 30, "Environment": {"Variables": {}}}


def code(text):
    return {"ZipFile": package({"handler.py": text})}


@scenario(*(f"TestLambdaFeatures::test_invocation_type_event[{runtime}]" for runtime in ("python3.9", "python3.10", "nodejs16.x")))
def event(r):
    r.create()
    r("invoke-result", "invoke", FunctionName=r.name, Payload=b"{}", InvocationType="Event")


@scenario("TestLambdaConcurrency::test_reserved_concurrency_async_queue")
def reserved_concurrency(r):
    """A second synchronous call is refused while an event has the only unit of concurrency."""
    r.create(**{**SETTINGS, "Code": code("import time\ndef handler(event, context):\n    time.sleep(event.get('wait', 0))\n")})
    r("fn", "get_function_configuration", FunctionName=r.name, Qualifier="$LATEST")
    r("put_fn_concurrency", "put_function_concurrency", FunctionName=r.name, ReservedConcurrentExecutions=1)
    r.do("invoke", FunctionName=r.name, Payload=b'{"wait": 4}', InvocationType="Event")
    events = Events(r.server)
    wait_until(lambda: events.counts()["underWay"] == 1, 10, "the start of the event")
    # It has its environment once a synchronous caller is refused.
    wait_until(lambda: refused(r), 10, "the event's unit of concurrency")
    r("too_many_requests_exc", "invoke", FunctionName=r.name, Payload=b"{}", InvocationType="RequestResponse")


def refused(r):
    try:
        r.client.invoke(FunctionName=r.name, Payload=b"{}", InvocationType="RequestResponse")
    except r.client.exceptions.TooManyRequestsException:
        return True


# Says what it was told and which code it is; the first event holds the only unit of concurrency.
VARIANT = """
import os, time, urllib.request
def handler(event, context):
    name = f"{event['name']}--%s"
    urllib.request.urlopen(urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/" + event["bucket"] + "/" + name, data=b"", method="PUT"))
    if "sleep" in event:
        time.sleep(event["sleep"])
"""


@scenario("TestLambdaVersions::test_async_invoke_queue_upon_function_update")
def update_with_events_waiting(r):
    """Events that wait run the code that the function has when their turn comes."""
    events = Events(r.server)
    r.create(**{**SETTINGS, "Code": code(VARIANT % "variant-1")})
    r.do("put_function_concurrency", FunctionName=r.name, ReservedConcurrentExecutions=1)

    def send(name, **more):
        r.do("invoke", FunctionName=r.name, Payload=json.dumps({"name": name, "bucket": events.bucket, **more}), InvocationType="Event")

    def history():
        return sorted(o["Key"] for o in events.s3.list_objects_v2(Bucket=events.bucket).get("Contents", []))

    send("01-sleep", sleep=3)
    wait_until(history, 10, "the start of the first event")
    for n in range(2, 11):
        send(f"{n:02}-before")
    r.do("update_function_code", FunctionName=r.name, ZipFile=code(VARIANT % "variant-2")["ZipFile"])
    r.updated()
    for n in range(11, 16):
        send(f"{n:02}-after")
    wait_until(lambda: len(history()) == 15, 60, "all events")
    r.value("async_invoke_history_sorted", history())

# What tests of asynchronous invocation share: functions that leave a trace of each run in a bucket, and the moved clock.
import json
import urllib.request
import uuid

import boto3
import botocore.config

from conftest import wait_until

# Leaves an object for each run; fails as the event says.
TRACER = """
import json, os, time, urllib.request, uuid

def trace(context, event):
    key = f"{os.environ['BUCKET']}/{context.function_name}/{context.aws_request_id}/{uuid.uuid4()}"
    body = json.dumps({"event": event, "version": context.function_version, "arn": context.invoked_function_arn,
                       "remaining": context.get_remaining_time_in_millis(), "client_context": context.client_context is not None})
    urllib.request.urlopen(urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/" + key, data=body.encode(), method="PUT"))

def handler(event, context):
    trace(context, event)
    if isinstance(event, dict) and event.get("sleep"):
        time.sleep(event["sleep"])
    if isinstance(event, dict) and event.get("crash"):
        os._exit(3)
    if isinstance(event, dict) and event.get("fail"):
        raise Exception("intentional failure")
    return {"ran": event}
"""


class Events:
    """One server, seen by somebody who tests asynchronous invocation."""

    def __init__(self, server):
        self.server = server
        self.client = server.client
        self.s3 = self.client_of("s3")
        self.bucket = f"runs-{uuid.uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=self.bucket)

    def client_of(self, service):
        return boto3.client(
            service, endpoint_url=self.server.endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="x",
            config=botocore.config.Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}))

    def create(self, name, code=TRACER, **settings):
        settings.setdefault("MemorySize", 512)
        settings.setdefault("Timeout", 30)
        return self.server.create(name, code, Environment={"Variables": {"BUCKET": self.bucket}}, **settings)["FunctionArn"]

    def send(self, name, event=None, **settings):
        answer = self.client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event if event is not None else {}), **settings)
        assert answer["StatusCode"] == 202 and answer["Payload"].read() == b"" and "FunctionError" not in answer
        return answer["ResponseMetadata"]["RequestId"]

    def runs(self, name, request_id=""):
        """What the runs of a function left behind, in no order."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{name}/{request_id}")
        return [(o["Key"].split("/")[1], self.read(o["Key"])) for page in pages for o in page.get("Contents", [])]

    def request_ids(self, name):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{name}/")
        return [o["Key"].split("/")[1] for page in pages for o in page.get("Contents", [])]

    def read(self, key):
        return json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def page(self, path, body=None, headers={}):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.server.endpoint}/_martlet/{path}", data=data, headers=headers)) as answer:
            return json.load(answer)

    def advance(self, span, **settings):
        """Moves the clock; all that is due has ended when this returns."""
        moved = self.page("clock", {"advance": span, **settings})
        assert moved["settled"], moved
        return moved

    def settle(self):
        """Returns when no attempt is under way and none can begin; nothing is moved."""
        return self.advance("0s")

    def counts(self):
        return self.page("events")

    def idle(self, seconds=60):
        wait_until(lambda: self.counts()["waiting"] + self.counts()["underWay"] == 0, seconds, "the end of all events")

# What tests of event source mappings share: a function that leaves every event behind, its queue, and the mapping between them.
import json
import uuid as uuids

from asynchronous import Events
from conftest import wait_until
from test_iam import client_of

ACCOUNT = "000000000000"

#: Leaves each event as an object, named so that names are in order; what it then does stands in the messages.
CODE = """
import http.client, json, os, time, uuid
def handler(event, context):
    server = http.client.HTTPConnection(os.environ["AWS_ENDPOINT_URL"][7:])
    def leave(kind):
        key = f"/{os.environ['BUCKET']}/{context.function_name}/{time.time_ns()}-{uuid.uuid4()}"
        body = json.dumps({"kind": kind, "event": event, "id": context.aws_request_id, "arn": context.invoked_function_arn, "trace": os.environ["_X_AMZN_TRACE_ID"]})
        server.request("PUT", key, body.encode())
        server.getresponse().read()
    leave("begin")
    orders = [json.loads(r["body"]) if r["body"].startswith("{") else {} for r in event["Records"]]
    for order in orders:
        if order.get("sleep"):
            time.sleep(order["sleep"])
            leave("end")
        if order.get("fail"):
            raise ValueError("as ordered")
        if order.get("exit"):
            os._exit(1)
        if "answer" in order:
            return order["answer"]
    failed = [r["messageId"] for r, order in zip(event["Records"], orders) if order.get("report")]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]} if failed else None
"""


class Mapped:
    """A function, a queue and a mapping between them, on a server."""

    def __init__(self, server, name, code=CODE, queue={}, function={}, fifo=False, mapped=True, **mapping):
        self.server, self.name, self.client, self.sqs = server, name, server.client, client_of(server, "sqs", checked=False)
        self.events = Events(server)
        self.queue = name + (".fifo" if fifo else "")
        attributes = {**({"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {}), **queue}
        self.url = self.sqs.create_queue(QueueName=self.queue, Attributes=attributes)["QueueUrl"]
        self.arn = self.arn_of(self.queue)
        self.events.create(name, code, **{"Timeout": 20, "MemorySize": 1769, **function})
        self.uuid = self.map(**mapping) if mapped else None

    def arn_of(self, queue):
        return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}"

    def map(self, function=None, **mapping):
        uuid = self.client.create_event_source_mapping(
            FunctionName=function or self.name, EventSourceArn=self.arn, **mapping)["UUID"]
        self.settled(uuid, "Disabled" if mapping.get("Enabled") is False else "Enabled")
        return uuid

    def update(self, **changes):
        self.client.update_event_source_mapping(UUID=self.uuid, **changes)
        enabled = changes.get("Enabled", self.client.get_event_source_mapping(UUID=self.uuid)["State"] in ("Enabled", "Updating"))
        return self.settled(self.uuid, "Enabled" if enabled else "Disabled")

    def settled(self, uuid=None, state="Enabled"):
        def there():
            mapping = self.client.get_event_source_mapping(UUID=uuid or self.uuid)
            return mapping["State"] == state and mapping
        return wait_until(there, 10, f"the state {state}")

    def send(self, *bodies, group=None, **settings):
        for start in range(0, len(bodies), 10):
            entries = [
                {"Id": str(i), "MessageBody": body if isinstance(body, str) else json.dumps(body),
                 **({"MessageGroupId": group, "MessageDeduplicationId": str(uuids.uuid4())} if group else {}), **settings}
                for i, body in enumerate(bodies[start:start + 10])]
            assert not self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries).get("Failed")

    def rest(self):
        """Returns when nothing is under way."""
        self.events.advance("0s")

    def runs(self, kind="begin"):
        """What the function was given, in order."""
        return [run for _, run in self.events.runs(self.name) if run["kind"] == kind]

    def batches(self):
        return [[record["body"] for record in run["event"]["Records"]] for run in self.runs()]

    def bodies(self):
        return [body for batch in self.batches() for body in batch]

    def wait_for(self, count, seconds=30):
        """Returns when the function has been given that many messages."""
        wait_until(lambda: len(self.bodies()) >= count, seconds, f"{count} messages")

    def counts(self, uuid=None):
        return next((p for p in self.events.page("event-source-mappings")["pollers"] if p["UUID"] == (uuid or self.uuid)), None)

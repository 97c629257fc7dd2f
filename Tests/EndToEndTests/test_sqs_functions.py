# Functions and queues: dead letters and destinations of asynchronous invocation.
import json

from test_iam import client_of
from test_sqs import advance

FAILS = "def handler(event, context):\n    raise ValueError('no ' + event['what'])\n"
WORKS = "def handler(event, context):\n    return event\n"


def test_an_event_that_fails_three_times_lands_in_the_dead_letter_queue(own_server):
    server = own_server()
    sqs = client_of(server, "sqs")
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    server.create("fails", FAILS, DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:000000000000:dead"})
    invoked = server.client.invoke(FunctionName="fails", InvocationType="Event", Payload=b'{"what": "luck"}')
    advance(server, "3m")
    message = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"][0]
    assert json.loads(message["Body"]) == {"what": "luck"}
    attributes = {name: (value["DataType"], value["StringValue"]) for name, value in message["MessageAttributes"].items()}
    assert attributes == {"RequestID": ("String", invoked["ResponseMetadata"]["RequestId"]), "ErrorCode": ("Number", "200"), "ErrorMessage": ("String", "no luck")}


def test_destinations_are_queues(own_server):
    server = own_server()
    sqs = client_of(server, "sqs")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("good", "bad")}
    for name, code in (("works", WORKS), ("fails", FAILS)):
        server.create(name, code)
        server.client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0, DestinationConfig={
            "OnSuccess": {"Destination": "arn:aws:sqs:us-east-1:000000000000:good"}, "OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:bad"}})
        server.client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"what": "luck"}')
    good, bad = (json.loads(sqs.receive_message(QueueUrl=urls[name], WaitTimeSeconds=20)["Messages"][0]["Body"]) for name in ("good", "bad"))
    assert good["requestContext"]["condition"] == "Success" and good["responsePayload"] == {"what": "luck"}
    assert bad["requestContext"]["condition"] == "RetriesExhausted" and bad["responsePayload"]["errorMessage"] == "no luck"

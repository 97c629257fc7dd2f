# A function that publishes to a topic which calls it: the chain is stopped there, too.
import json
import re

from conftest import wait_until
from test_iam import client_of
from test_recursion import ROOT, tracing, unparented
from test_sqs import drain

# Passes the trace on as the SDKs do.
LOOP = """
import http.client, os, urllib.parse
HEADERS = {'Authorization': 'AWS4-HMAC-SHA256 Credential=%s/20260101/%s/sns/aws4_request, SignedHeaders=host, Signature=0' % (
    os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_REGION']), 'X-Amz-Security-Token': os.environ['AWS_SESSION_TOKEN'],
    'Content-Type': 'application/x-www-form-urlencoded'}
def handler(event, context):
    trace = os.environ['_X_AMZN_TRACE_ID']
    if event == {'quiet': True}: return trace
    call = http.client.HTTPConnection(os.environ['AWS_ENDPOINT_URL'][7:])
    form = {'Action': 'Publish', 'Version': '2010-03-31', 'TopicArn': 'arn:aws:sns:us-east-1:000000000000:' + context.function_name, 'Message': trace}
    call.request('POST', '/', urllib.parse.urlencode(form), HEADERS | {'X-Amzn-Trace-Id': trace})
    assert call.getresponse().status == 200
"""


def test_a_chain_through_a_topic_is_stopped(server, name):
    sns, sqs = client_of(server, "sns"), client_of(server, "sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    urls = [sqs.create_queue(QueueName=f"{name}-{kind}")["QueueUrl"] for kind in ("all", "dead")]
    queues = [f"arn:aws:sqs:us-east-1:000000000000:{name}-{kind}" for kind in ("all", "dead")]
    server.create(name, LOOP, DeadLetterConfig={"TargetArn": queues[1]})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queues[0], Attributes={"RawMessageDelivery": "true"})
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=f"arn:aws:lambda:us-east-1:000000000000:function:{name}")
    own = re.search("Lineage=1:(.*):0", server.invoke(name, {"quiet": True}).succeeded()).group(1)
    server.invoke(name, {}, client=tracing(server, f"{ROOT};Lineage=1:{own}:12")).succeeded()
    # The event that would have been one too many.
    dead = wait_until(lambda: sqs.receive_message(QueueUrl=urls[1], MessageAttributeNames=["All"], WaitTimeSeconds=20).get("Messages"), 30, "the dead letter")
    chain = [f"{unparented(ROOT)};Lineage=1:{own}:{n}" for n in (13, 14, 15)]
    assert unparented(json.loads(dead[0]["Body"])["Records"][0]["Sns"]["Message"]) == chain[-1]
    assert sorted(unparented(message) for message in drain(sqs, urls[0])) == chain

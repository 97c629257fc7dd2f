# Records of functions to topics of a remote SNS: an independent implementation (moto) in a process of its own.
import json

from conftest import wait_until
from test_iam import client_of
from test_remote_endpoints import KEYS, Moto


def test_records_go_to_topics_elsewhere(own_server):
    moto = Moto()
    try:
        sns, sqs = moto.client("sns", key="123456789012"), moto.client("sqs", key="123456789012")
        topic = sns.create_topic(Name="records")["TopicArn"]
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=topic.replace(":sns:", ":sqs:").replace("records", "q"), Attributes={"RawMessageDelivery": "true"})
        server = own_server("--endpoint", f"sns={moto.endpoint}", environment=KEYS)
        server.create("f", "def handler(event, context):\n    return event\n")
        server.client.put_function_event_invoke_config(FunctionName="f", DestinationConfig={"OnSuccess": {"Destination": topic}})
        server.client.invoke(FunctionName="f", InvocationType="Event", Payload='{"a": "é&="}'.encode())
        messages = wait_until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), 20, "the record")
        assert json.loads(messages[0]["Body"])["responsePayload"] == {"a": "é&="}
        # Programs still talk to the embedded one.
        assert client_of(server, "sns").list_topics()["Topics"] == []
    finally:
        moto.stop()

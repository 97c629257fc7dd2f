# What is published, at every kind of endpoint: queues, functions, HTTP; filtered, tried again, dead-lettered.
import json
import re
import urllib.error
import urllib.request

import pytest

from conftest import wait_until
from sns_receiver import Receiver, verified
from test_https import Authority
from test_iam import client_of
from test_sqs import advance, drain

ECHO = "def handler(event, context):\n    return event\n"
ACCOUNT = "arn:aws:{}:us-east-1:000000000000:{}"


@pytest.fixture
def sns(server):
    return client_of(server, "sns", checked=False)


@pytest.fixture
def sqs(server):
    return client_of(server, "sqs", checked=False)


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def topic(sns, name):
    return sns.create_topic(Name=name)["TopicArn"]


def new_queue(sqs, name, **attributes):
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, ACCOUNT.format("sqs", name)


def received(sqs, url, count=1):
    messages = []
    while len(messages) < count:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20, MessageAttributeNames=["All"], AttributeNames=["All"]).get("Messages", [])
        assert got, f"only {len(messages)} of {count} came"
        messages += got
        sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)])
    assert len(messages) == count
    return messages


def test_a_queue_gets_the_document(server, sns, sqs, topic, name):
    url, arn = new_queue(sqs, name)
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    attributes = {"color": {"DataType": "String", "StringValue": "réd"}, "bytes": {"DataType": "Binary", "BinaryValue": b"\0\1"}}
    published = sns.publish(TopicArn=topic, Message='say "é"\n\U0001f600', Subject="Hello", MessageAttributes=attributes)["MessageId"]
    message = received(sqs, url)[0]
    document = verified(message["Body"])
    assert list(document) == ["Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature", "SigningCertURL", "UnsubscribeURL", "MessageAttributes"]
    assert document["Type"] == "Notification" and document["MessageId"] == published and document["TopicArn"] == topic
    assert document["Subject"] == "Hello" and document["Message"] == 'say "é"\n\U0001f600' and document["SignatureVersion"] == "1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document["Timestamp"])
    assert document["UnsubscribeURL"] == f"{server.endpoint}/?Action=Unsubscribe&SubscriptionArn={subscription}"
    assert document["MessageAttributes"] == {"color": {"Type": "String", "Value": "réd"}, "bytes": {"Type": "Binary", "Value": "AAE="}}
    # Laid out as AWS does it.
    assert message["Body"].startswith('{\n  "Type" : "Notification",\n  "MessageId" : "') and "MessageAttributes" not in message
    # The second version of the signature.
    sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue="2")
    sns.publish(TopicArn=topic, Message="again")
    document = verified(received(sqs, url)[0]["Body"])
    assert document["SignatureVersion"] == "2" and "Subject" not in document and "MessageAttributes" not in document


def test_a_queue_gets_the_message_alone(sns, sqs, topic, name):
    url, arn = new_queue(sqs, name)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    attributes = {"n": {"DataType": "Number", "StringValue": "1.5"}, "b": {"DataType": "Binary", "BinaryValue": b"\0\1"}, "list": {"DataType": "String.Array", "StringValue": '["a"]'}}
    sns.publish(TopicArn=topic, Message="raw", Subject="dropped", MessageAttributes=attributes)
    message = received(sqs, url)[0]
    assert message["Body"] == "raw" and message["MessageAttributes"] == attributes


def test_each_protocol_gets_its_text(sns, sqs, topic, name):
    url, arn = new_queue(sqs, name)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=topic, MessageStructure="json", Message=json.dumps({"default": "d", "sqs": "for queues", "http": 1}))
    sns.publish(TopicArn=topic, MessageStructure="json", Message=json.dumps({"default": "d", "lambda": "l"}))
    assert sorted(m["Body"] for m in received(sqs, url, 2)) == ["d", "for queues"]


def test_a_function_gets_the_event(server, sns, sqs, topic, name):
    url, arn = new_queue(sqs, name)
    server.create(name, ECHO)
    server.client.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}})
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=ACCOUNT.format("lambda", f"function:{name}"))["SubscriptionArn"]
    published = sns.publish(TopicArn=topic, Message="m", MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}})["MessageId"]
    event = json.loads(received(sqs, url)[0]["Body"])["requestPayload"]
    record = event["Records"][0]
    assert list(event) == ["Records"] and len(event["Records"]) == 1 and list(record) == ["EventSource", "EventVersion", "EventSubscriptionArn", "Sns"]
    assert record["EventSource"] == "aws:sns" and record["EventVersion"] == "1.0" and record["EventSubscriptionArn"] == subscription
    body = verified(record["Sns"])
    assert list(body) == ["Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature", "SigningCertUrl", "UnsubscribeUrl", "MessageAttributes"]
    assert body["MessageId"] == published and body["Subject"] is None and body["Message"] == "m" and body["MessageAttributes"] == {"k": {"Type": "String", "Value": "v"}}


def test_an_http_endpoint_confirms_and_gets_messages(server, sns, topic, receiver):
    assert sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{receiver.url}/in?x=1")["SubscriptionArn"] == "pending confirmation"
    assert [s["SubscriptionArn"] for s in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]] == ["PendingConfirmation"]
    path, headers, body = receiver.next()
    document = verified(body)
    assert path == "/in?x=1" and headers["x-amz-sns-message-type"] == document["Type"] == "SubscriptionConfirmation"
    assert headers["x-amz-sns-topic-arn"] == topic and headers["x-amz-sns-message-id"] == document["MessageId"] and "x-amz-sns-subscription-arn" not in headers
    assert headers["Content-Type"] == "text/plain; charset=UTF-8" and headers["User-Agent"] == "Amazon Simple Notification Service Agent"
    assert document["Message"] == f"You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the SubscribeURL included in this message."
    # Nothing comes before it is confirmed.
    sns.publish(TopicArn=topic, Message="too early")
    with urllib.request.urlopen(document["SubscribeURL"]) as answer:
        assert b"<SubscriptionArn>" in answer.read()
    subscription = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]["SubscriptionArn"]
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    assert attributes["PendingConfirmation"] == "false" and attributes["ConfirmationWasAuthenticated"] == "false"
    published = sns.publish(TopicArn=topic, Message="m")["MessageId"]
    path, headers, body = receiver.next()
    assert headers["x-amz-sns-message-type"] == "Notification" and headers["x-amz-sns-message-id"] == published and headers["x-amz-sns-subscription-arn"] == subscription
    document = verified(body)
    assert document["Message"] == "m" and "x-amz-sns-rawdelivery" not in headers
    # The message alone, as another type.
    sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="RawMessageDelivery", AttributeValue="true")
    sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="DeliveryPolicy", AttributeValue='{"requestPolicy": {"headerContentType": "application/json"}}')
    sns.publish(TopicArn=topic, Message="{}")
    path, headers, body = receiver.next()
    assert body == "{}" and headers["x-amz-sns-rawdelivery"] == "true" and headers["Content-Type"] == "application/json"
    # Whoever has the link ends it, and whoever is told so takes that back.
    with urllib.request.urlopen(document["UnsubscribeURL"]) as answer:
        assert answer.status == 200
    path, headers, body = receiver.next()
    goodbye = verified(body)
    assert headers["x-amz-sns-message-type"] == "UnsubscribeConfirmation" and goodbye["Message"].startswith(f"You have chosen to deactivate subscription {subscription}.")
    sns.publish(TopicArn=topic, Message="unheard")
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]["SubscriptionArn"] == "Deleted"
    with urllib.request.urlopen(goodbye["SubscribeURL"]) as answer:
        assert answer.status == 200
    sns.publish(TopicArn=topic, Message="heard")
    assert receiver.next()[2] == "heard" and receiver.is_empty()
    # Its owner ends it for good.
    sns.unsubscribe(SubscriptionArn=subscription)
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def test_an_endpoint_behind_tls_is_verified(own_server):
    authority = Authority()
    receivers = [Receiver(authority.certificate(name, subject)) for name, subject in (("good", "IP:127.0.0.1"), ("other", "DNS:elsewhere"))]
    server = own_server("--ca-file", authority.file)
    sns = client_of(server, "sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    for receiver in reversed(receivers):
        sns.subscribe(TopicArn=topic, Protocol="https", Endpoint=receiver.url)
    sns.confirm_subscription(TopicArn=topic, Token=verified(receivers[0].next()[2])["Token"])
    sns.publish(TopicArn=topic, Message="m")
    assert verified(receivers[0].next()[2])["Message"] == "m"
    # What shows a certificate for another name is told nothing, however often it is tried.
    advance(server, "2m")
    assert receivers[1].is_empty() and "a message could not be delivered" in server.log
    for receiver in receivers:
        receiver.close()


def test_only_its_owner_ends_a_protected_subscription(sns, topic, receiver):
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=receiver.url)
    token = json.loads(receiver.next()[2])["Token"]
    subscription = sns.confirm_subscription(TopicArn=topic, Token=token, AuthenticateOnUnsubscribe="true")["SubscriptionArn"]
    assert sns.confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"] == subscription
    assert sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]["ConfirmationWasAuthenticated"] == "true"
    sns.publish(TopicArn=topic, Message="m")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(json.loads(receiver.next()[2])["UnsubscribeURL"])
    assert error.value.code == 403
    sns.unsubscribe(SubscriptionArn=subscription)


def test_filters_choose(sns, sqs, topic, name):
    url, arn = new_queue(sqs, name)
    policy = {"shop": ["a", {"prefix": "b-"}], "price": [{"numeric": [">", 10, "<=", 20]}]}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true", "FilterPolicy": json.dumps(policy)})
    for shop, price in (("a", "11"), ("b-1", "20"), ("b", "15"), ("a", "10"), ("a", "20.5"), ("a", None)):
        attributes = {"shop": {"DataType": "String", "StringValue": shop}}
        if price:
            attributes["price"] = {"DataType": "Number", "StringValue": price}
        sns.publish(TopicArn=topic, Message=f"{shop} {price}", MessageAttributes=attributes)
    subscription = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]["SubscriptionArn"]
    sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="FilterPolicyScope", AttributeValue="MessageBody")
    sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue='{"a": {"b": [{"anything-but": "x"}]}}')
    for body in ({"a": {"b": "y"}}, {"a": {"b": "x"}}, {"a": [{"b": "x"}, {"b": "z"}]}, {"c": 1}):
        sns.publish(TopicArn=topic, Message=json.dumps(body))
    sns.publish(TopicArn=topic, Message="no object")
    sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue="")
    sns.publish(TopicArn=topic, Message="end")
    bodies = [m["Body"] for m in received(sqs, url, 5)]
    assert sorted(bodies) == sorted(["a 11", "b-1 20", '{"a": {"b": "y"}}', '{"a": [{"b": "x"}, {"b": "z"}]}', "end"])
    assert drain(sqs, url) == []


def test_fifo_in_order_and_once(sns, sqs, name):
    topic = sns.create_topic(Name=f"{name}.fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"})["TopicArn"]
    url, arn = new_queue(sqs, f"{name}.fifo", FifoQueue="true")
    other, standard = new_queue(sqs, name)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=standard)
    first = sns.publish(TopicArn=topic, Message="same", MessageGroupId="g0")
    again = sns.publish(TopicArn=topic, Message="same", MessageGroupId="g0")
    assert first["SequenceNumber"] == again["SequenceNumber"] and first["MessageId"] == again["MessageId"] and len(first["SequenceNumber"]) == 20
    numbers = []
    for start in range(0, 60, 10):
        entries = [{"Id": f"e{i}", "Message": str(i), "MessageGroupId": f"g{i % 3}"} for i in range(start, start + 10)]
        done = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
        assert done["Failed"] == [] and [e["Id"] for e in done["Successful"]] == [e["Id"] for e in entries]
        numbers += [e["SequenceNumber"] for e in done["Successful"]]
    assert numbers == sorted(numbers) and len(set(numbers)) == 60
    messages = received(sqs, url, 61)
    groups = {}
    for message in messages:
        groups.setdefault(message["Attributes"]["MessageGroupId"], []).append(message["Body"])
    assert groups == {"g0": ["same", *[str(i) for i in range(0, 60, 3)]], "g1": [str(i) for i in range(1, 60, 3)], "g2": [str(i) for i in range(2, 60, 3)]}
    documents = [json.loads(m["Body"]) for m in received(sqs, other, 61)]
    assert sorted(d["SequenceNumber"] for d in documents) == sorted([first["SequenceNumber"], *numbers]) and "Signature" not in documents[0]


def test_what_was_published_counts_for_five_minutes(own_server):
    server = own_server()
    sns, sqs = client_of(server, "sns"), client_of(server, "sqs")
    topic = sns.create_topic(Name="t.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    first = sns.publish(TopicArn=topic, Message="a", MessageGroupId="g", MessageDeduplicationId="1")
    server.stop()
    server = own_server(state=server.state)
    sns = client_of(server, "sns")
    assert sns.publish(TopicArn=topic, Message="b", MessageGroupId="h", MessageDeduplicationId="1")["MessageId"] == first["MessageId"]
    advance(server, "301s")
    second = sns.publish(TopicArn=topic, Message="b", MessageGroupId="h", MessageDeduplicationId="1")
    assert second["MessageId"] != first["MessageId"] and second["SequenceNumber"] > first["SequenceNumber"]


def dead_letter(sqs, url):
    message = received(sqs, url)[0]
    return message["Body"], {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}


def test_what_cannot_be_delivered_is_a_dead_letter(own_server, receiver):
    server = own_server()
    sns, sqs = client_of(server, "sns"), client_of(server, "sqs")
    topic = sns.create_topic(Name="t")["TopicArn"]
    url, dead = new_queue(sqs, "dead")
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead})}
    # A queue and a function that are not there: at once.
    for protocol, endpoint, code in (("sqs", ACCOUNT.format("sqs", "none"), "QueueDoesNotExist"), ("lambda", ACCOUNT.format("lambda", "function:none"), "ResourceNotFoundException")):
        subscription = sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=redrive)["SubscriptionArn"]
        sns.publish(TopicArn=topic, Message="m")
        body, attributes = dead_letter(sqs, url)
        assert verified(body)["Message"] == "m" and attributes["ErrorCode"] == code and attributes["ErrorMessage"] and attributes["RequestID"]
        sns.unsubscribe(SubscriptionArn=subscription)
    # An HTTP endpoint that fails four times, and one that refuses once.
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=receiver.url, Attributes={**redrive, "RawMessageDelivery": "true"})
    sns.confirm_subscription(TopicArn=topic, Token=json.loads(receiver.next()[2])["Token"])
    for status in (500, 429, 503, 500, 404):
        receiver.answers.put(status)
    sns.publish(TopicArn=topic, Message="fails", MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}})
    wait_until(lambda: receiver.requests.qsize() == 1)
    assert drain(sqs, url) == []
    advance(server, "70s")
    body, attributes = dead_letter(sqs, url)
    assert body == "fails" and attributes["ErrorCode"] == "500" and attributes["k"] == "v" and receiver.requests.qsize() == 4
    sns.publish(TopicArn=topic, Message="refused")
    body, attributes = dead_letter(sqs, url)
    assert body == "refused" and attributes["ErrorCode"] == "404"


def test_a_subscription_nobody_confirms_ends(own_server, receiver):
    server = own_server()
    sns = client_of(server, "sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=receiver.url)
    token = json.loads(receiver.next()[2])["Token"]
    advance(server, "47h")
    assert len(sns.list_subscriptions()["Subscriptions"]) == 1
    advance(server, "1h")
    assert sns.list_subscriptions()["Subscriptions"] == []
    with pytest.raises(sns.exceptions.InvalidParameterException):
        sns.confirm_subscription(TopicArn=topic, Token=token)


def test_dead_letters_and_records_of_functions_go_to_topics(own_server):
    server = own_server()
    sns, sqs = client_of(server, "sns"), client_of(server, "sqs")
    url, arn = new_queue(sqs, "q")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    server.create("works", ECHO)
    server.client.put_function_event_invoke_config(FunctionName="works", DestinationConfig={"OnSuccess": {"Destination": topic}})
    server.client.invoke(FunctionName="works", InvocationType="Event", Payload=b'{"a": 1}')
    record = json.loads(received(sqs, url)[0]["Body"])
    assert record["requestContext"]["condition"] == "Success" and record["responsePayload"] == {"a": 1}
    server.create("fails", "def handler(event, context):\n    raise ValueError('no')\n", DeadLetterConfig={"TargetArn": topic})
    invoked = server.client.invoke(FunctionName="fails", InvocationType="Event", Payload=b'{"b": 2}')
    advance(server, "3m")
    message = received(sqs, url)[0]
    attributes = {name: (value["DataType"], value["StringValue"]) for name, value in message["MessageAttributes"].items()}
    assert json.loads(message["Body"]) == {"b": 2}
    assert attributes == {"RequestID": ("String", invoked["ResponseMetadata"]["RequestId"]), "ErrorCode": ("Number", "200"), "ErrorMessage": ("String", "no")}

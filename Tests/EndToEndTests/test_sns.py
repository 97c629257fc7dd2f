# Topics and subscriptions as clients manage them: boto3, Terraform's sequence, the aws CLI.
import json
import os
import subprocess
import sys

import pytest

from test_iam import client_of
from test_sqs import refused


@pytest.fixture
def sns(server):
    return client_of(server, "sns", checked=False)


def test_a_topic_as_terraform_manages_it(sns, name):
    arn = sns.create_topic(Name=name, Tags=[{"Key": "k", "Value": "v"}])["TopicArn"]
    assert arn == f"arn:aws:sns:us-east-1:000000000000:{name}"
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish", "Resource": arn}]}
    for key, value in (("DisplayName", "d é"), ("Policy", json.dumps(policy)), ("SignatureVersion", "2")):
        sns.set_topic_attributes(TopicArn=arn, AttributeName=key, AttributeValue=value)
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert attributes["TopicArn"] == arn and attributes["Owner"] == "000000000000" and attributes["DisplayName"] == "d é"
    assert json.loads(attributes["Policy"]) == policy and attributes["SubscriptionsConfirmed"] == attributes["SubscriptionsPending"] == attributes["SubscriptionsDeleted"] == "0"
    assert json.loads(attributes["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]["numRetries"] == 3
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "l", "Value": ""}])
    sns.untag_resource(ResourceArn=arn, TagKeys=["k"])
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "l", "Value": ""}]
    assert not sns.get_data_protection_policy(ResourceArn=arn).get("DataProtectionPolicy")
    sns.add_permission(TopicArn=arn, Label="l", AWSAccountId=["111111111111"], ActionName=["Publish", "Subscribe"])
    statements = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])["Statement"]
    assert statements[1] == {"Sid": "l", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": ["SNS:Publish", "SNS:Subscribe"], "Resource": arn}
    sns.remove_permission(TopicArn=arn, Label="l")
    assert json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]) == policy
    assert {"TopicArn": arn} in [topic for page in sns.get_paginator("list_topics").paginate() for topic in page["Topics"]]
    sns.delete_topic(TopicArn=arn)
    sns.delete_topic(TopicArn=arn)
    assert refused(sns.get_topic_attributes, TopicArn=arn) == ("NotFound", "Topic does not exist")


def test_a_subscription_as_terraform_manages_it(sns, name):
    topic = sns.create_topic(Name=name)["TopicArn"]
    queue = f"arn:aws:sqs:us-east-1:000000000000:{name}"
    arn = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, ReturnSubscriptionArn=True, Attributes={"FilterPolicy": '{"a": ["b"]}'})["SubscriptionArn"]
    assert arn.startswith(f"{topic}:") and arn == sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)["SubscriptionArn"]
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes == {
        "SubscriptionArn": arn, "TopicArn": topic, "Owner": "000000000000", "Protocol": "sqs", "Endpoint": queue, "RawMessageDelivery": "false", "PendingConfirmation": "false",
        "ConfirmationWasAuthenticated": "true", "SubscriptionPrincipal": "arn:aws:iam::000000000000:root", "FilterPolicy": '{"a": ["b"]}', "FilterPolicyScope": "MessageAttributes"}
    expected = {"SubscriptionArn": arn, "Owner": "000000000000", "Protocol": "sqs", "Endpoint": queue, "TopicArn": topic}
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == [expected]
    assert expected in [s for page in sns.get_paginator("list_subscriptions").paginate() for s in page["Subscriptions"]]
    sns.unsubscribe(SubscriptionArn=arn)
    assert refused(sns.get_subscription_attributes, SubscriptionArn=arn) == ("NotFound", "Subscription does not exist")


def test_what_clients_are_told(sns, name):
    topic = sns.create_topic(Name=name)["TopicArn"]
    assert refused(sns.publish, TopicArn=topic) == ("ValidationError", "1 validation error detected: Value null at 'message' failed to satisfy constraint: Member must not be null")
    with pytest.raises(sns.exceptions.InvalidParameterException, match="Invalid parameter: Empty message"):
        sns.publish(TopicArn=topic, Message="")
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn=topic + "x", Message="m")
    with pytest.raises(sns.exceptions.InvalidParameterValueException):
        sns.publish(TopicArn=topic, Message="m", MessageAttributes={"a": {"DataType": "Text", "StringValue": "x"}})
    with pytest.raises(sns.exceptions.TooManyEntriesInBatchRequestException):
        sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[{"Id": str(i), "Message": "m"} for i in range(11)])
    assert refused(sns.publish, PhoneNumber="+15550100", Message="m")[0] == "NotImplemented"
    assert refused(sns.list_platform_applications) == ("NotImplemented", "Martlet does not implement SNS.ListPlatformApplications yet. UNIMPLEMENTED.txt lists what is missing.")


def test_the_command_line_of_aws(server, name):
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "t", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": server.endpoint}

    def aws(*arguments):
        return json.loads(subprocess.run([os.path.join(os.path.dirname(sys.executable), "aws"), *arguments], env=environment, capture_output=True, check=True).stdout)

    topic = aws("sns", "create-topic", "--name", name, "--attributes", "DisplayName=x")["TopicArn"]
    attributes = json.dumps({"a": {"DataType": "String.Array", "StringValue": '["x"]'}})
    assert aws("sns", "publish", "--topic-arn", topic, "--message", "m", "--message-attributes", attributes)["MessageId"]


def test_topics_survive_a_restart(own_server):
    server = own_server()
    sns = client_of(server, "sns")
    topic = sns.create_topic(Name="t", Attributes={"DisplayName": "d"}, Tags=[{"Key": "a", "Value": "b"}])["TopicArn"]
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint="arn:aws:lambda:us-east-1:000000000000:function:f")["SubscriptionArn"]
    before = sns.get_topic_attributes(TopicArn=topic)["Attributes"], sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    server.stop()
    server = own_server(state=server.state)
    sns = client_of(server, "sns")
    assert before == (sns.get_topic_attributes(TopicArn=topic)["Attributes"], sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"])
    assert before[0]["SubscriptionsConfirmed"] == "1" and sns.list_tags_for_resource(ResourceArn=topic)["Tags"]

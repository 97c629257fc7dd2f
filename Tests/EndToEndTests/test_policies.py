# Resource policies through the SDK: statements and whole documents are one thing, and survive a kill.
import json
import signal

from conftest import error_of

S3 = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
CODE = "def handler(event, context):\n    return event\n"
WAIT = {"Delay": 0.02, "MaxAttempts": 3000}


def arn(name):
    return f"arn:aws:lambda:us-east-1:000000000000:function:{name}"


def policy(client, name, **more):
    return json.loads(client.get_policy(FunctionName=name, **more)["Policy"])


def test_statements_and_documents_are_one(server, name):
    server.create(name, CODE)
    client = server.client
    added = json.loads(client.add_permission(FunctionName=name, StatementId="s3", SourceAccount="000000000000", **S3)["Statement"])
    assert added == {
        "Sid": "s3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction",
        "Resource": arn(name), "Condition": {"StringEquals": {"AWS:SourceAccount": "000000000000"}}}
    assert policy(client, name) == {"Version": "2012-10-17", "Id": "default", "Statement": [added]}
    whole = client.get_resource_policy(ResourceArn=arn(name))
    assert json.loads(whole["Policy"]) == policy(client, name)
    document = {"Version": "2012-10-17", "Statement": [
        {"Sid": "own", "Effect": "Deny", "NotPrincipal": {"AWS": ["arn:aws:iam::000000000000:root"]}, "Action": "lambda:*",
         "Resource": arn(name), "Condition": {"Bool": {"aws:SecureTransport": False}}}]}
    put = client.put_resource_policy(ResourceArn=arn(name), Policy=json.dumps(document, indent=2), RevisionId=whole["RevisionId"])
    assert json.loads(put["Policy"]) == document
    client.add_permission(FunctionName=name, StatementId="s3", **S3)
    assert [s["Sid"] for s in policy(client, name)["Statement"]] == ["own", "s3"]
    assert policy(client, name)["Statement"][0] == document["Statement"][0]
    assert error_of(client.delete_resource_policy, ResourceArn=arn(name), RevisionId=put["RevisionId"])[:2] == (412, "PreconditionFailedException")
    client.remove_permission(FunctionName=name, StatementId="own")
    client.delete_resource_policy(ResourceArn=arn(name))
    assert error_of(client.get_policy, FunctionName=name) == (404, "ResourceNotFoundException", "The resource you requested does not exist.")


def test_documents_that_are_refused(server, name):
    server.create(name, CODE)
    for text in ("nonsense", "[]", '{"Statement": []}', '{"Statement": [{"Effect": "Allow"}]}'):
        status, code, message = error_of(server.client.put_resource_policy, ResourceArn=arn(name), Policy=text)
        assert (status, code) == (400, "InvalidParameterValueException") and "policy document is not valid" in message
    public = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": arn(name)}]}
    assert error_of(server.client.put_resource_policy, ResourceArn=arn(name), Policy=json.dumps(public))[:2] == (400, "PublicPolicyException")
    assert error_of(server.client.get_resource_policy, ResourceArn=arn(name))[0] == 404


def test_policies_survive_a_kill(own_server):
    server = own_server()
    server.create("f", CODE)
    client = server.client
    client.publish_version(FunctionName="f")
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    targets = [{}, {"Qualifier": "1"}, {"Qualifier": "live"}]
    for target in targets:
        for sid in ("a", "b", "c"):
            client.add_permission(FunctionName="f", StatementId=sid, **S3, **target)
        client.remove_permission(FunctionName="f", StatementId="b", **target)
    before = [{k: v for k, v in client.get_policy(FunctionName="f", **t).items() if k != "ResponseMetadata"} for t in targets]
    server.stop(signal.SIGKILL)
    second = own_server(state=server.state)
    client = second.client
    after = [{k: v for k, v in client.get_policy(FunctionName="f", **t).items() if k != "ResponseMetadata"} for t in targets]
    assert before == after
    assert [s["Sid"] for s in json.loads(after[0]["Policy"])["Statement"]] == ["a", "c"]
    client.delete_alias(FunctionName="f", Name="live")
    client.delete_function(FunctionName="f", Qualifier="1")
    for target in targets[1:]:
        assert error_of(client.get_policy, FunctionName="f", **target)[0] == 404
    assert second.invoke("f", 1).succeeded() == 1

# Tags of every kind of resource that can have them: the same rules for all.
import signal
import threading

import pytest

from conftest import ROLE, error_of, make_queue, package, wait_until

CODE = package({"app.py": "def handler(event, context):\n    return 1\n"})
ACCOUNT = "000000000000"
PREFIX = f"arn:aws:lambda:us-east-1:{ACCOUNT}:"


def function(client, name, **tags):
    return client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": CODE}, **tags)["FunctionArn"]


def mapping(client, name, **tags):
    function(client, name)
    make_queue(client, name)
    return client.create_event_source_mapping(
        FunctionName=name, EventSourceArn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}", **tags)["EventSourceMappingArn"]


def signing(client, name, **tags):
    return client.create_code_signing_config(AllowedPublishers={"SigningProfileVersionArns": [
        f"arn:aws:signer:us-east-1:{ACCOUNT}:/signing-profiles/p/0123456789"]}, **tags)["CodeSigningConfig"]["CodeSigningConfigArn"]


def capacity(client, name, **tags):
    return client.create_capacity_provider(
        CapacityProviderName=name, VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": []},
        PermissionsConfig={"CapacityProviderOperatorRoleArn": ROLE}, **tags)["CapacityProvider"]["CapacityProviderArn"]


def layer(client, name, **tags):
    """A layer's tags are not part of its publication."""
    arn = client.publish_layer_version(LayerName=name, Content={"ZipFile": CODE})["LayerArn"]
    if tags:
        client.tag_resource(Resource=arn, **tags)
    return arn


KINDS = {"function": function, "mapping": mapping, "signing": signing, "capacity": capacity, "layer": layer}
every_kind = pytest.mark.parametrize("kind", sorted(KINDS))
ABSENT = {
    "function": ("function:absent", "Function not found: {}"),
    "mapping": ("event-source-mapping:00000000-0000-4000-8000-000000000000", "Event source mapping not found: {}"),
    "signing": ("code-signing-config:csc-00000000000000000", "The Lambda code signing configuration {} can not be found."),
    "capacity": ("capacity-provider:absent", "Capacity provider not found: {}"),
    "layer": ("layer:absent", "")}


def tags(client, arn):
    return client.list_tags(Resource=arn)["Tags"]


@every_kind
def test_tagged_and_untagged(server, name, kind):
    client = server.client
    arn = KINDS[kind](client, name, Tags={"made": "with", "other": ""})
    assert tags(client, arn) == {"made": "with", "other": ""}
    odd = {"team": "a", "ключ": "значение", "a b/c:d=e+f-g@h.i_j": "x" * 256, "k" * 128: "v"}
    assert client.tag_resource(Resource=arn, Tags=odd)["ResponseMetadata"]["HTTPStatusCode"] == 204
    client.tag_resource(Resource=arn, Tags={"made": "changed"})
    assert tags(client, arn) == {"made": "changed", "other": "", **odd}
    answer = client.untag_resource(Resource=arn, TagKeys=[*odd, "other", "never there"])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204 and tags(client, arn) == {"made": "changed"}
    client.untag_resource(Resource=arn, TagKeys=["made"])
    assert tags(client, arn) == {}


@every_kind
def test_none_to_begin_with(server, name, kind):
    assert tags(server.client, KINDS[kind](server.client, name)) == {}


@every_kind
def test_fifty_and_no_more(server, name, kind):
    client, fifty = server.client, {f"k{i}": "v" for i in range(50)}
    arn = KINDS[kind](client, name, Tags=fifty)
    assert tags(client, arn) == fifty
    too_many = (400, "InvalidParameterValueException", "Number of tags exceeds resource tag limit.")
    answer = error_of(client.tag_resource, Resource=arn, Tags={"k0": "changed", "one more": "v"})
    assert answer[:2] == too_many[:2] and answer[2].startswith(too_many[2]) and tags(client, arn) == fifty, "refused as a whole"
    client.tag_resource(Resource=arn, Tags={"k0": "changed"})
    client.untag_resource(Resource=arn, TagKeys=["k1"])
    client.tag_resource(Resource=arn, Tags={"one more": "v"})
    assert len(tags(client, arn)) == 50
    if kind != "layer":
        answer = error_of(KINDS[kind], client=client, name=name + "-2", Tags={**fifty, "one more": "v"})
        assert answer[:2] == too_many[:2] and answer[2].startswith(too_many[2])


@every_kind
def test_what_is_refused(server, name, kind):
    client = server.client
    arn = KINDS[kind](client, name, Tags={"a": "1"})
    validation = (400, "ValidationException")
    for wrong in ({"": "v"}, {"k" * 129: "v"}, {"k": "v" * 257}, {"k?": "v"}, {"k": "v\n"}):
        assert error_of(client.tag_resource, Resource=arn, Tags=wrong)[:2] == validation, wrong
    assert error_of(client.tag_resource, Resource=arn)[:2] == validation
    assert error_of(client.tag_resource, Resource=arn, Tags={})[0] == 400
    assert error_of(client.tag_resource, Resource=arn, Tags={"aws:reserved": "v"})[:2] == (400, "InvalidParameterValueException")
    assert error_of(client.untag_resource, Resource=arn, TagKeys=[])[:2] == validation
    assert error_of(client.untag_resource, Resource=arn, TagKeys=["k" * 129])[:2] == validation
    assert tags(client, arn) == {"a": "1"}


@every_kind
def test_absent(server, name, kind):
    resource, text = ABSENT[kind]
    arn = PREFIX + resource
    for call, more in ((server.client.list_tags, {}), (server.client.tag_resource, {"Tags": {"a": "b"}}),
                       (server.client.untag_resource, {"TagKeys": ["a"]})):
        answer = error_of(call, Resource=arn, **more)
        assert answer[:2] == (404, "ResourceNotFoundException") and (not text or answer[2] == text.format(arn)), answer


@every_kind
def test_others_do_not_see_them(server, name, kind):
    arn = KINDS[kind](server.client, name, Tags={"a": "1"})
    for other in (server.make_client(region="eu-west-1"), server.make_client(key="123456789012")):
        for call, more in ((other.list_tags, {}), (other.tag_resource, {"Tags": {"a": "b"}}), (other.untag_resource, {"TagKeys": ["a"]})):
            assert error_of(call, Resource=arn, **more)[0] in (403, 404)
    assert tags(server.client, arn) == {"a": "1"}


@pytest.mark.parametrize("arn", [
    "f", f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", PREFIX + "table:t", PREFIX + "code-signing-config:csc-1", PREFIX + "event-source-mapping:1",
    PREFIX + "capacity-provider:a b", PREFIX + "layer:a:1", "arn:aws:lambda:us-east-1:1:function:f"])
def test_what_has_no_tags(server, arn):
    for call, more in ((server.client.list_tags, {}), (server.client.tag_resource, {"Tags": {"a": "b"}}),
                       (server.client.untag_resource, {"TagKeys": ["a"]})):
        answer = error_of(call, Resource=arn, **more)
        assert answer[:2] == (400, "ValidationException") and "at 'resource'" in answer[2], answer


@every_kind
def test_at_once(server, name, kind):
    """Each of many changes at the same time has its effect."""
    arn = KINDS[kind](server.client, name, Tags={f"old{i}": "v" for i in range(16)})
    threads = [threading.Thread(target=server.client.tag_resource, kwargs={"Resource": arn, "Tags": {f"new{i}": str(i)}}) for i in range(16)]
    threads += [threading.Thread(target=server.client.untag_resource, kwargs={"Resource": arn, "TagKeys": [f"old{i}"]}) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tags(server.client, arn) == {f"new{i}": str(i) for i in range(16)}


def test_states_do_not_lose_them(server, name):
    """Tags that are given while a resource is on its way to another state are there afterwards."""
    for i in range(10):
        arn = mapping(server.client, f"{name}-{i}", Tags={"a": "1"})
        server.client.tag_resource(Resource=arn, Tags={"b": "2"})
        uuid = arn.rsplit(":", 1)[1]
        wait_until(lambda: server.client.get_event_source_mapping(UUID=uuid)["State"] == "Enabled", 10, "the state")
        assert tags(server.client, arn) == tags(server.client, arn.upper().replace(PREFIX.upper() + "EVENT-SOURCE-MAPPING", PREFIX + "event-source-mapping")) == {
            "a": "1", "b": "2"}


def test_kill(own_server, name):
    server = own_server()
    arns = {kind: make(server.client, f"{name}-{kind}", Tags={"a": "1", "b": "2"}) for kind, make in KINDS.items()}
    for kind, arn in arns.items():
        server.client.tag_resource(Resource=arn, Tags={"b": kind, "c": "3"})
        server.client.untag_resource(Resource=arn, TagKeys=["a"])
    server.stop(signal.SIGKILL)
    second = own_server(state=server.state)
    assert {kind: tags(second.client, arn) for kind, arn in arns.items()} == {kind: {"b": kind, "c": "3"} for kind in KINDS}

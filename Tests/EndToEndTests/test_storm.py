# A storm of changes of every kind, and kill -9 in the middle of it: what was acknowledged is there, nothing is there by half.
import copy
import json
import random
import signal
import threading
import time

import botocore.exceptions
import pytest

from conftest import ROLE, package

CODE = package({"app.py": "def handler(event, context):\n    return 1\n"})
WORKERS = 8


def empty():
    return {"exists": False, "description": "", "versions": [], "aliases": {}, "reserved": None, "tags": {}, "statements": set(),
            "url": None, "events": None, "provisioned": {}, "next": 1, "changed": True}


class Worker(threading.Thread):
    """Changes one function of its own, one change after another, and keeps account of what was acknowledged."""

    def __init__(self, server, number, seed):
        super().__init__(daemon=True)
        self.client = server.make_client()
        self.name = f"storm-{number}"
        self.random = random.Random(seed)
        self.state = empty()
        #: What the state is if the call that is under way has an effect; None if none is under way.
        self.pending = None
        self.acknowledged = 0
        self.stopped = False
        self.wrong = None

    def run(self):
        while not self.stopped:
            action = self.choose()
            after = copy.deepcopy(self.state)
            try:
                call = action(after)
            except LookupError:
                continue
            self.pending = after
            try:
                call()
            except botocore.exceptions.ClientError as error:
                # An update is in progress, or the operation is not built: it has had no effect.
                if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (409, 501):
                    self.wrong = error
                    return
                self.pending = None
                time.sleep(0.002)
                continue
            except Exception:
                # The server is gone: whether the call had an effect nobody has said.
                return
            self.state = after
            self.pending = None
            self.acknowledged += 1

    def choose(self):
        if not self.state["exists"]:
            return self.create
        return self.random.choice([
            self.describe, self.describe, self.publish, self.publish, self.alias, self.alias, self.drop_alias, self.reserve,
            self.unreserve, self.tag, self.untag, self.permit, self.forbid, self.url, self.events, self.provision] + [self.delete] * (self.random.random() < 0.1))

    # Each returns the call, and makes `after` what it makes of the function.

    def create(self, after):
        after.update(empty(), exists=True, description=str(self.random.random()))
        return lambda: self.client.create_function(
            FunctionName=self.name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": CODE}, Description=after["description"])

    def delete(self, after):
        after.update(empty())
        return lambda: self.client.delete_function(FunctionName=self.name)

    def describe(self, after):
        after["description"], after["changed"] = str(self.random.random()), True
        return lambda: self.client.update_function_configuration(FunctionName=self.name, Description=after["description"])

    def publish(self, after):
        if after["changed"]:
            after["versions"].append((str(after["next"]), after["description"]))
            after["next"] += 1
            after["changed"] = False
        return lambda: self.client.publish_version(FunctionName=self.name)

    def version(self, after):
        return self.random.choice(after["versions"])[0]

    def alias(self, after):
        name, version = self.random.choice("abc"), self.version(after)
        exists = name in after["aliases"]
        after["aliases"][name] = version
        if name in after["provisioned"] or version in after["provisioned"]:
            raise LookupError
        change = self.client.update_alias if exists else self.client.create_alias
        return lambda: change(FunctionName=self.name, Name=name, FunctionVersion=version)

    def drop_alias(self, after):
        name = self.random.choice(sorted(after["aliases"]))
        del after["aliases"][name]
        return lambda: self.client.delete_alias(FunctionName=self.name, Name=name)

    def reserve(self, after):
        after["reserved"] = self.random.randint(5, 20)
        return lambda: self.client.put_function_concurrency(FunctionName=self.name, ReservedConcurrentExecutions=after["reserved"])

    def unreserve(self, after):
        after["reserved"] = None
        return lambda: self.client.delete_function_concurrency(FunctionName=self.name)

    def arn(self):
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.name}"

    def tag(self, after):
        key, value = self.random.choice("xyz"), str(self.random.random())
        after["tags"][key] = value
        return lambda: self.client.tag_resource(Resource=self.arn(), Tags={key: value})

    def untag(self, after):
        key = self.random.choice("xyz")
        after["tags"].pop(key, None)
        return lambda: self.client.untag_resource(Resource=self.arn(), TagKeys=[key])

    def permit(self, after):
        sid = f"s{self.random.randint(0, 9)}"
        if sid in after["statements"]:
            raise LookupError
        after["statements"].add(sid)
        return lambda: self.client.add_permission(
            FunctionName=self.name, StatementId=sid, Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")

    def forbid(self, after):
        sid = self.random.choice(sorted(after["statements"]))
        after["statements"].remove(sid)
        return lambda: self.client.remove_permission(FunctionName=self.name, StatementId=sid)

    def url(self, after):
        if after["url"] is None:
            after["url"] = "NONE"
            return lambda: self.client.create_function_url_config(FunctionName=self.name, AuthType="NONE")
        if self.random.random() < 0.5:
            after["url"] = None
            return lambda: self.client.delete_function_url_config(FunctionName=self.name)
        after["url"] = self.random.choice(["NONE", "AWS_IAM"])
        return lambda: self.client.update_function_url_config(FunctionName=self.name, AuthType=after["url"])

    def events(self, after):
        after["events"] = self.random.randint(0, 2)
        return lambda: self.client.put_function_event_invoke_config(FunctionName=self.name, MaximumRetryAttempts=after["events"])

    def provision(self, after):
        version = self.version(after)
        if version in after["aliases"].values():
            raise LookupError
        if version in after["provisioned"]:
            del after["provisioned"][version]
            return lambda: self.client.delete_provisioned_concurrency_config(FunctionName=self.name, Qualifier=version)
        if after["provisioned"]:
            raise LookupError
        after["provisioned"][version] = 1
        return lambda: self.client.put_provisioned_concurrency_config(FunctionName=self.name, Qualifier=version, ProvisionedConcurrentExecutions=1)


def found(client, name):
    """The function as a restarted server shows it, in the form of `empty()`."""
    state = empty()
    try:
        got = client.get_function(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        for call in (client.list_versions_by_function, client.list_aliases, client.get_function_concurrency, client.get_policy):
            with pytest.raises(client.exceptions.ResourceNotFoundException):
                call(FunctionName=name)
        return state

    def unless_missing(call, value):
        try:
            return value(call(FunctionName=name))
        except botocore.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 501):
                return None
            raise
    versions = client.list_versions_by_function(FunctionName=name)["Versions"]
    assert versions[0]["Version"] == "$LATEST" and versions[0]["Description"] == got["Configuration"]["Description"]
    policy = unless_missing(client.get_policy, lambda answer: json.loads(answer["Policy"])["Statement"])
    state.update(
        exists=True, description=got["Configuration"]["Description"], versions=[(v["Version"], v["Description"]) for v in versions[1:]],
        aliases={a["Name"]: a["FunctionVersion"] for a in client.list_aliases(FunctionName=name)["Aliases"]},
        reserved=got.get("Concurrency", {}).get("ReservedConcurrentExecutions"), tags=got.get("Tags", {}),
        statements={s["Sid"] for s in policy or []}, url=unless_missing(client.get_function_url_config, lambda a: a["AuthType"]),
        events=unless_missing(client.get_function_event_invoke_config, lambda a: a["MaximumRetryAttempts"]),
        provisioned={c["FunctionArn"].rsplit(":", 1)[1]: c["RequestedProvisionedConcurrentExecutions"]
                     for c in client.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]})
    return state


def comparable(state):
    return {k: v for k, v in state.items() if k not in ("next", "changed")}


@pytest.mark.parametrize("round", range(3))
def test_what_was_acknowledged_survives_and_nothing_is_half_done(own_server, round):
    server = own_server()
    workers = [Worker(server, n, f"{round}-{n}") for n in range(WORKERS)]
    for worker in workers:
        worker.start()
    # Long enough for everybody to have done something of everything, and never at the same point.
    while sum(worker.acknowledged for worker in workers) < 600 + 97 * round and all(worker.is_alive() for worker in workers):
        time.sleep(0.001)
    assert not [worker.wrong for worker in workers if worker.wrong], [worker.wrong for worker in workers]
    server.stop(signal.SIGKILL)
    for worker in workers:
        worker.stopped = True
        worker.join(60)
    second = own_server(state=server.state)
    for worker in workers:
        seen = comparable(found(second.client, worker.name))
        possible = [comparable(state) for state in (worker.state, worker.pending) if state is not None]
        assert seen in possible, (worker.name, seen, possible)
    # What came back still works, and goes on where it was.
    alive = next(worker for worker in workers if found(second.client, worker.name)["exists"])
    second.client.get_waiter("function_active_v2").wait(FunctionName=alive.name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    second.client.get_waiter("function_updated_v2").wait(FunctionName=alive.name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    second.client.delete_function_concurrency(FunctionName=alive.name)
    second.client.delete_function(FunctionName=alive.name)

# Replays recorded scenarios: makes the calls, and holds each answer against what AWS answered.
import io
import itertools
import json
import pathlib
import re

import botocore.exceptions
import botocore.response
import pytest

from conftest import make_queue, package

RECORDED = pathlib.Path(__file__).parent / "recorded"
# What AWS's answers have come to hold since some of the recordings were made.
NEWER = {
    "LoggingConfig", "SnapStart", "RuntimeVersionConfig", "EphemeralStorage", "EventSourceMappingArn", "ConfigSha256",
    "RetryAttempts"}
# Values that were masked without a placeholder.
MASKED = {"approximate-creation-datetime", "date", "datetime", "code-sha256", "lambda-url"}
KNOWN = {"partition": "aws", "region": "us-east-1"}
PLACEHOLDER = re.compile(r"<([a-zA-Z_][a-zA-Z_0-9-]*(?:-sha256)?)(?::(\d+|len\(\d+\)))?>")
WAIT = {"Delay": 0.02, "MaxAttempts": 3000}
_accounts = itertools.count(200000000001)
_scenarios = {}


def scenario(*names):
    """The calls of recorded scenarios. Those of one function differ by what is in brackets: `replay.parameter`."""
    def keep(function):
        for name in names:
            assert name not in _scenarios, name
            _scenarios[name] = function
        return function
    return keep


def scenarios():
    return dict(_scenarios)


def recordings(name="*"):
    """{scenario: {step: answer}} of one file, or of all."""
    found = {}
    for path in sorted(RECORDED.glob(f"{name}.json")):
        found.update(json.loads(path.read_text()))
    return found


class Replay:
    """One scenario, in an account of its own. Call it with a step's name, an operation and its arguments."""

    def __init__(self, server, name, recorded, runtime):
        self.server = server
        self.recorded = recorded
        self.parameter = name.split("[", 1)[1][:-1] if "[" in name else None
        self.account = str(next(_accounts))
        self.client = server.make_client(key=self.account)
        self.name = "fn-" + re.sub(r"[^a-z]+", "-", name.split("::")[-1].lower())[:30].strip("-") + self.account[-3:]
        self.arn = f"arn:aws:lambda:us-east-1:{self.account}:function:{self.name}"
        self.role = f"arn:aws:iam::{self.account}:role/replay"
        self.runtime = runtime
        self.bound = {}
        self.todo = set(recorded)
        self.differences = []

    # Calls

    def do(self, operation, **arguments):
        """A call whose answer was not recorded."""
        if operation == "create_event_source_mapping" and ":sqs:" in arguments.get("EventSourceArn", ""):
            make_queue(self.client, arguments["EventSourceArn"].split(":")[-1], self.account)
        try:
            return getattr(self.client, operation)(**arguments)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "NotImplementedException":
                pytest.skip(f"{operation}: {error.response['Error']['Message']}")
            raise

    def __call__(self, step, operation, **arguments):
        """A call whose answer was recorded; returns the answer."""
        try:
            answer = self.do(operation, **arguments)
        except botocore.exceptions.ClientError as error:
            answer = error.response
        self.value(step, answer)
        return answer

    def value(self, step, answer):
        assert step in self.todo, f"{step} was not recorded, or is told twice"
        self.todo.remove(step)
        self.compare(plain(self.recorded[step]), plain(answer), step)

    def errors(self, step, operation, **arguments):
        """A call that fails, recorded as its code and its message or its violations."""
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            self.do(operation, **arguments)
        error = caught.value.response["Error"]
        if "Message" in self.recorded[step]:
            return self.value(step, {"Code": error["Code"], "Message": error["Message"]})
        match = re.match(r"(\d+) validation errors? detected: (.*)", error["Message"], re.S)
        violations = sorted(re.split(r"; (?=Value )", match.group(2))) if match else [error["Message"]]
        self.value(step, {
            "Code": error["Code"], "Count": int(match.group(1)) if match else 0, "Errors": violations})

    # Common calls

    def create(self, step=None, wait=True, inside=None, **settings):
        """CreateFunction with what every function needs; `inside`: the recorded answer lies in a member of this name."""
        arguments = {
            "FunctionName": self.name, "Runtime": self.runtime, "Handler": "index.handler", "Role": self.role,
            "Code": {"ZipFile": package({"index.py": "def handler(event, context):\n    return event\n"})}, **settings}
        arguments = {name: value for name, value in arguments.items() if value is not None}
        answer = self.do("create_function", **arguments)
        if step:
            self.value(step, {inside: answer, "CreateEventSourceMappingResponse": None} if inside else answer)
        if wait:
            self.active(arguments["FunctionName"])
        return answer

    def active(self, name=None):
        self.client.get_waiter("function_active_v2").wait(FunctionName=name or self.name, WaiterConfig=WAIT)

    def updated(self, name=None):
        self.client.get_waiter("function_updated_v2").wait(FunctionName=name or self.name, WaiterConfig=WAIT)

    def published(self, version):
        self.client.get_waiter("published_version_active").wait(
            FunctionName=self.name, Qualifier=version, WaiterConfig=WAIT)

    def settled(self, step):
        """The recorded answer as it would be had AWS been done: a fast server is, before the next call arrives."""
        got = self.recorded[step]["Configuration"]
        assert "Pending" in (got["State"], got.get("LastUpdateStatus")) or got["LastUpdateStatus"] == "InProgress"
        got["State"], got["LastUpdateStatus"] = "Active", "Successful"
        for name in ("StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode", "RevisionId"):
            got.pop(name, None)

    # Comparison

    def compare(self, wanted, got, path):
        if isinstance(wanted, dict) and isinstance(got, dict):
            more = set(got) - set(wanted) - NEWER
            # `settled` has taken it out.
            if "RevisionId" not in wanted and "LastUpdateStatus" in wanted:
                more.discard("RevisionId")
            if wanted.keys() != got.keys() and (more or set(wanted) - set(got)):
                self.differences.append(
                    f"{path}: lacks {sorted(set(wanted) - set(got))}, has {({k: got[k] for k in sorted(more)})}")
            for name in wanted.keys() & got.keys():
                if name != "Runtime":
                    self.compare(wanted[name], got[name], f"{path}.{name}")
        elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
            for i, (a, b) in enumerate(zip(wanted, got)):
                self.compare(a, b, f"{path}[{i}]")
        elif isinstance(wanted, str):
            self.text(wanted, got, path)
        elif wanted != got:
            self.differences.append(f"{path}: wanted {wanted!r}, got {got!r}")

    def text(self, wanted, got, path):
        if wanted in MASKED:
            return
        names = []

        def group(match):
            kind, number = match.group(1), match.group(2)
            if kind == "a" and number and number.startswith("len"):
                return "a" * int(number[4:-1])
            if kind in KNOWN:
                return re.escape(KNOWN[kind])
            if number is None:
                return ".+?"
            names.append(f"{kind}:{number}")
            return "(.+?)"

        pattern, at = "", 0
        for match in PLACEHOLDER.finditer(wanted):
            pattern += re.escape(wanted[at:match.start()].replace("111111111111", self.account)) + group(match)
            at = match.end()
        pattern += re.escape(wanted[at:].replace("111111111111", self.account))
        found = re.fullmatch(pattern, str(got), re.S)
        if not found:
            self.differences.append(f"{path}: wanted {wanted[:600]!r}, got {str(got)[:600]!r}")
            return
        for name, value in zip(names, found.groups()):
            bound = self.bound.setdefault(name, value)
            twin = [n for n, v in self.bound.items() if v == value and n != name and n.split(":")[0] == name.split(":")[0]]
            if bound != value or twin:
                self.differences.append(f"{path}: <{name}> was {bound}, is {value}, which is also {twin}")

    def finish(self):
        assert not self.todo, f"steps that were not replayed: {sorted(self.todo)}"
        assert not self.differences, "\n" + "\n".join(self.differences)


def plain(answer):
    """An answer as the recordings have them."""
    if isinstance(answer, dict):
        out = {}
        for name, value in answer.items():
            if name == "ResponseMetadata":
                value = {"HTTPHeaders": {}, "HTTPStatusCode": value["HTTPStatusCode"]}
            if name in ("Policy", "Statement", "Pattern") and isinstance(value, str):
                value = json.loads(value)
            out[name] = plain(value)
        return out
    if isinstance(answer, list):
        return [plain(value) for value in answer]
    if isinstance(answer, (botocore.response.StreamingBody, io.BytesIO)):
        text = answer.read()
        return json.loads(text) if text else ""
    return answer

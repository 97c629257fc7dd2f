# Requests made at random from the service model: half right, half wrong. None may end in a 500 or harm the server.
import random
import string

import botocore.exceptions
import botocore.session
import pytest

from conftest import package

ALPHABET = string.ascii_letters + string.digits + "-_:/.$ é\u0000\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")
CODE_OF_NOTHING = {"app.py": "def handler(event, context):\n    pass\n"}
ROLE = "arn:aws:iam::444455556666:role/r"
# What the calls share, so that some of them meet.
NAMES = ["random-a", "random-b", "random-a:1", "random-a:live", "arn:aws:lambda:us-east-1:444455556666:function:random-b",
         "444455556666:function:random-a", "nobody"]
ARNS = ["arn:aws:lambda:us-east-1:444455556666:function:random-a", "arn:aws:sqs:us-east-1:444455556666:q",
        "arn:aws:kinesis:us-east-1:444455556666:stream/s", "arn:aws:lambda:us-east-1:444455556666:layer:random-l:1",
        "arn:aws:lambda:us-east-1:444455556666:code-signing-config:csc-0123456789abcdef0",
        "arn:aws:signer:us-east-1:444455556666:/signing-profiles/p/1234567890", ROLE]
# Waits for what these need is the business of other tests.
SLOW = {"Invoke", "InvokeAsync", "InvokeWithResponseStream"}


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self, shape, name):
        choose = self.random.choice
        if shape.enum and self.random.random() < 0.8:
            return choose(shape.enum)
        lower = name.lower()
        if self.random.random() < 0.7:
            if lower == "functionname":
                return choose(NAMES)
            if lower in ("name", "layername", "statementid", "capacityprovidername"):
                return choose(["live", "random-l", "1", "x"])
            if lower in ("qualifier", "functionversion", "versionnumber"):
                return choose(["1", "2", "live", "$LATEST"])
            if lower.endswith("arn") or lower == "resource":
                return choose(ARNS)
            if lower == "runtime":
                return "python3.11"
        longest = min((shape.metadata or {}).get("max", 40), 300)
        length = choose([0, 1, self.random.randint(0, longest), longest + 1])
        return "".join(choose(ALPHABET) for _ in range(length))

    def value(self, shape, name, depth=0):
        kind = shape.type_name
        if self.random.random() < 0.04:
            return self.random.choice([None, "", 0, -1, [], {}, True, 1.5, "x" * 5000, [[]], {"a": None}])
        if kind == "structure":
            return self.members(shape, depth + 1)
        if kind == "list":
            return [self.value(shape.member, name, depth + 1) for _ in range(self.random.choice([0, 1, 1, 2, 7]))]
        if kind == "map":
            return {self.text(shape.key, "key"): self.value(shape.value, name, depth + 1) for _ in range(self.random.choice([0, 1, 3]))}
        if kind in ("integer", "long"):
            least, most = (shape.metadata or {}).get("min", 0), (shape.metadata or {}).get("max", 1000)
            return self.random.choice([least, most, least - 1, most + 1, 2**31, 2**63, self.random.randint(least, max(least, most))])
        if kind in ("double", "float"):
            return self.random.choice([0.0, 0.5, -1.5, 1e308])
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind == "blob":
            return self.random.choice([b"", b"x", package(CODE_OF_NOTHING), self.random.randbytes(300)])
        if kind == "timestamp":
            return self.random.choice([0, 1_700_000_000])
        return self.text(shape, name)

    def members(self, shape, depth=0):
        found = {}
        for name, member in shape.members.items():
            is_wanted = name in shape.required_members
            if self.random.random() < (0.97 if is_wanted else 0.3 / (depth + 1)):
                found[name] = self.value(member, name, depth)
        return found


MODEL = botocore.session.get_session().get_service_model("lambda")
PROBLEMS = (
    botocore.exceptions.ParamValidationError, botocore.exceptions.BotoCoreError, LookupError, TypeError, ValueError, AttributeError)


@pytest.mark.parametrize("seed", range(4))
def test_no_request_ends_in_an_error_of_the_server(server, seed):
    generator = Generator(seed)
    client = server.make_client(key="444455556666")
    for name in NAMES[:2]:
        try:
            client.create_function(
                FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE,
                Code={"ZipFile": package(CODE_OF_NOTHING)})
        except client.exceptions.ResourceConflictException:
            pass
    operations = [name for name in MODEL.operation_names if name not in SLOW]
    answered = 0
    for _ in range(600):
        operation = generator.random.choice(operations)
        arguments = generator.members(MODEL.operation_model(operation).input_shape)
        try:
            answer = client._make_api_call(operation, arguments)
        except botocore.exceptions.ClientError as error:
            answer = error.response
        except PROBLEMS:
            continue  # the client itself cannot say that
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        answered += 1
        assert status < 500 or status == 501, (operation, arguments, answer)
    assert answered > 300
    assert server.process.poll() is None

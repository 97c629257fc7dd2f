"""Writes lambda-model.json, iam-model.json and so on: what the newest botocore says of every operation of these services,
in the words of their service models.

Run it after `pip install --upgrade botocore`:  python3 Tests/ConformanceTests/extract_model.py

`operations` holds method, URI, status, input shape, the names of the output's members and the documented errors;
`errors` the status of each and how its message is spelt. `shapes` holds every shape that an input reaches. A string's shape also has a `sample` that satisfies it
and, if its pattern can be broken, a `breach` of the right length that does not match.
"""

import json
import pathlib
import re
import re._constants as sre
import re._parser as sre_parse

import botocore
import botocore.loaders

CONSTRAINTS = ("min", "max", "pattern", "enum", "required", "payload", "streaming", "eventstream")

# What a test would rather send than the shortest text that matches.
SAMPLES = [
    "f",
    "1",
    "arn:aws:lambda:us-east-1:111111111111:function:f",
    "arn:aws:iam::111111111111:role/r",
    "arn:aws:sqs:us-east-1:111111111111:q",
    "arn:aws:kms:us-east-1:111111111111:key/1",
    "arn:aws:lambda:us-east-1:111111111111:layer:l",
    "arn:aws:lambda:us-east-1:111111111111:layer:l:1",
    "arn:aws:lambda:us-east-1:111111111111:code-signing-config:csc-0123456789abcdef0",
    "arn:aws:elasticfilesystem:us-east-1:111111111111:access-point/fsap-0123456789abcdef0",
    "arn:aws:lambda:us-east-1::runtime:" + "0" * 64,
    "arn:aws:lambda:us-east-1:111111111111:capacity-provider:c",
    "arn:aws:lambda:us-east-1:111111111111:function:f:1/durable-execution/e/0",
    "/mnt/a",
    "subnet-1",
    "sg-1",
    "us-east-1",
    "111111111111",
    "lambda:InvokeFunction",
    "arn:aws:iam::aws:policy/AdministratorAccess",
]


def generated(tokens):
    """A short text that matches a parsed regular expression, as far as its look-arounds allow."""
    text = ""
    for kind, value in tokens:
        if kind is sre.LITERAL:
            text += chr(value)
        elif kind is sre.NOT_LITERAL:
            text += "a" if value != ord("a") else "b"
        elif kind is sre.ANY:
            text += "a"
        elif kind is sre.IN:
            text += member(value)
        elif kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            text += generated(value[2]) * value[0]
        elif kind is sre.SUBPATTERN:
            text += generated(value[3])
        elif kind is sre.BRANCH:
            text += generated(value[1][0])
    return text


def member(choices):
    negated = choices[0][0] is sre.NEGATE
    if negated:
        return "a"
    for kind, value in choices:
        if kind is sre.LITERAL:
            return chr(value)
        if kind is sre.RANGE:
            return chr(value[0])
        if kind is sre.CATEGORY:
            return "0" if value is sre.CATEGORY_DIGIT else "a"
    raise ValueError(choices)


def readable(pattern):
    """Python's regular expressions have no Unicode properties, and demand that a hyphen behind a class be escaped."""
    pattern = re.sub(r"(\\[wds])-", r"\1\\-", pattern)
    return re.sub(r"\\p\{(?:[LZMNS]|Zs)\}", "a-z", pattern).replace(r"\p{P}", "-")


def enriched(shape):
    if shape["type"] != "string" or "enum" in shape:
        return shape
    low = shape.get("min", 0)
    high = shape.get("max", 10**9)
    if "pattern" not in shape:
        return shape | {"sample": "a" * max(low, min(high, 1))}
    pattern = re.compile(readable(shape["pattern"]), re.DOTALL)
    shortest = generated(sre_parse.parse(pattern.pattern))
    candidates = SAMPLES + [shortest] + [shortest + "a" * n for n in range(1, 50)] + ["a" * low, "1" * low, shortest * low]
    samples = [text for text in candidates if low <= len(text) <= high and pattern.fullmatch(text)]
    if not samples:
        raise ValueError(f"no sample for {shape}")
    breaches = [text * max(low, 1) for text in "!* é/0" if not pattern.fullmatch(text * max(low, 1))]
    return shape | {"sample": samples[0]} | ({"breach": breaches[0]} if breaches else {})


def slim(shape):
    out = {"type": shape["type"]} | {key: shape[key] for key in CONSTRAINTS if key in shape}
    if "members" in shape:
        out["members"] = {
            name: {
                key: value for key, value in member.items() if key in ("shape", "location", "locationName", "streaming")
            }
            for name, member in shape["members"].items()
        }
    for part in ("member", "key", "value"):
        if part in shape:
            out[part] = shape[part]["shape"]
    return enriched(out)


def reached(shapes, name, seen):
    if name in seen:
        return
    shape = seen[name] = slim(shapes[name])
    for part in ("member", "key", "value"):
        if part in shape:
            reached(shapes, shape[part], seen)
    for member in shape.get("members", {}).values():
        reached(shapes, member["shape"], seen)


def main():
    for service in ("lambda", "iam", "sts", "cloudtrail", "cloudwatch", "events", "kinesis", "logs", "s3", "scheduler", "sns", "sqs", "xray"):
        write(service)
    sensitive()


def write(service):
    model = botocore.loaders.Loader().load_service_model(service, "service-2")
    shapes = model["shapes"]
    kept = {}
    operations = {}
    for name, operation in sorted(model["operations"].items()):
        operations[name] = {
            "method": operation["http"]["method"],
            "uri": operation["http"]["requestUri"],
            "status": operation["http"].get("responseCode", 200),
        }
        if "input" in operation:
            operations[name]["input"] = operation["input"]["shape"]
            reached(shapes, operation["input"]["shape"], kept)
        output = shapes[operation["output"]["shape"]] if "output" in operation else {}
        operations[name]["output"] = list(output.get("members", {}))
        operations[name]["errors"] = [error["shape"] for error in operation.get("errors", [])]
    errors = {
        name: {
            "status": shape["error"]["httpStatusCode"],
            "message": next((member for member in shape["members"] if member.lower() == "message"), None),
        }
        | ({"code": shape["error"]["code"]} if "code" in shape["error"] else {})
        for name, shape in sorted(shapes.items())
        if "error" in shape
    }
    parts = {"operations": operations, "errors": errors, "shapes": dict(sorted(kept.items()))}
    text = "{\n" + ",\n".join(f'"{name}": {{\n{lines(part)}\n}}' for name, part in parts.items()) + "\n}\n"
    pathlib.Path(__file__).with_name(f"{service}-model.json").write_text(text)
    print(f"botocore {botocore.__version__}, {service}: {len(operations)} operations, {len(kept)} shapes")


SERVICES = {
    "cloudtrail": "CloudTrail", "cloudwatch": "CloudWatch", "events": "EventBridge", "iam": "IAM", "kinesis": "Kinesis",
    "lambda": "Lambda", "logs": "Logs", "s3": "S3", "scheduler": "Scheduler", "sns": "SNS", "sqs": "SQS", "sts": "STS",
    "xray": "XRay",
}


def sensitive():
    """Where the models say that something must not be shown: by operation, the members of its input and output that lead there."""
    table = {}
    for service, name in SERVICES.items():
        model = botocore.loaders.Loader().load_service_model(service, "service-2")
        shapes = model["shapes"]

        def walk(shape, path, seen, found):
            if shape in seen:
                return
            known, seen = shapes[shape], seen | {shape}
            if known.get("sensitive"):
                found.append(path)
            for member, value in known.get("members", {}).items():
                walk(value["shape"], path + [member], seen, found)
            for part, step in (("member", "[]"), ("value", "{}")):
                if part in known:
                    walk(known[part]["shape"], path + [step], seen, found)

        for operation, facts in sorted(model["operations"].items()):
            both = {}
            for side in ("input", "output"):
                found = []
                if side in facts:
                    walk(facts[side]["shape"], [], frozenset(), found)
                if found:
                    both[side] = found
            if both:
                table[f"{name}.{operation}"] = both
    pathlib.Path(__file__).with_name("sensitive-members.json").write_text("{\n" + lines(table) + "\n}\n")
    print(f"{len(table)} operations with something sensitive")


def lines(table):
    return ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in table.items())


if __name__ == "__main__":
    main()

# Recorded scenarios: requests for event source mappings, with sources that need not exist for the answer.
import json

from conftest import wait_until
from replay import recordings, scenario

RECORDED = {
    name: steps for name, steps in recordings("event_source_mapping_requests").items() if "invalid_event_filter" not in name}
OTHERWISE = ("test_duplicate", "test_deletion", "test_sqs_event_source_mapping_update", "test_failing_lambda")
# Stands in a recording where a list of matches stood.
MASKED_LEAF = '"<approximate-creation-datetime>"'
STREAM = "stream/2026-01-01T00:00:00.000"


def source(r, recorded):
    """An ARN of the recorded one's service."""
    kind = recorded["EventSourceArn"].split(":")[2]
    resource = {"dynamodb": f"table/t/{STREAM}", "kinesis": "stream/s", "sqs": "queue"}[kind]
    return f"arn:aws:{kind}:us-east-1:{r.account}:{resource}"


def request(r, recorded, function):
    """The request that the recorded answer tells of."""
    arguments = {"FunctionName": function, "EventSourceArn": source(r, recorded), "BatchSize": recorded["BatchSize"]}
    for name in ("MaximumBatchingWindowInSeconds", "StartingPosition", "ScalingConfig"):
        if recorded.get(name):
            arguments[name] = recorded[name]
    for name in ("MaximumRecordAgeInSeconds", "MaximumRetryAttempts"):
        if recorded.get(name, -1) != -1:
            arguments[name] = recorded[name]
    if recorded.get("FunctionResponseTypes"):
        arguments["FunctionResponseTypes"] = recorded["FunctionResponseTypes"]
    destination = recorded.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination:
        arn = "arn:aws:s3:::bucket" if ":s3:" in destination else f"arn:aws:sqs:us-east-1:{r.account}:failures"
        arguments["DestinationConfig"] = {"OnFailure": {"Destination": arn}}
    if "FilterCriteria" in recorded:
        arguments["FilterCriteria"] = {"Filters": [
            {"Pattern": json.dumps(one["Pattern"]).replace(MASKED_LEAF, '[{"numeric": [">", 0]}]')} for one in recorded["FilterCriteria"]["Filters"]]}
    return arguments


def state(r, uuid, wanted):
    wait_until(lambda: r.do("get_event_source_mapping", UUID=uuid)["State"] == wanted, 10, f"the state {wanted}")


@scenario(*(name for name in RECORDED if not any(part in name for part in OTHERWISE)))
def create(r):
    for number, (step, recorded) in enumerate(sorted(r.recorded.items())):
        function = f"{r.name}-{number}"
        r.create(FunctionName=function)
        r(step, "create_event_source_mapping", **request(r, recorded, function))


@scenario(*(name for name in RECORDED if "test_duplicate" in name))
def duplicate(r):
    r.create()
    arguments = request(r, r.recorded["create"], r.name)
    r("create", "create_event_source_mapping", **arguments)
    r("error", "create_event_source_mapping", **arguments)


@scenario(*(name for name in RECORDED if "test_deletion" in name))
def listed(r):
    r.create()
    arguments = request(r, r.recorded["create_event_source_mapping_result"], r.name)
    made = r("create_event_source_mapping_result", "create_event_source_mapping", **arguments)
    if "UUID" in made:
        state(r, made["UUID"], "Enabled")
    r("list_event_source_mapping_result", "list_event_source_mappings", EventSourceArn=arguments["EventSourceArn"])


@scenario(*(name for name in RECORDED if "test_failing_lambda" in name))
def got(r):
    r.create()
    made = r.do("create_event_source_mapping", **request(r, r.recorded["event_source_mapping"], r.name))
    state(r, made["UUID"], "Enabled")
    r("event_source_mapping", "get_event_source_mapping", UUID=made["UUID"])


@scenario(*(name for name in RECORDED if "test_sqs_event_source_mapping_update" in name))
def updated(r):
    r.create()
    r.create(FunctionName=f"{r.name}-2")
    step = "create-event-source-mapping-response"
    made = r(step, "create_event_source_mapping", **request(r, r.recorded[step], r.name))
    state(r, made["UUID"], "Enabled")
    r("updated_esm", "update_event_source_mapping", UUID=made["UUID"], FunctionName=f"{r.name}-2")
    state(r, made["UUID"], "Enabled")
    r("updated_event_source_mapping", "get_event_source_mapping", UUID=made["UUID"])


PATTERNS = {
    "single-string": "single-string", '[{"eventName": ["INSERT"=123}]': '[{"eventName": ["INSERT"=123}]', "None": "null",
    "simple string": "simple string", "invalid_filter2": '{"eventSource": "aws:sqs"}', "invalid_filter3": '{"eventSource": []}'}


@scenario(*(
    name for name in recordings("event_source_mapping_requests") if "invalid_event_filter" in name))
def invalid_filter(r):
    r.create()
    (step,) = r.recorded
    streams = {"StartingPosition": "TRIM_HORIZON", "EventSourceArn": f"arn:aws:dynamodb:us-east-1:{r.account}:table/t/{STREAM}"}
    queues = {"EventSourceArn": f"arn:aws:sqs:us-east-1:{r.account}:queue"}
    r(step, "create_event_source_mapping", FunctionName=r.name, BatchSize=1, MaximumBatchingWindowInSeconds=1,
      FilterCriteria={"Filters": [{"Pattern": PATTERNS[r.parameter]}]}, **(streams if step.startswith("exception") else queues))

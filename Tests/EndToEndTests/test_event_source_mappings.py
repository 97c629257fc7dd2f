# Event source mappings as clients see them: what each kind of source can be told, the states, and what outlives what.
import json
import signal
import threading

import botocore.exceptions
import pytest

from conftest import ROLE, error_of, make_queue, package, wait_until

CODE = package({"app.py": "def handler(event, context):\n    return 1\n"})
ACCOUNT = "000000000000"
PREFIX = f"arn:aws:lambda:us-east-1:{ACCOUNT}:"
ABSENT = "00000000-0000-4000-8000-000000000000"
SECRET = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:s"
MISSING = (404, "ResourceNotFoundException", "The resource you requested does not exist.")
STREAM = {"StartingPosition": "LATEST"}
BASIC = {"SourceAccessConfigurations": [{"Type": "BASIC_AUTH", "URI": SECRET}]}

#: {kind: the ARN of a source, without its account; the arguments that it cannot do without}
SOURCES = {
    "sqs": ("arn:aws:sqs:us-east-1:{}:{}", {}),
    "fifo": ("arn:aws:sqs:us-east-1:{}:{}.fifo", {}),
    "kinesis": ("arn:aws:kinesis:us-east-1:{}:stream/{}", STREAM),
    "dynamodb": ("arn:aws:dynamodb:us-east-1:{}:table/{}/stream/2026-01-01T00:00:00.000", STREAM),
    "msk": ("arn:aws:kafka:us-east-1:{}:cluster/{}/0a-1", {"Topics": ["orders"], "StartingPosition": "TRIM_HORIZON"}),
    "kafka": (None, {
        "Topics": ["orders"], "StartingPosition": "TRIM_HORIZON", "SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["{}:9092"]}},
        "SourceAccessConfigurations": [{"Type": "SASL_SCRAM_512_AUTH", "URI": SECRET}]}),
    "mq": ("arn:aws:mq:us-east-1:{}:broker:{}:b-1", {"Queues": ["q"], **BASIC}),
    "documentdb": ("arn:aws:rds:us-east-1:{}:cluster:{}", {"DocumentDBEventSourceConfig": {"DatabaseName": "d"}, **BASIC, **STREAM})}

STREAM_DEFAULTS = {
    "BatchSize": 100, "MaximumBatchingWindowInSeconds": 0, "ParallelizationFactor": 1, "BisectBatchOnFunctionError": False,
    "MaximumRecordAgeInSeconds": -1, "MaximumRetryAttempts": -1, "TumblingWindowInSeconds": 0, "DestinationConfig": {"OnFailure": {}},
    "FunctionResponseTypes": [], "StateTransitionReason": "User action", "LastProcessingResult": "No records processed"}
OTHER_DEFAULTS = {"BatchSize": 100, "StateTransitionReason": "USER_INITIATED", "LastProcessingResult": "No records processed"}
KAFKA_DEFAULTS = {**OTHER_DEFAULTS, "DestinationConfig": {"OnFailure": {}}, "FunctionResponseTypes": []}
QUEUE_DEFAULTS = {
    "BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": [], "StateTransitionReason": "USER_INITIATED"}
DEFAULTS = {
    "sqs": QUEUE_DEFAULTS, "fifo": QUEUE_DEFAULTS, "kinesis": STREAM_DEFAULTS, "dynamodb": STREAM_DEFAULTS, "msk": KAFKA_DEFAULTS,
    "kafka": KAFKA_DEFAULTS, "mq": OTHER_DEFAULTS, "documentdb": OTHER_DEFAULTS}


def request(kind, name, function=None, **settings):
    """The arguments of CreateEventSourceMapping with a source of the name."""
    arn, needed = SOURCES[kind]
    needed = json.loads(json.dumps(needed).replace("{}:9092", f"{name}:9092"))
    source = {"EventSourceArn": arn.format(ACCOUNT, name)} if arn else {}
    return {"FunctionName": function or name, **source, **needed, **settings}


def create(server, kind, name, **settings):
    make_source(server, kind, name)
    return shown(server.client.create_event_source_mapping(**request(kind, name, **settings)))


def make_source(server, kind, name):
    """The queue that a mapping of the kind reads; other sources are not looked at."""
    if kind in ("sqs", "fifo"):
        make_queue(server.client, name + (".fifo" if kind == "fifo" else ""))


def shown(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def get(server, uuid):
    try:
        return shown(server.client.get_event_source_mapping(UUID=uuid))
    except server.client.exceptions.ResourceNotFoundException:
        return None


def settled(server, uuid, state):
    """The mapping in the state. On the way there it may be seen in others, but never in another to stay."""
    def there():
        found = get(server, uuid)
        assert found["State"].endswith("ing") or found["State"] == state
        return found["State"] == state and found
    return wait_until(there, 10, f"the state {state}")


def gone(server, uuid):
    wait_until(lambda: (found := get(server, uuid)) is None or found["State"] != "Deleting" and pytest.fail(found["State"]), 10, "its end")


def make_function(server, name):
    server.client.create_function(
        FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": CODE})


@pytest.fixture
def function(server, name):
    make_function(server, name)
    for kind in ("sqs", "fifo"):
        make_source(server, kind, name)
    return name


# What a mapping is


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_defaults_of_every_kind_of_source(server, function, kind):
    answer = server.client.create_event_source_mapping(**request(kind, function))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    made = shown(answer)
    uuid = made["UUID"]
    given = {key: value for key, value in request(kind, function).items() if key != "FunctionName"}
    expected = {
        **DEFAULTS[kind], **given, "UUID": uuid, "State": "Creating", "FunctionArn": f"{PREFIX}function:{function}",
        "EventSourceMappingArn": f"{PREFIX}event-source-mapping:{uuid}", "LastModified": made["LastModified"]}
    group = {"msk": "AmazonManagedKafkaEventSourceConfig", "kafka": "SelfManagedKafkaEventSourceConfig"}.get(kind)
    if group:
        expected[group] = {"ConsumerGroupId": uuid}
    assert made == expected
    got = settled(server, uuid, "Enabled")
    assert got == {**expected, "State": "Enabled", "LastModified": got["LastModified"]} and got["LastModified"] >= made["LastModified"]


EVERYTHING = {
    "sqs": {"BatchSize": 1000, "MaximumBatchingWindowInSeconds": 5, "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 7}, "MetricsConfig": {"Metrics": ["EventCount"]},
            "FilterCriteria": {"Filters": [{"Pattern": '{"body": {"a": [1]}}'}]}, "KMSKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"},
    "fifo": {"BatchSize": 10, "ScalingConfig": {"MaximumConcurrency": 1000}},
    "kinesis": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 10_000, "MaximumBatchingWindowInSeconds": 300, "ParallelizationFactor": 10,
                "BisectBatchOnFunctionError": True, "MaximumRecordAgeInSeconds": 604_800, "MaximumRetryAttempts": 10_000,
                "DestinationConfig": {"OnFailure": {"Destination": f"arn:aws:sns:us-east-1:{ACCOUNT}:t"}},
                "FunctionResponseTypes": ["ReportBatchItemFailures"]},
    "dynamodb": {"MaximumRecordAgeInSeconds": 60, "MaximumRetryAttempts": 0, "TumblingWindowInSeconds": 900,
                 "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::bucket"}}},
    "msk": {"AmazonManagedKafkaEventSourceConfig": {"ConsumerGroupId": "g"}, "ProvisionedPollerConfig": {"MinimumPollers": 1, "MaximumPollers": 5},
            "DestinationConfig": {"OnFailure": {"Destination": "kafka://failures"}}, "MaximumBatchingWindowInSeconds": 1,
            "MetricsConfig": {"Metrics": ["EventCount", "ErrorCount", "KafkaMetrics"]}},
    "kafka": {"SelfManagedKafkaEventSourceConfig": {"ConsumerGroupId": "g"}, "StartingPosition": "LATEST",
              "ProvisionedPollerConfig": {"MinimumPollers": 3, "MaximumPollers": 3}},
    "mq": {"BatchSize": 1, "SourceAccessConfigurations": BASIC["SourceAccessConfigurations"] + [{"Type": "VIRTUAL_HOST", "URI": "/"}]},
    "documentdb": {"DocumentDBEventSourceConfig": {"DatabaseName": "d", "CollectionName": "c", "FullDocument": "UpdateLookup"}}}


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_everything_that_a_source_can_be_told_is_kept(server, function, kind):
    made = create(server, kind, function, Enabled=False, Tags={"a": "1"}, **EVERYTHING[kind])
    got = settled(server, made["UUID"], "Disabled")
    assert {key: got[key] for key in EVERYTHING[kind]} == EVERYTHING[kind]
    assert server.client.list_tags(Resource=got["EventSourceMappingArn"])["Tags"] == {"a": "1"}


def test_a_position_in_time(server, function):
    made = create(server, "kinesis", function, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1_700_000_000.5)
    assert made["StartingPositionTimestamp"].timestamp() == 1_700_000_000.5 and made["StartingPosition"] == "AT_TIMESTAMP"


@pytest.mark.parametrize("form", ["{name}", f"{ACCOUNT}:function:{{name}}", PREFIX + "function:{name}"])
def test_every_form_of_a_function_s_name(server, name, function, form):
    made = create(server, "sqs", name, function=form.format(name=name))
    assert made["FunctionArn"] == f"{PREFIX}function:{name}"


def test_versions_and_aliases_can_be_mapped(server, name):
    server.create(name, "def handler(event, context):\n    return 1\n", Publish=True)
    server.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    arns = [create(server, "sqs", name, function=form)["FunctionArn"] for form in (name, f"{name}:1", f"{name}:live", f"{PREFIX}function:{name}:$LATEST")]
    assert arns == [f"{PREFIX}function:{name}{suffix}" for suffix in ("", ":1", ":live", ":$LATEST")], "each is another function to a mapping"
    assert error_of(server.client.create_event_source_mapping, **request("sqs", name, f"{name}:2")) == (
        400, "InvalidParameterValueException", "Function does not exist")


# States


def test_disabled_enabled_updated_and_deleted(server, function):
    client, uuid = server.client, create(server, "kinesis", function, Enabled=False)["UUID"]
    first = settled(server, uuid, "Disabled")

    def update(**change):
        answer = client.update_event_source_mapping(UUID=uuid, **change)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
        return answer
    answer = update(BatchSize=7)
    assert (answer["State"], answer["BatchSize"]) == ("Updating", 7)
    assert settled(server, uuid, "Disabled")["BatchSize"] == 7
    assert update(Enabled=True)["State"] == "Enabling"
    assert settled(server, uuid, "Enabled")["BatchSize"] == 7, "what an update does not name stays"
    assert update(MaximumRetryAttempts=3, Enabled=True)["State"] == "Updating"
    settled(server, uuid, "Enabled")
    assert update(Enabled=False)["State"] == "Disabling"
    last = settled(server, uuid, "Disabled")
    assert last == {**first, "BatchSize": 7, "MaximumRetryAttempts": 3, "LastModified": last["LastModified"]}
    deleted = client.delete_event_source_mapping(UUID=uuid)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 202 and deleted["State"] == "Deleting" and deleted["UUID"] == uuid
    gone(server, uuid)
    for call in (client.get_event_source_mapping, client.update_event_source_mapping, client.delete_event_source_mapping):
        assert error_of(call, UUID=uuid) == MISSING


def test_what_is_on_its_way_is_not_changed_or_is_there(server, function):
    """An update or a deletion directly after another either finds the mapping at rest or is told that it is in use."""
    client, uuid = server.client, create(server, "sqs", function)["UUID"]
    told = set()
    for i in range(40):
        try:
            client.update_event_source_mapping(UUID=uuid, BatchSize=i % 10 + 1)
            told.add("done")
        except botocore.exceptions.ClientError as error:
            told.add((error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"], error.response["Error"]["Message"]))
    assert told <= {"done", (400, "ResourceInUseException", "Cannot update the event source mapping because it is in use.")} and "done" in told
    settled(server, uuid, "Enabled")


@pytest.mark.parametrize("change, cleared", [
    ({"FilterCriteria": {}}, "FilterCriteria"), ({"FilterCriteria": {"Filters": []}}, "FilterCriteria"), ({"ScalingConfig": {}}, "ScalingConfig"),
    ({"MetricsConfig": {"Metrics": []}}, "MetricsConfig"), ({"KMSKeyArn": ""}, "KMSKeyArn")], ids=str)
def test_an_update_takes_away(server, function, change, cleared):
    uuid = create(server, "sqs", function, **EVERYTHING["sqs"])["UUID"]
    before = settled(server, uuid, "Enabled")
    server.client.update_event_source_mapping(UUID=uuid, **change)
    after = settled(server, uuid, "Enabled")
    assert {**before, "LastModified": None} == {**after, "LastModified": None, cleared: before[cleared]} and cleared not in after


def test_an_update_takes_destinations_and_functions(server, name, function):
    make_function(server, name + "-2")
    uuid = create(server, "kinesis", name, **EVERYTHING["kinesis"])["UUID"]
    settled(server, uuid, "Enabled")
    server.client.update_event_source_mapping(UUID=uuid, DestinationConfig={"OnFailure": {"Destination": ""}}, FunctionName=name + "-2")
    after = settled(server, uuid, "Enabled")
    assert after["DestinationConfig"] == {"OnFailure": {}} and after["FunctionArn"] == f"{PREFIX}function:{name}-2"
    assert error_of(server.client.update_event_source_mapping, UUID=uuid, FunctionName=name + "-3") == (
        400, "InvalidParameterValueException", "Function does not exist")
    assert get(server, uuid) == after


def test_an_update_is_refused_as_a_whole(server, function):
    uuid = create(server, "sqs", function)["UUID"]
    before = settled(server, uuid, "Enabled")
    for wrong in ({"BatchSize": 11}, {"ParallelizationFactor": 2}, {"FilterCriteria": {"Filters": [{"Pattern": "x"}]}}, {"BatchSize": 0}):
        assert error_of(server.client.update_event_source_mapping, UUID=uuid, Enabled=False, MaximumBatchingWindowInSeconds=0, **wrong)[0] == 400
        assert get(server, uuid) == before


# What there can be only once


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_duplicates(server, name, function, kind):
    client, first = server.client, create(server, kind, function)
    status, code, text = error_of(client.create_event_source_mapping, **request(kind, function))
    assert (status, code) == (409, "ResourceConflictException")
    assert text.endswith(f" already exists. Please update or delete the existing mapping with UUID {first['UUID']}"), text
    # Another function, another source and another region are another matter.
    make_function(server, name + "-2")
    second = create(server, kind, name, function=name + "-2")
    create(server, kind, name + "-other", function=name)
    settled(server, second["UUID"], "Enabled")
    assert error_of(client.update_event_source_mapping, UUID=second["UUID"], FunctionName=name)[:2] == (409, "ResourceConflictException")
    # A mapping that goes is in nobody's way.
    settled(server, first["UUID"], "Enabled")
    client.delete_event_source_mapping(UUID=first["UUID"])
    assert create(server, kind, function)["UUID"] != first["UUID"]


def test_one_of_many_at_once_is_made(server, function):
    results = []

    def call():
        try:
            results.append(server.client.create_event_source_mapping(**request("sqs", function))["UUID"])
        except server.client.exceptions.ResourceConflictException:
            results.append(None)
    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 16 and len([uuid for uuid in results if uuid]) == 1


# What is refused


PARAMETER = (400, "InvalidParameterValueException")
VALIDATION = (400, "ValidationException")
UNSUPPORTED = "Unsupported {} parameter for given event source mapping type."


@pytest.mark.parametrize("kind, change, error, text", [
    ("sqs", {"EventSourceArn": None}, PARAMETER, "Unrecognized event source."),
    ("sqs", {"EventSourceArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:t"}, PARAMETER, "Unrecognized event source."),
    ("sqs", {"EventSourceArn": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t"}, PARAMETER, "Unrecognized event source."),
    ("sqs", {"EventSourceArn": "queue"}, VALIDATION, "1 validation error detected: Value 'queue' at 'eventSourceArn' failed"),
    ("sqs", {"FunctionName": "no such"}, VALIDATION, "1 validation error detected: Value 'no such' at 'functionName' failed"),
    ("sqs", {"FunctionName": None}, VALIDATION, "1 validation error detected: Value null at 'functionName' failed"),
    ("sqs", {"FunctionName": "absent"}, PARAMETER, "Function does not exist"),
    ("sqs", {"BatchSize": 0}, VALIDATION, "1 validation error detected: Value '0' at 'batchSize'"),
    ("sqs", {"BatchSize": 10_001}, VALIDATION, "1 validation error detected: Value '10001' at 'batchSize'"),
    ("sqs", {"BatchSize": 11}, PARAMETER, "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"),
    ("sqs", {"MaximumBatchingWindowInSeconds": 301}, VALIDATION, "1 validation error detected: Value '301'"),
    ("sqs", {"StartingPosition": "LATEST"}, PARAMETER, "StartingPosition is not valid for SQS event sources."),
    ("sqs", {"ParallelizationFactor": 1}, PARAMETER, UNSUPPORTED.format("ParallelizationFactor")),
    ("sqs", {"MaximumRetryAttempts": 1}, PARAMETER, UNSUPPORTED.format("MaximumRetryAttempts")),
    ("sqs", {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::b"}}}, PARAMETER, UNSUPPORTED.format("DestinationConfig")),
    ("sqs", {"Topics": ["orders"]}, PARAMETER, UNSUPPORTED.format("Topics")),
    ("sqs", {"ScalingConfig": {"MaximumConcurrency": 1}}, VALIDATION, "1 validation error detected: Value '1' at 'scalingConfig.maximumConcurrency'"),
    ("sqs", {"ScalingConfig": {"MaximumConcurrency": 5}, "ProvisionedPollerConfig": {"MinimumPollers": 2}}, PARAMETER, "MaximumConcurrency and"),
    ("sqs", {"ProvisionedPollerConfig": {"MinimumPollers": 1}}, PARAMETER, "MinimumPollers must be at least 2"),
    ("sqs", {"FunctionResponseTypes": ["Everything"]}, VALIDATION, "1 validation error detected: Value '[Everything]' at 'functionResponseTypes'"),
    ("sqs", {"MetricsConfig": {"Metrics": ["KafkaMetrics"]}}, PARAMETER, UNSUPPORTED.format("MetricsConfig")),
    ("sqs", {"Tags": {"aws:a": "b"}}, PARAMETER, ""),
    ("fifo", {"BatchSize": 11}, PARAMETER, "Batch size 11"),
    ("fifo", {"MaximumBatchingWindowInSeconds": 1}, PARAMETER, "Batching window"),
    ("kinesis", {"StartingPosition": None}, PARAMETER,
     "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null."),
    ("kinesis", {"StartingPosition": "FIRST"}, VALIDATION, "1 validation error detected: Value 'FIRST' at 'startingPosition' failed to satisfy "
     "constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]"),
    ("kinesis", {"StartingPosition": "AT_TIMESTAMP"}, PARAMETER, "Required 'startingPositionTimestamp' parameter is missing."),
    ("kinesis", {"StartingPositionTimestamp": 1}, PARAMETER, "StartingPositionTimestamp"),
    ("kinesis", {"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:s3:::b"}}}, PARAMETER, UNSUPPORTED.format("DestinationConfig")),
    ("kinesis", {"MaximumRecordAgeInSeconds": 59}, PARAMETER, "MaximumRecordAgeInSeconds"),
    ("kinesis", {"TumblingWindowInSeconds": 1, "ParallelizationFactor": 2}, PARAMETER, "TumblingWindowInSeconds"),
    ("kinesis", {"ScalingConfig": {"MaximumConcurrency": 2}}, PARAMETER, UNSUPPORTED.format("ScalingConfig")),
    ("dynamodb", {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1}, PARAMETER, "Unsupported starting position for arn type: arn:aws:dynamodb:"),
    ("msk", {"Topics": None}, PARAMETER, "Required 'topics' parameter is missing."),
    ("msk", {"Topics": ["orders", "bills"]}, VALIDATION, "1 validation error detected: Value '[orders, bills]' at 'topics'"),
    ("kafka", {"SourceAccessConfigurations": None}, PARAMETER, "Required 'sourceAccessConfigurations' parameter is missing."),
    ("kafka", {"SelfManagedEventSource": None}, PARAMETER, "Unrecognized event source."),
    ("kafka", {"SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["no port"]}}}, VALIDATION, "1 validation error detected: "),
    ("mq", {"Queues": None}, PARAMETER, "Required 'queues' parameter is missing."),
    ("mq", {"SourceAccessConfigurations": [{"Type": "PASSWORD", "URI": SECRET}]}, VALIDATION, "1 validation error detected: Value 'PASSWORD'"),
    ("documentdb", {"DocumentDBEventSourceConfig": {}}, PARAMETER, "Required '"),
], ids=lambda v: "-".join(v) if isinstance(v, dict) else v if isinstance(v, str) and v in SOURCES else "")
def test_what_is_refused(server, function, kind, change, error, text):
    arguments = {key: value for key, value in request(kind, function, **change).items() if value is not None}
    answer = error_of(server.client.create_event_source_mapping, **arguments)
    assert answer[:2] == error and answer[2].startswith(text), answer
    assert server.client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"] == [], "nothing was made"


@pytest.mark.parametrize("uuid", [ABSENT, ABSENT.upper().replace("0", "F")])
def test_unknown(server, uuid):
    client = server.client
    for call in (client.get_event_source_mapping, client.update_event_source_mapping, client.delete_event_source_mapping):
        assert error_of(call, UUID=uuid) == MISSING
        assert error_of(call, UUID="short")[:2] == VALIDATION


def test_others_do_not_see_it(server, function):
    made = create(server, "sqs", function, Enabled=False)
    settled(server, made["UUID"], "Disabled")
    for other in (server.make_client(region="eu-west-1"), server.make_client(key="123456789012")):
        for call in (other.get_event_source_mapping, other.update_event_source_mapping, other.delete_event_source_mapping):
            assert error_of(call, UUID=made["UUID"]) == MISSING
        assert other.list_event_source_mappings()["EventSourceMappings"] == []
    assert get(server, made["UUID"].upper()) == get(server, made["UUID"]), "a UUID has no case"


# Filters


@pytest.mark.parametrize("pattern", [
    {"body": {"a": ["x"]}}, {"a": [""]}, {"a": [None]}, {"a": [1, 1.5, "x", True]}, {"a": [{"equals-ignore-case": "x"}]}, {"a": [{"anything-but": ["x", "y"]}]},
    {"a": [{"numeric": ["=", 5]}]}, {"a": [{"numeric": [">", 0, "<=", 5.5]}]}, {"a": [{"exists": True}]}, {"a": [{"exists": False}]},
    {"a": [{"prefix": "x"}]}, {"a": [{"suffix": "x"}]}, {"$or": [{"a": [1]}, {"b": {"c": [2]}}]}, {"a": ["x", {"prefix": "y"}], "b": [1]}], ids=json.dumps)
def test_filters_of_the_guide(server, function, pattern):
    criteria = {"Filters": [{"Pattern": json.dumps(pattern)}]}
    made = create(server, "sqs", function, FilterCriteria=criteria)
    assert made["FilterCriteria"] == criteria and settled(server, made["UUID"], "Enabled")["FilterCriteria"] == criteria


@pytest.mark.parametrize("pattern", [
    "", "x", "null", "[]", "1", "{}", '{"a": "x"}', '{"a": []}', '{"a": {}}', '{"a": [[1]]}', '{"a": [{}]}', '{"a": [{"like": "x"}]}',
    '{"a": [{"prefix": 1}]}', '{"a": [{"exists": "yes"}]}', '{"a": [{"numeric": ["~", 1]}]}', '{"a": [{"numeric": [">", "1"]}]}',
    '{"a": [{"numeric": [">", 5, "<", 1]}]}', '{"a": [{"prefix": "x", "suffix": "y"}]}', '{"a": [1], "a": [2]}', '{"a": [1]', '{"a": [1]} x',
    '{"a": [{"anything-but": []}]}', '{"a": [1,]}'])
def test_filters_that_are_none(server, function, pattern):
    answer = error_of(server.client.create_event_source_mapping, **request("sqs", function, FilterCriteria={"Filters": [{"Pattern": pattern}]}))
    assert answer == (400, "InvalidParameterValueException", "Invalid filter pattern definition.")


def test_the_number_and_size_of_filters(server, function):
    def filters(*patterns):
        return request("sqs", function, FilterCriteria={"Filters": [{"Pattern": pattern} for pattern in patterns]})
    call = server.client.create_event_source_mapping
    assert error_of(call, **filters(*['{"a": [1]}'] * 6))[:2] == PARAMETER
    assert error_of(call, **filters('{"a": ["' + "x" * 4096 + '"]}'))[:2] == VALIDATION
    nested = '{"a":' * 800
    assert error_of(call, **filters(nested))[:2] == PARAMETER
    assert error_of(call, **filters('{"a":' + "[" * 4000))[:2] == PARAMETER
    assert len(call(**filters(*['{"a": [1]}'] * 4, '{"a": ["' + "x" * 4000 + '"]}'))["FilterCriteria"]["Filters"]) == 5


# Lists


def test_lists_by_function_and_by_source(server, name, function):
    make_function(server, name + "-2")
    made = {}
    for i in range(5):
        made["first", i] = create(server, "sqs", f"{name}-{i}", function=name, Enabled=False)
        made["second", i] = create(server, "sqs", f"{name}-{i}", function=name + "-2", Enabled=False)
    paginator = server.client.get_paginator("list_event_source_mappings")

    def listed(size=None, **arguments):
        pages = list(paginator.paginate(**arguments, PaginationConfig={"PageSize": size}))
        assert all(len(page["EventSourceMappings"]) <= (size or 100) for page in pages)
        return sorted(mapping["UUID"] for page in pages for mapping in page["EventSourceMappings"])

    def uuids(chosen):
        return sorted(mapping["UUID"] for key, mapping in made.items() if chosen(*key))
    source = made["first", 3]["EventSourceArn"]
    for size in (None, 1, 2, 5):
        assert listed(size, FunctionName=name) == uuids(lambda which, i: which == "first")
        assert listed(size, FunctionName=f"{PREFIX}function:{name}-2") == uuids(lambda which, i: which == "second")
        assert listed(size, EventSourceArn=source) == uuids(lambda which, i: i == 3)
        assert listed(size, EventSourceArn=source, FunctionName=name) == uuids(lambda which, i: i == 3 and which == "first")
    assert set(uuids(lambda *_: True)) <= set(listed())
    assert listed(FunctionName=name + ":$LATEST") == listed(FunctionName=name + "-absent") == listed(EventSourceArn=source + "x") == []
    client = server.client
    for wrong in ({"MaxItems": 0}, {"MaxItems": 10_001}, {"EventSourceArn": "queue"}, {"FunctionName": "a b"}):
        assert error_of(client.list_event_source_mappings, **wrong)[:2] == VALIDATION
    assert error_of(client.list_event_source_mappings, Marker="nonsense")[0] == 400


# What outlives what


def test_mappings_outlive_their_function(server, name, function):
    uuid = create(server, "sqs", function)["UUID"]
    before = settled(server, uuid, "Enabled")
    server.client.delete_function(FunctionName=name)
    assert get(server, uuid) == before
    assert [m["UUID"] for m in server.client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]] == [uuid]
    server.client.update_event_source_mapping(UUID=uuid, Enabled=False)
    settled(server, uuid, "Disabled")
    server.client.delete_event_source_mapping(UUID=uuid)
    gone(server, uuid)


def test_kill_on_the_way_to_a_state(own_server):
    """kill -9 in the middle of transitions: each mapping gets to where the last acknowledged call sent it."""
    server = own_server()
    make_function(server, "f")
    names = ("stay", "off", "change", "go")
    uuids = {(name, i): create(server, "sqs", f"{name}{i}", function="f", Tags={"n": name})["UUID"] for name in names for i in range(6)}
    for uuid in uuids.values():
        settled(server, uuid, "Enabled")
    for (name, _), uuid in uuids.items():
        if name == "go":
            server.client.delete_event_source_mapping(UUID=uuid)
        elif name != "stay":
            change = {"Enabled": False} if name == "off" else {"BatchSize": 3}
            server.client.update_event_source_mapping(UUID=uuid, **change)
    late = [create(server, "kinesis", f"late{i}", function="f", Enabled=i % 2 == 0)["UUID"] for i in range(6)]
    server.stop(signal.SIGKILL)
    second = own_server(state=server.state)
    for i, uuid in enumerate(late):
        settled(second, uuid, "Disabled" if i % 2 else "Enabled")
    for (name, _), uuid in uuids.items():
        if name == "go":
            gone(second, uuid)
            continue
        found = settled(second, uuid, "Disabled" if name == "off" else "Enabled")
        assert found["BatchSize"] == (3 if name == "change" else 10)
        assert second.client.list_tags(Resource=found["EventSourceMappingArn"])["Tags"] == {"n": name}
    pages = second.client.get_paginator("list_event_source_mappings").paginate()
    assert {m["UUID"] for page in pages for m in page["EventSourceMappings"]} == set(late) | {u for (n, _), u in uuids.items() if n != "go"}


@pytest.mark.parametrize("seed", range(3))
def test_killed_while_clients_change_mappings(own_server, seed):
    """Nothing is left half way after a restart, whenever the server was killed; what was acknowledged is there."""
    import random
    server, kill = own_server(), random.Random(seed).randint(20, 120)
    make_function(server, "f")
    known, lock = {}, threading.Lock()
    enough = threading.Event()

    def work(number):
        client, choice, count = server.make_client(), random.Random((seed, number).__repr__()), 0
        while True:
            uuid, want = None, None
            try:
                with lock:
                    mine = [key for key, (owner, wanted) in known.items() if owner == number and wanted not in (None, "unknown")]
                if not mine or choice.random() < 0.4:
                    count += 1
                    want = choice.choice(["Enabled", "Disabled"])
                    make_source(server, "sqs", f"q{number}-{count}")
                    uuid = client.create_event_source_mapping(
                        **request("sqs", f"q{number}-{count}", "f", Enabled=want == "Enabled"))["UUID"]
                else:
                    uuid, want = choice.choice(mine), choice.choice(["Enabled", "Disabled", None])
                    if want:
                        client.update_event_source_mapping(UUID=uuid, Enabled=want == "Enabled")
                    else:
                        client.delete_event_source_mapping(UUID=uuid)
            except client.exceptions.ResourceInUseException:
                continue
            except Exception:
                # The server is gone, and nobody has said whether the call had an effect.
                if uuid:
                    with lock:
                        known[uuid] = (number, "unknown")
                return
            with lock:
                known[uuid] = (number, want)
                if len(known) > kill:
                    enough.set()
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(4)]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    server.stop(signal.SIGKILL)
    for thread in threads:
        thread.join()
    second = own_server(state=server.state)
    for uuid, (_, want) in known.items():
        if want == "unknown":
            wait_until(lambda: (found := get(second, uuid)) is None or found["State"] in ("Enabled", "Disabled"), 10, "rest")
        elif want is None:
            gone(second, uuid)
        else:
            settled(second, uuid, want)

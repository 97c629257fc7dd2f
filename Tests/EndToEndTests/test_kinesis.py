# Kinesis as clients use it: records in and out, shards, the clock, crashes.
import datetime
import json
import signal
import subprocess
import sys
import threading

import botocore.exceptions
import pytest

from conftest import error_of, wait_until
from test_iam import client_of
from test_sqs import advance

ACCOUNT = "000000000000"


@pytest.fixture
def kinesis(server):
    return client_of(server, "kinesis")


@pytest.fixture
def stream(kinesis, name):
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    yield name
    kinesis.delete_stream(StreamName=name, EnforceConsumerDeletion=True)
    kinesis.get_waiter("stream_not_exists").wait(StreamName=name)


def read(kinesis, stream, shard="shardId-000000000000", type="TRIM_HORIZON", **start):
    """All records of a shard, to its end or to its tip."""
    iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType=type, **start)["ShardIterator"]
    records = []
    while iterator:
        page = kinesis.get_records(ShardIterator=iterator)
        records += page["Records"]
        if not page["Records"] and page["MillisBehindLatest"] == 0:
            break
        iterator = page.get("NextShardIterator")
    return records


def read_all(kinesis, stream):
    shards = [shard["ShardId"] for page in kinesis.get_paginator("list_shards").paginate(StreamName=stream) for shard in page["Shards"]]
    return [record for shard in shards for record in read(kinesis, stream, shard)]


def test_records_of_any_bytes(kinesis, stream):
    blobs = [b"", b"\x00\xff" * 100, "é".encode(), bytes(1 << 20)[:-1]]
    for blob in blobs:
        kinesis.put_record(StreamName=stream, Data=blob, PartitionKey="é" if len(blob) < 1000 else "k")
    answer = kinesis.put_records(StreamName=stream, Records=[{"Data": b"a", "PartitionKey": "1"}, {"Data": b"b", "PartitionKey": "2", "ExplicitHashKey": "5"}])
    assert answer["FailedRecordCount"] == 0 and answer["EncryptionType"] == "NONE"
    found = read(kinesis, stream)
    assert [record["Data"] for record in found] == blobs + [b"a", b"b"] and found[0]["PartitionKey"] == "é"
    numbers = [record["SequenceNumber"] for record in found]
    assert numbers[-2:] == [record["SequenceNumber"] for record in answer["Records"]]
    assert sorted(numbers, key=int) == numbers and {len(number) for number in numbers} == {56}
    assert [record["Data"] for record in read(kinesis, stream, type="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[3])] == [b"a", b"b"]
    at = found[4]["ApproximateArrivalTimestamp"] - datetime.timedelta(milliseconds=1)
    assert read(kinesis, stream, type="AT_TIMESTAMP", Timestamp=at)[-2:] == found[-2:]
    _, code, message = error_of(kinesis.put_record, StreamName=stream, Data=bytes(1 << 20), PartitionKey="k")
    assert code == "ValidationException" and message.endswith("Member must have length less than or equal to 1048576")


def test_streams_as_tools_see_them(kinesis, stream):
    arn = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{stream}"
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    assert summary["StreamARN"] == arn and summary["StreamStatus"] == "ACTIVE" and summary["OpenShardCount"] == 1
    assert summary["RetentionPeriodHours"] == 24 and summary["StreamModeDetails"] == {"StreamMode": "PROVISIONED"} and summary["EncryptionType"] == "NONE"
    shard, = kinesis.describe_stream(StreamARN=arn)["StreamDescription"]["Shards"]
    assert shard["HashKeyRange"] == {"StartingHashKey": "0", "EndingHashKey": str(2**128 - 1)}
    kinesis.add_tags_to_stream(StreamName=stream, Tags={"a": "1", "b": "2"})
    kinesis.tag_resource(ResourceARN=arn, Tags={"c": "3"})
    kinesis.remove_tags_from_stream(StreamName=stream, TagKeys=["a"])
    assert kinesis.list_tags_for_stream(StreamName=stream)["Tags"] == kinesis.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}]
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="fan")["Consumer"]
    assert consumer["ConsumerARN"].startswith(f"{arn}/consumer/fan:")
    assert kinesis.describe_stream_consumer(ConsumerARN=consumer["ConsumerARN"])["ConsumerDescription"]["StreamARN"] == arn
    assert stream in [name for page in kinesis.get_paginator("list_streams").paginate() for name in page["StreamNames"]]
    assert error_of(kinesis.create_stream, StreamName=stream, ShardCount=1) == (400, "ResourceInUseException", f"Stream {stream} under account {ACCOUNT} already exists.")
    assert error_of(kinesis.describe_stream, StreamName="no-such-stream")[1:] == ("ResourceNotFoundException", f"Stream no-such-stream under account {ACCOUNT} not found.")
    _, code, message = error_of(kinesis.describe_account_settings)
    assert code == "NotImplementedException" and "Kinesis.DescribeAccountSettings" in message


def test_records_follow_their_shards(kinesis, stream):
    for n in range(50):
        kinesis.put_record(StreamName=stream, Data=b"%d" % n, PartitionKey=str(n % 7))
    for step, (count, shards) in enumerate(((2, 3), (4, 7), (3, None), (2, None))):
        kinesis.update_shard_count(StreamName=stream, TargetShardCount=count, ScalingType="UNIFORM_SCALING")
        assert kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["OpenShardCount"] == count
        if shards:
            assert len(kinesis.list_shards(StreamName=stream)["Shards"]) == shards
        for n in range(20):
            kinesis.put_record(StreamName=stream, Data=b"%d-%d" % (step, n), PartitionKey=str(n % 7))
    # By the children of each shard, as consumers go: all is read once, and each key in its order.
    seen, waiting, ends = [], ["shardId-000000000000"], set()
    while waiting:
        shard = waiting.pop(0)
        if shard in ends:
            continue
        ends.add(shard)
        iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while iterator:
            page = kinesis.get_records(ShardIterator=iterator, Limit=9)
            seen += [(record["PartitionKey"], record["Data"]) for record in page["Records"]]
            iterator = page.get("NextShardIterator")
            if not page["Records"] and page["MillisBehindLatest"] == 0:
                break
        waiting += [child["ShardId"] for child in page.get("ChildShards", [])]
    assert len(seen) == len(set(seen)) == 50 + 4 * 20
    for key in map(str, range(7)):
        first = [b"%d" % n for n in range(50) if str(n % 7) == key]
        assert [data for found, data in seen if found == key][: len(first)] == first


def test_consumers_are_told_of_records(server, kinesis, stream):
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="fan")["Consumer"]["ConsumerARN"]
    numbers = [kinesis.put_record(StreamName=stream, Data=b"%d" % n, PartitionKey="k")["SequenceNumber"] for n in range(3)]

    def subscribe(**start):
        return kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId="shardId-000000000000", StartingPosition=start)["EventStream"]
    told, continuation = [], None
    for event in subscribe(Type="AFTER_SEQUENCE_NUMBER", SequenceNumber=numbers[0]):
        event = event["SubscribeToShardEvent"]
        told += [record["Data"] for record in event["Records"]]
        continuation = event.get("ContinuationSequenceNumber")
        if event.get("ChildShards"):
            break
        if told == [b"1", b"2"]:
            kinesis.put_record(StreamName=stream, Data=b"late", PartitionKey="k")
        elif told[2:] == [b"late"] and not event["Records"]:
            kinesis.split_shard(StreamName=stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127))
    assert told == [b"1", b"2", b"late"] and continuation is None
    assert [child["ShardId"] for child in event["ChildShards"]] == ["shardId-000000000001", "shardId-000000000002"]
    # What comes later is told to whoever goes on; another subscription of the consumer ends the first.
    child = {"ConsumerARN": consumer, "ShardId": "shardId-000000000001"}
    first = kinesis.subscribe_to_shard(**child, StartingPosition={"Type": "LATEST"})["EventStream"]
    assert next(iter(first))["SubscribeToShardEvent"]["Records"] == []
    second = kinesis.subscribe_to_shard(**child, StartingPosition={"Type": "TRIM_HORIZON"})["EventStream"]
    with pytest.raises(botocore.exceptions.EventStreamError, match="ResourceInUseException"):
        list(first)
    next(iter(second))
    second.close()
    assert error_of(kinesis.subscribe_to_shard, **{**child, "ShardId": "shardId-000000000009"}, StartingPosition={"Type": "LATEST"})[1] == "ResourceNotFoundException"


def test_the_clock_ends_iterators_and_records(own_server):
    server = own_server()
    kinesis = client_of(server, "kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    kinesis.put_record(StreamName="s", Data=b"old", PartitionKey="k")
    iterator = kinesis.get_shard_iterator(StreamName="s", ShardId="shardId-000000000000", ShardIteratorType="LATEST")["ShardIterator"]
    advance(server, "301s")
    assert error_of(kinesis.get_records, ShardIterator=iterator)[1] == "ExpiredIteratorException"
    advance(server, "12h")
    kinesis.put_record(StreamName="s", Data=b"new", PartitionKey="k")
    advance(server, "12h")
    assert [record["Data"] for record in read(kinesis, "s")] == [b"new"]
    kinesis.increase_stream_retention_period(StreamName="s", RetentionPeriodHours=48)
    server.stop(signal.SIGKILL)
    server = own_server(state=server.state)
    kinesis = client_of(server, "kinesis")
    advance(server, "35h")
    assert [record["Data"] for record in read(kinesis, "s")] == [b"new"]
    advance(server, "1h")
    assert read(kinesis, "s") == []


def test_a_crash_loses_no_record_that_was_taken(own_server):
    server = own_server()
    client_of(server, "kinesis").create_stream(StreamName="s", ShardCount=4)
    taken, lock = set(), threading.Lock()
    for round in range(3):
        stop = threading.Event()

        def put(worker):
            kinesis = client_of(server, "kinesis")
            for n in range(10_000):
                records = [{"Data": b"%d/%d/%d/%d" % (round, worker, n, i), "PartitionKey": str(i)} for i in range(10)]
                try:
                    answer = kinesis.put_records(StreamName="s", Records=records)
                except Exception:
                    return
                with lock:
                    taken.update((placed["SequenceNumber"], record["Data"]) for placed, record in zip(answer["Records"], records))
                if stop.is_set():
                    return
        workers = [threading.Thread(target=put, args=(worker,)) for worker in range(4)]
        for worker in workers:
            worker.start()
        wait_until(lambda: len(taken) >= 400 * (round + 1))
        server.stop(signal.SIGKILL)
        stop.set()
        for worker in workers:
            worker.join()
        server = own_server(state=server.state)
    found = [(record["SequenceNumber"], record["Data"]) for record in read_all(client_of(server, "kinesis"), "s")]
    assert len(found) == len(set(found)) and taken <= set(found) and len(taken) >= 1200


def test_the_command_line(server, kinesis, stream):
    environment = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "awscli", "--endpoint-url", server.endpoint, "kinesis", "put-record", "--stream-name", stream, "--partition-key", "k", "--data", "hello"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert [record["Data"] for record in read(kinesis, stream)] == [b"hello"]


def test_an_object_of_a_bucket_reaches_stream_log_group_and_function_by_one_rule(server, name):
    kinesis, logs, events, s3 = (client_of(server, service) for service in ("kinesis", "logs", "events", "s3"))
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    stream = kinesis.describe_stream(StreamName=name)["StreamDescription"]
    logs.create_log_group(logGroupName=f"/aws/events/{name}")
    server.create(name, "def handler(event, context):\n    print(event['detail']['object']['key'])\n")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.s3"], "detail": {"bucket": {"name": [name]}, "object": {"key": [{"suffix": ".csv"}]}}}))
    targets = [stream["StreamARN"], f"arn:aws:logs:us-east-1:000000000000:log-group:/aws/events/{name}", f"arn:aws:lambda:us-east-1:000000000000:function:{name}"]
    assert events.put_targets(Rule=name, Targets=[
        {"Id": str(i), "Arn": arn, **({"RoleArn": "arn:aws:iam::000000000000:role/r"} if i == 0 else {})} for i, arn in enumerate(targets)])["FailedEntryCount"] == 0
    s3.create_bucket(Bucket=name)
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}})
    for key in ("a b.csv", "b.txt"):
        s3.put_object(Bucket=name, Key=key, Body=b"1")
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=stream["Shards"][0]["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    [record] = wait_until(lambda: kinesis.get_records(ShardIterator=iterator)["Records"], 10, "the record")
    [line] = wait_until(lambda: logs.filter_log_events(logGroupName=f"/aws/events/{name}")["events"], 10, "the log event")
    assert json.loads(record["Data"])["detail"]["object"]["key"] == json.loads(line["message"])["detail"]["object"]["key"] == "a b.csv"
    printed = wait_until(lambda: logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"] and logs.filter_log_events(
        logGroupName=f"/aws/lambda/{name}", filterPattern='"a b.csv"')["events"], 10, "the function's line")
    assert len(printed) == 1

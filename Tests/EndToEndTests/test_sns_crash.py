# kill -9 while publishers run: whatever was acknowledged arrives, in order and once where that is promised.
import signal
import threading

import pytest

from test_iam import client_of
from test_sqs import drain
from test_sqs_crash import FAILURES


def publish(sns, topic, name, fifo, acknowledged, lock, stop):
    number = 0
    while not stop.is_set():
        messages = [f"{name}:{number + i:06d}" for i in range(4)]
        number += 4
        group = {"MessageGroupId": name} if fifo else {}
        try:
            sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[{"Id": str(i), "Message": m, **group} for i, m in enumerate(messages[:3])])
            with lock:
                acknowledged.update(messages[:3])
            sns.publish(TopicArn=topic, Message=messages[3], **group)
            with lock:
                acknowledged.add(messages[3])
        except FAILURES:
            return


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_nothing_acknowledged_is_lost(own_server, fifo):
    server = own_server()
    sns, sqs = client_of(server, "sns"), client_of(server, "sqs")
    suffix, attributes = (".fifo", {"FifoQueue": "true"}) if fifo else ("", {})
    topic = sns.create_topic(Name=f"t{suffix}", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"} if fifo else {})["TopicArn"]
    for name in ("one", "two"):
        sqs.create_queue(QueueName=f"{name}{suffix}", Attributes=attributes)
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:000000000000:{name}{suffix}", Attributes={"RawMessageDelivery": "true"})
    acknowledged, lock = set(), threading.Lock()
    for round in range(3):
        stop = threading.Event()
        target = len(acknowledged) + 200
        threads = [threading.Thread(target=publish, args=(client_of(server, "sns"), topic, f"r{round}p{i}", fifo, acknowledged, lock, stop)) for i in range(3)]
        for thread in threads:
            thread.start()
        while len(acknowledged) < target and any(thread.is_alive() for thread in threads):
            threads[0].join(0.01)
        server.stop(signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join(30)
        server = own_server(state=server.state)
    sqs = client_of(server, "sqs")
    assert len(acknowledged) >= 600
    for name in ("one", "two"):
        url = sqs.get_queue_url(QueueName=f"{name}{suffix}")["QueueUrl"]
        bodies = drain(sqs, url, WaitTimeSeconds=3)
        assert not acknowledged - set(bodies)
        if fifo:
            assert len(set(bodies)) == len(bodies)
            for publisher in {body.split(":")[0] for body in bodies}:
                own = [body for body in bodies if body.startswith(f"{publisher}:")]
                assert own == sorted(own)

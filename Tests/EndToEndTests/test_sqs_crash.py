# kill -9 while producers and consumers run: what was acknowledged is delivered, what was deleted stays deleted.
import collections
import signal
import threading

import botocore.exceptions
import pytest

from test_iam import client_of
from test_sqs import numbers

FAILURES = (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionClosedError, botocore.exceptions.EndpointConnectionError)


class Diary:
    """What clients know of their messages, over several runs of the server."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = set()
        self.deleted = set()
        self.received = collections.Counter()
        self.wrong = []
        self.order = collections.defaultdict(list)

    def produce(self, sqs, url, name, fifo, stop):
        number = 0
        while not stop.is_set():
            bodies = [f"{name}:{number + i:07d}" for i in range(5)]
            number += 5
            entries = [{"Id": str(i), "MessageBody": b, **({"MessageGroupId": name, "MessageDeduplicationId": b.replace(":", "-")} if fifo else {})} for i, b in enumerate(bodies)]
            try:
                sqs.send_message_batch(QueueUrl=url, Entries=entries)
                sent = bodies
                single = f"{name}:{number:07d}"
                number += 1
                sqs.send_message(QueueUrl=url, MessageBody=single, **({"MessageGroupId": name, "MessageDeduplicationId": single.replace(":", "-")} if fifo else {}))
                sent = [*bodies, single]
            except FAILURES:
                return
            finally:
                with self.lock:
                    self.acknowledged.update(locals().get("sent", []))

    def consume(self, sqs, url, stop):
        while not stop.is_set():
            try:
                self.take(sqs, url)
            except FAILURES:
                return

    def take(self, sqs, url, **settings):
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, **settings).get("Messages", [])
        with self.lock:
            for message in messages:
                body = message["Body"]
                self.received[body] += 1
                if body in self.deleted:
                    self.wrong.append(body)
                self.order[body.split(":")[0]].append(body)
        if messages:
            done = sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)])
            with self.lock:
                self.deleted.update(messages[int(entry["Id"])]["Body"] for entry in done["Successful"])
        return len(messages)


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_nothing_acknowledged_is_lost_and_nothing_deleted_returns(own_server, fifo):
    diary = Diary()
    server = own_server()
    sqs = client_of(server, "sqs")
    attributes = {"VisibilityTimeout": "2", **({"FifoQueue": "true"} if fifo else {})}
    sqs.create_queue(QueueName="q.fifo" if fifo else "q", Attributes=attributes)
    for round in range(4):
        sqs = client_of(server, "sqs")
        url = sqs.get_queue_url(QueueName="q.fifo" if fifo else "q")["QueueUrl"]
        stop = threading.Event()
        target = len(diary.acknowledged) + 300
        threads = [threading.Thread(target=diary.produce, args=(client_of(server, "sqs"), url, f"r{round}p{i}", fifo, stop)) for i in range(3)]
        threads += [threading.Thread(target=diary.consume, args=(client_of(server, "sqs"), url, stop)) for _ in range(2)]
        for thread in threads:
            thread.start()
        while len(diary.acknowledged) < target and any(thread.is_alive() for thread in threads):
            threads[0].join(0.01)
        server.stop(signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join(30)
        server = own_server(state=server.state)
    sqs = client_of(server, "sqs")
    url = sqs.get_queue_url(QueueName="q.fifo" if fifo else "q")["QueueUrl"]
    while diary.take(sqs, url, WaitTimeSeconds=3):
        pass
    assert numbers(sqs, url) == [0, 0, 0]
    assert len(diary.acknowledged) >= 1200
    assert not diary.acknowledged - set(diary.received)
    assert not diary.wrong
    if fifo:
        # A message that came again comes before what follows it.
        for bodies in diary.order.values():
            firsts = list(dict.fromkeys(bodies))
            assert firsts == sorted(firsts)

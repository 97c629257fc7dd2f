# Threads of the server that wait awake for a moment: what is answered is the same, and a server with nothing to do does nothing.
import os
import threading
import time

import pytest

ECHO = "def handler(event, context): return event"


def processor_time(pid):
    """Seconds."""
    with open(f"/proc/{pid}/stat") as text:
        fields = text.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("spin", ["0", "10000"])
def test_an_idle_server_does_nothing(own_server, spin):
    server = own_server("--spin", spin)
    server.create("f", {"app.py": ECHO})
    wrong = []

    def calls(caller):
        for i in range(50):
            if server.invoke("f", {"of": caller, "number": i}).succeeded() != {"of": caller, "number": i}:
                wrong.append((caller, i))

    callers = [threading.Thread(target=calls, args=(caller,)) for caller in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong
    before = processor_time(server.process.pid)
    time.sleep(2)  # what is measured is this
    assert processor_time(server.process.pid) - before < 0.5

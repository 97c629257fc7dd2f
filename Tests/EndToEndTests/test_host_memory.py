# When the host's memory runs out: idle environments make way, then callers hear of it, and nobody is killed for another.
import concurrent.futures
import contextlib
import urllib.request

import pytest

from conftest import processes_in_control_groups, wait_until
from test_reasons import martlet, reasons
from test_reserved_concurrency import admitted
from test_scaling import outcome

CODE = """
import time
ballast = bytearray(int(SIZE) << 20)
for page in range(0, len(ballast), 4096): ballast[page] = 1
def handler(event, context):
    time.sleep((event or {}).get("sleep", 0))
    return context.log_stream_name
"""


def available():
    """Mebibytes, as the server sees them."""
    with open("/proc/meminfo") as text:
        figures = {line.split(":")[0]: int(line.split()[1]) >> 10 for line in text}
    found = figures["MemAvailable"]
    for limit, usage in (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")):
        try:
            with open(f"/sys/fs/cgroup/{limit}") as first, open(f"/sys/fs/cgroup/{usage}") as second:
                found = min(found, (int(first.read()) - int(second.read())) >> 20)
        except (OSError, ValueError):
            pass
    return found


def evicted(server):
    with urllib.request.urlopen(f"{server.endpoint}/_martlet/metrics") as answer:
        return int(float([line.split()[1] for line in answer.read().decode().splitlines() if line.startswith("martlet_environments_evicted_total ")][0]))


def test_without_memory_only_one_runs(own_server, name):
    """All of the memory is to be left free, and a function more than that."""
    server = own_server("--memory-reserve", "100000000")
    for function in (name, f"{name}-b"):
        server.create(function, CODE.replace("SIZE", "16"), MemorySize=256, Timeout=20)
    # The only environment there is may be started whatever it costs; it is no loss when it is idle.
    assert outcome(server, name) == "ok"
    assert outcome(server, f"{name}-b") in ("ok", "ConcurrentInvocationLimitExceeded")
    found = {**reasons(server, name, "throttle"), **reasons(server, f"{name}-b", "throttle")}
    assert set(found) <= {"HostMemory"}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(admitted, server, name, {"sleep": 4})
        wait_until(lambda: outcome(server, f"{name}-b") == "ConcurrentInvocationLimitExceeded", 20, "a refusal")
        running.result().succeeded()
    assert "the host's memory was used up" in martlet(server, "explain", f"{name}-b")


@pytest.mark.alone
def test_idle_environments_make_way(own_server, name):
    """There is memory for a few environments, and there are more functions than that."""
    server = own_server("--memory-reserve", str(available() - 600))
    functions = [f"{name}-{number}" for number in range(8)]
    for function in functions:
        server.create(function, CODE.replace("SIZE", "150"), MemorySize=512, Timeout=20)
    for function in functions:
        wait_until(lambda: outcome(server, function) == "ok", 20, f"{function}, in the place of another")
    assert evicted(server) > 0
    # The first of them is no more, and says why it starts anew.
    for function in functions[:4]:
        wait_until(lambda: outcome(server, function) == "ok", 20, f"{function}, again")
    assert any(reasons(server, function).get("Evicted") for function in functions)


def test_whom_the_kernel_would_end_first(own_server, name):
    server = own_server()

    def score(pid):
        with open(f"/proc/{pid}/oom_score_adj") as text:
            return int(text.read())

    def scores(pids):
        found = set()
        for pid in pids:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):   # what waits comes and goes
                found.add(score(pid))
        return found
    server.create(name, """
def handler(event, context):
    try:
        with open("/proc/self/oom_score_adj", "w") as file: file.write("-900")
    except OSError: pass
    return int(open("/proc/self/oom_score_adj").read())
""")
    assert server.invoke(name).succeeded() == 500
    assert scores(processes_in_control_groups(server.state)) == {500}
    mine = score("self")
    assert score(server.process.pid) <= mine and max(scores(server.children())) <= mine

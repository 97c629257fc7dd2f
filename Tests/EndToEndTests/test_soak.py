# Environments that come and go by the thousand leave nothing behind: no process, mount, namespace, control group,
# descriptor or file, and no growing memory of the server or its sandbox process. MARTLET_SOAK=20000 makes it longer.
import concurrent.futures
import os
import re
import time

import pytest

from conftest import control_groups, descendants, package, wait_until
from test_fast_start import figures

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="control groups and other users' descriptors need root")

ENVIRONMENTS = int(os.environ.get("MARTLET_SOAK", 1200))
AT_ONCE = 30

# After the warm-up a server's memory may grow by this much, however many environments come and go: allocators keep
# what they have once had, in steps. A leak of one kibibyte per environment shows in a run of a few thousand.
SLACK_KIB = 4 * 1024
PER_ENVIRONMENT_KIB = 1

# Speaks the Runtime API with nothing but bash, because that starts in a few milliseconds. The event says how it ends.
BOOTSTRAP = r"""#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/9001
while true; do
  printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: a\r\n\r\n' >&3
  length=0
  while IFS= read -r line <&3; do
    line=${line%$'\r'}
    [ -z "$line" ] && break
    case "${line,,}" in
      lambda-runtime-aws-request-id:*) id=${line#*: } ;;
      content-length:*) length=${line#*: } ;;
    esac
  done
  IFS= read -r -N "$length" event <&3
  case "$event" in
    *exit*) exit 3 ;;
    *kill*) kill -9 $$ ;;
    *daemon*) (sleep 1000; echo never) & ;;
    *fill*) head -c 3000000 /dev/zero > /tmp/filled; exec 7<>/tmp/filled ;;
    *hang*) sleep 1000 ;;
  esac
  printf 'POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"%s"' "$id" $((${#AWS_LAMBDA_LOG_STREAM_NAME} + 2)) "$AWS_LAMBDA_LOG_STREAM_NAME" >&3
  while IFS= read -r line <&3; do line=${line%$'\r'}; [ -z "$line" ] && break; case "${line,,}" in content-length:*) length=${line#*: } ;; esac; done
  IFS= read -r -N "$length" answer <&3
done
"""


# The same for forks of a zygote, which is itself replaced after a thousand of them.
PYTHON = r"""
import os, signal, subprocess, time
def handler(event, context):
    end = event['end']
    if end == 'exit': os._exit(3)
    if end == 'kill': os.kill(os.getpid(), signal.SIGKILL)
    if end == 'daemon': subprocess.Popen(['/bin/sh', '-c', 'sleep 1000'])
    if end == 'fill':
        event['kept'] = open('/tmp/filled', 'wb+')
        event['kept'].write(bytes(3000000))
    if end == 'hang': time.sleep(1000)
    return context.log_stream_name
"""
# The same for runtimes that are up before it is known whose they will be.
NODE = r"""
import fs from 'node:fs';
import { spawn } from 'node:child_process';
export const handler = async ({ end }, context) => {
  if (end === 'exit') process.exit(3);
  if (end === 'kill') process.kill(process.pid, 'SIGKILL');
  if (end === 'daemon') spawn('/bin/sh', ['-c', 'sleep 1000'], { detached: true, stdio: 'ignore' }).unref();
  if (end === 'fill') fs.writeSync(fs.openSync('/tmp/filled', 'w'), Buffer.alloc(3000000));
  if (end === 'hang' || end === 'kill') await new Promise((resolve) => setTimeout(resolve, 100000));
  return context.logStreamName;
};
"""
# Pools of two: then as much is ready whatever the demand was.
KINDS = {"bash": (ENVIRONMENTS, ["--pools", "2"], "provided.al2023", package({"bootstrap": (BOOTSTRAP, 0o755)})),
         "forks": (ENVIRONMENTS // 8 if ENVIRONMENTS <= 1200 else ENVIRONMENTS, ["--pools", "2"], "python3.11", package({"app.py": PYTHON})),
         "cells": (ENVIRONMENTS // 8 if ENVIRONMENTS <= 1200 else ENVIRONMENTS, ["--pools", "2"], "nodejs20.x", package({"app.mjs": NODE}))}


class Census:
    """What exists because of a server, as the kernel tells it."""

    def __init__(self, server):
        pids = [server.process.pid, *server.children()]
        below = descendants(server.process.pid)
        self.processes = len(below)
        self.descriptors = [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]
        self.threads = [len(os.listdir(f"/proc/{pid}/task")) for pid in pids]
        self.groups = len(control_groups(server.state))
        self.mounts = [count_lines(f"/proc/{pid}/mountinfo") for pid in ("self", *pids)]
        self.namespaces = namespaces(pids + below)
        self.files = sorted(os.path.relpath(os.path.join(top, f), server.state) for top, _, files in os.walk(server.state) for f in files
                            if not f.endswith(("-wal", "-shm")))

    def __eq__(self, other):
        return isinstance(other, Census) and {**vars(self), "threads": 0} == {**vars(other), "threads": 0}

    def __repr__(self):
        return repr({name: value for name, value in vars(self).items() if name != "files"} | {"files": len(self.files)})


def count_lines(path):
    with open(path) as text:
        return sum(1 for _ in text)


def namespaces(pids):
    """How many of each kind: those of processes, and those that a descriptor alone keeps."""
    kinds = {}
    for pid in pids:
        for directory in ("ns", "fd"):
            try:
                for name in os.listdir(f"/proc/{pid}/{directory}"):
                    target = os.readlink(f"/proc/{pid}/{directory}/{name}")
                    if re.fullmatch(r"(net|mnt|pid|ipc|uts|user|cgroup):\[\d+\]", target):
                        kinds.setdefault(target.split(":")[0], set()).add(target)
            except (FileNotFoundError, ProcessLookupError):
                pass
    return {kind: len(found) for kind, found in kinds.items()}


def private_memory(pid):
    """KiB that are this process's own."""
    with open(f"/proc/{pid}/status") as text:
        return int(re.search(r"RssAnon:\s+(\d+)", text.read()).group(1))


@pytest.mark.alone
@pytest.mark.timeout(60 + ENVIRONMENTS // 10)
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_environments_leave_nothing(own_server, kind):
    wanted, flags, runtime, code = KINDS[kind]
    server = own_server("--idle-timeout", "2", *flags)
    made = 0
    ends = ["well", "well", "well", "daemon", "fill", "exit", "kill", "hang"]
    server.create("soak", code, runtime=runtime, handler="app.handler", Timeout=1 if kind == "bash" else 5)
    pids = [server.process.pid, *server.children()]
    clients = [server.make_client() for _ in range(AT_ONCE)]

    def round_(number):
        """A new incarnation each time: none of the environments before it is used again."""
        nonlocal made
        server.client.update_function_configuration(FunctionName="soak", Description=str(number), Environment={"Variables": {"ROUND": str(number)}})
        server.client.get_waiter("function_updated_v2").wait(FunctionName="soak", WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
        hangs = number % 10 == 0
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(
                lambda i: server.invoke("soak", {"end": ends[i % (8 if hangs else 7)]}, client=clients[i]), range(AT_ONCE)))
        assert {a.error for a in answers} == {None, "Unhandled"}
        made += len({a.json for a in answers if a.error is None})  # at least: those that failed had one each, too

    def at_rest():
        # A sandbox has a user namespace of its own from the moment in which it is built, the pool's have none yet. Stem cells are built.
        cells = lambda: sum(kind["ready"] for kind in figures(server)["stemCells"])
        wait_until(lambda: Census(server).namespaces["user"] == 1 + cells(), 30, "the end of idle environments")
        # Pools are refilled behind the scenes: what is compared is the state at which they come to rest.
        last = None
        for _ in range(50):
            now = Census(server)
            if now == last:
                return now
            last = now
            wait_until(after(0.3), what="a moment")
        pytest.fail(f"it does not come to rest: {now}")

    for number in range(10 if kind == "bash" else 4):
        round_(number)
    earlier, memory_before = at_rest(), [private_memory(pid) for pid in pids]
    made = 0
    number = 10
    while made < wanted:
        round_(number)
        number += 1
    later, memory_after = at_rest(), [private_memory(pid) for pid in pids]
    print(f"{made} environments: memory {memory_before} -> {memory_after} KiB; {later}")
    assert later == earlier
    # The pools of the language's runtime have a thread more or less, as they are busy.
    assert all(after_ <= before + 4 for before, after_ in zip(earlier.threads, later.threads)), (earlier, later)
    for before, after_ in zip(memory_before, memory_after):
        assert after_ - before <= SLACK_KIB + made * PER_ENVIRONMENT_KIB, (memory_before, memory_after)
    assert [line for line in server.log.splitlines() if " ERROR " in line] == []


def after(seconds):
    """A condition that comes true by itself: the kernel frees control groups and namespaces in its own time."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end

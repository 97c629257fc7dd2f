# Two environments that came from one zygote, and two that were stem cells, share nothing: looked at from inside, and from outside
# with the kernel's eyes: open files, memory, secrets.
import ctypes
import os
import platform
import re

import pytest
from conftest import Server, descendants, wait_until
from test_fast_start import NONE_AHEAD, at_once, command, figures

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="without root nothing is forked, and nobody may look")

PYTHON = """
import io, json, os, random, secrets, ssl, sys, uuid
values = [random.random(), random.getrandbits(64), secrets.token_hex(), ssl.RAND_bytes(16).hex(), str(uuid.uuid1()), str(uuid.uuid4()), os.urandom(8).hex()]
kept = []
def handler(event, context):
    if 'plant' in event:
        # Everything that could be somebody else's, too: variables, modules, memory, files and their offsets.
        word = bytes.fromhex(event['plant'])
        os.environ['PLANTED'] = word.decode()
        json.planted = sys.planted = word
        io.planted = [word + str(n).encode() for n in range(1000)]
        with open('/tmp/planted', 'wb') as file: file.write(word)
        kept.append(open('/var/task/app.py'))
        kept[0].seek(17)
        for number in os.listdir('/proc/self/fd'):
            try: os.lseek(int(number), 5, os.SEEK_SET)
            except OSError: pass
    import time
    time.sleep(event.get('wait', 0))
    offsets = []
    for number in sorted(os.listdir('/proc/self/fd'), key=int):
        try: offsets.append(os.lseek(int(number), 0, os.SEEK_CUR))
        except OSError: pass
    return {
        'values': values, 'variables': dict(os.environ), 'modules': [hasattr(m, 'planted') for m in (json, sys, io)],
        'tmp': os.listdir('/tmp'), 'offsets': offsets, 'space': os.readlink('/proc/self/ns/pid'), 'shm': os.listdir('/dev/shm') if os.path.isdir('/dev/shm') else []}
"""
NODE = """
import fs from 'node:fs';
import http from 'node:http';
import crypto from 'node:crypto';
const values = [Math.random(), crypto.randomUUID(), crypto.randomBytes(8).toString('hex'), crypto.webcrypto.getRandomValues(new Uint32Array(4)).join()];
let kept;
export const handler = async (event) => {
  if (event.plant) {
    const word = Buffer.from(event.plant, 'hex').toString();
    process.env.PLANTED = word;
    http.globalAgent.planted = Array.prototype.planted = globalThis.planted = word;
    kept = Array.from({ length: 1000 }, (_, n) => word + n);
    fs.writeFileSync('/tmp/planted', word);
  }
  await new Promise((resolve) => setTimeout(resolve, (event.wait ?? 0) * 1000));
  return {
    values, variables: { ...process.env }, modules: [http.globalAgent, [], globalThis].map((m) => m.planted !== undefined), offsets: [],
    tmp: fs.readdirSync('/tmp'), space: fs.readlinkSync('/proc/self/ns/pid'), shm: fs.existsSync('/dev/shm') ? fs.readdirSync('/dev/shm') : [],
  };
};
"""


@pytest.fixture(scope="module")
def server():
    server = Server("--fast-start", "on")
    yield server
    assert server.stop() == 0


@pytest.fixture(params=["python", "node"])
def make(request, server):
    """Makes a function whose environments come from a zygote, or were stem cells; and tells how many did."""
    runtime, code = {"python": ("python3.11", PYTHON), "node": ("nodejs20.x", NODE)}[request.param]

    def make(name, **variables):
        server.create(name, code, runtime=runtime, Timeout=30, Environment={"Variables": variables})
        if request.param == "python" and NONE_AHEAD:
            wait_until(lambda: any(zygote["up"] for zygote in figures(server)["zygotes"]), 20, "a zygote")
        elif request.param == "python":
            wait_until(lambda: figures(server).get("forksReady", 0) >= 2, 20, "forks that wait")
        elif not NONE_AHEAD:
            wait_until(lambda: sum(kind["ready"] for kind in figures(server)["stemCells"] if "node" in kind.get("interpreter", "")) >= 1, 20, "cells that wait")

    def came():
        now = figures(server)
        forks = now.get("forksTaken", 0) + now.get("forksMadeLate", 0) if request.param == "python" else 0
        return forks + sum(kind["taken"] for kind in now["stemCells"] if request.param in kind.get("interpreter", ""))
    make.came = came
    make.started_anew = NONE_AHEAD and request.param == "node"
    return make


def pids_in(server, space):
    """Who lives in a pid namespace, but for its process 1, which is the platform's."""
    found = []
    for pid in descendants(server.process.pid):
        try:
            with open(f"/proc/{pid}/status") as status:
                inner = re.search(r"NSpid:(.*)", status.read()).group(1).split()
            if os.readlink(f"/proc/{pid}/ns/pid") == space and inner[-1] != "1":
                found.append(pid)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def same_file(one, other, a, b):
    """kcmp(2): whether two descriptors of two processes are one open file, with one offset. None: this kernel does not say."""
    number = {"x86_64": 312, "aarch64": 272}.get(platform.machine())
    answer = ctypes.CDLL(None, use_errno=True).syscall(number, one, other, 0, a, b) if number else -1
    return None if answer < 0 else answer == 0


def descriptors(pid):
    """None of a process that has ended meanwhile: what waits comes and goes while a test looks."""
    try:
        return [int(number) for number in os.listdir(f"/proc/{pid}/fd")]
    except (FileNotFoundError, ProcessLookupError):
        return []


def held_by(pid):
    """All that a process can write to, and its variables. Nothing, if it has ended meanwhile."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as variables:
            return memory_of(pid) + variables.read()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def memory_of(pid):
    found = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            area = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            low, high = (int(number, 16) for number in area.groups()) if area else (0, 0)
            while low < high:
                try:
                    memory.seek(low)
                    piece = memory.read(min(high - low, 1 << 24))
                except (OSError, ValueError, OverflowError):
                    break
                found.append(piece)
                low += len(piece) or 1 << 24
    return b"".join(found)


def shared_areas(pid):
    """Writable memory that is not this process's alone: device and inode."""
    with open(f"/proc/{pid}/maps") as maps:
        return {tuple(line.split()[3:5]) for line in maps if re.match(r"\S+ rw.s", line)}


def test_environments_share_no_secret_memory_variable_or_file(server, make, name):
    before = make.came()
    planted = os.urandom(12).hex()   # sent so that the word itself is in no event
    word = planted.encode().hex()
    make(name + "-a", SECRET="of-a-" + planted[::-1], ONLY_A="1")
    one = server.invoke(name + "-a", {"plant": word}).succeeded()
    make(name + "-b", SECRET="of-b")
    other = server.invoke(name + "-b").succeeded()
    assert make.came() >= before + 2 or make.started_anew
    assert not set(map(str, one["values"])) & set(map(str, other["values"]))
    assert one["variables"]["PLANTED"] == planted and one["tmp"] == ["planted"] and one["modules"] == [True] * 3
    assert "PLANTED" not in other["variables"] and "ONLY_A" not in other["variables"] and other["variables"]["SECRET"] == "of-b"
    assert (other["tmp"], other["modules"], other["shm"]) == ([], [False] * 3, [])
    assert set(other["offsets"]) <= {0}, "what the other one has read or sought is nothing to this one"

    # The session token is each environment's own; so are its secrets, and what it has made.
    secrets = [planted.encode(), planted[::-1].encode(), one["variables"]["AWS_SESSION_TOKEN"].encode(), one["variables"]["AWS_SECRET_ACCESS_KEY"].encode()]
    assert one["variables"]["AWS_SESSION_TOKEN"] != other["variables"]["AWS_SESSION_TOKEN"]
    [mine], [theirs] = pids_in(server, one["space"]), pids_in(server, other["space"])
    held = held_by(mine)
    assert all(secret in held for secret in secrets), "or the search finds nothing at all"
    assert other["variables"]["AWS_SESSION_TOKEN"].encode() in held_by(theirs), "the other one is looked at"
    for pid in descendants(server.process.pid):
        if pid != mine:
            held = held_by(pid)
            assert not [n for n, secret in enumerate(secrets) if secret in held], (pid, command(pid))

    # No open file is both's or the zygote's, so no offset is; and no memory is mapped by both to write to.
    if same_file(mine, mine, 0, 0) is not None:
        assert same_file(mine, mine, 1, 2), "one pipe for both"
        assert descriptors(theirs), "the other one is looked at"
        for pid in set(descendants(server.process.pid)) - {mine}:
            for a in descriptors(mine):
                for b in descriptors(pid):
                    assert not same_file(mine, pid, a, b), (a, os.readlink(f"/proc/{mine}/fd/{a}"), pid)
    assert not shared_areas(mine) & shared_areas(theirs)


def test_environments_of_one_function_share_nothing_either(server, make, name):
    make(name, SECRET="x")
    answers = at_once(server, name, {"wait": 0.4}, 5)
    for values in zip(*[answer["values"] for answer in answers]):
        assert len(set(values)) == len(answers), values
    for name in ("AWS_SESSION_TOKEN", "AWS_LAMBDA_LOG_STREAM_NAME"):
        assert len({answer["variables"][name] for answer in answers}) == len(answers)
    assert len({answer["space"] for answer in answers}) == len(answers)

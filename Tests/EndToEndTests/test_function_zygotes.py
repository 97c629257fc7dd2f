# Zygotes of single functions: what a function imports of others' packages is loaded once, everything else in each environment.
import os
import signal
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Server, descendants, package, wait_until
from test_fast_start import at_once, command, figures
from test_real_extensions import installed
from test_snapstart import NONE_AHEAD, line, lines, process_facts

# A distribution whose import takes a while, as those do that are worth it, and what it finds then.
BUSY = """
import os, sys, time, uuid
began = time.monotonic_ns()
worked = time.process_time()
while time.process_time() < worked + 0.06: pass
mode, stream = os.environ.get('MODE'), os.environ['AWS_LAMBDA_LOG_STREAM_NAME']
"""
LOOK = """
import os, random, sys, time, uuid
import busy
import settings
own = str(uuid.uuid4())
def handler(event, context):
    time.sleep(event.get('wait', 0))
    with open('/tmp/' + context.aws_request_id, 'w'): pass
    return {'began': busy.began, 'mode': busy.mode, 'own': own, 'settings': settings.own, 'random': random.random(),
            'stream': os.environ['AWS_LAMBDA_LOG_STREAM_NAME'] == context.log_stream_name, 'tmp': len(os.listdir('/tmp')),
            'arguments': sys.argv, 'variables': dict(os.environ), 'directory': os.getcwd(), 'main': sys.modules['__main__'].__file__,
            'path': sys.path, 'status': open('/proc/self/status').read(), 'descriptors': sorted(os.listdir('/proc/self/fd')), 'busy': vars(busy).get('own')}
"""
SETTINGS = "import uuid\nown = str(uuid.uuid4())\n"
BOTO3 = ["boto3==1.40.1", "botocore==1.40.1", "jmespath==1.0.1", "python-dateutil==2.9.0.post0", "s3transfer==0.13.1", "six==1.17.0", "urllib3==2.5.0"]
MANY = {"MemorySize": 512, "Timeout": 30}


def distribution(name, code):
    """The files of an installed distribution with one module."""
    record = f"{name}.py,,\n{name}-1.0.dist-info/RECORD,,\n"
    return {f"{name}.py": textwrap.dedent(code), f"{name}-1.0.dist-info/RECORD": record}


def files(app=LOOK, busy=BUSY, **more):
    return {"app.py": textwrap.dedent(app), "settings.py": SETTINGS, **distribution("busy", busy), **more}


def of(server, name):
    return next((entry for entry in figures(server)["functionZygotes"] if entry["function"] == name), None)


def ahead(server, name, count=1):
    """Waits until forks of a function's zygote are ready, or can be made where none wait."""
    def is_there(zygote):
        return zygote is not None and zygote["up"] and zygote["ready"] >= (0 if NONE_AHEAD else count)
    try:
        return wait_until(lambda: is_there(of(server, name)) and of(server, name), 20, "forks that are ready")
    except pytest.fail.Exception:
        pytest.fail(f"{of(server, name)}, and the server says of zygotes and forks:\n" + "\n".join(
            each for each in server.log.splitlines() if name in each or "fork" in each or "zygote" in each))


def two(server, name):
    """What two environments say."""
    return at_once(server, name, {"wait": 0.5}, 2)


@pytest.fixture(scope="module")
def fast():
    server = Server("--fast-start", "on", "--log-level", "debug")
    yield server
    assert server.stop() == 0


@pytest.fixture(autouse=True)
def room(fast):
    """There are at most eight, and one that was used in the last ten seconds makes no room: those of earlier tests must be gone."""
    wait_until(lambda: len(figures(fast)["functionZygotes"]) < 5, 10, "room for zygotes")
    yield
    for function in fast.client.list_functions()["Functions"]:
        fast.client.delete_function(FunctionName=function["FunctionName"])


def test_what_others_have_made_is_loaded_once(fast, name):
    fast.create(name, files(), **MANY)
    # It is up when the function is ready, and not some time later.
    zygote = of(fast, name)
    assert zygote["up"] and (zygote["ready"] + zygote["coming"] == 1 or NONE_AHEAD), "and its first fork does not wait for a tick"
    ahead(fast, name)
    with ThreadPoolExecutor(4) as threads:
        answers = [each.succeeded() for each in threads.map(lambda _: fast.invoke(name, {"wait": 1}), range(4))]
    assert len({each["began"] for each in answers}) == 1
    for each in ("own", "settings", "random"):
        assert len({answer[each] for answer in answers}) == 4, each
    assert all(each["stream"] and each["tmp"] == 1 for each in answers)
    assert of(fast, name)["starts"] == 4
    for each in answers:
        status = dict(line.split(":\t", 1) for line in each["status"].splitlines() if ":\t" in line)
        assert status["Uid"].split() == ["993"] * 4 and status["CapPrm"].strip("0") == status["CapBnd"].strip("0") == ""
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"


def test_an_environment_is_what_a_start_would_make(fast, own_server, name):
    plain = own_server("--fast-start", "off")
    said = []
    for server in (fast, plain):
        server.create(name, files(), Environment={"Variables": {"MODE": "some"}}, **MANY)
        if server is fast: ahead(server, name)
        answer = server.invoke(name)
        assert "Init Duration" in answer.log
        said.append(answer.succeeded())
    assert of(fast, name)["starts"] == 1 and figures(plain)["functionZygotes"] == []
    for each in said:
        for differs in ("began", "own", "settings", "random", "status", "busy"): del each[differs]
        for differs in ("AWS_LAMBDA_LOG_STREAM_NAME", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
            each["variables"].pop(differs, None)
    assert said[0] == said[1]


@pytest.mark.parametrize("own", [
    "own = str(uuid.uuid4())", "own = os.urandom(8).hex()", "import random; own = random.random()", "own = [os.getpid(), began]",
    "print('busy is here'); own = began", "import threading; threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); own = began",
    "pipe = os.pipe(); own = began", "open('/tmp/busy', 'w').close(); own = began", "os.chdir('/tmp'); own = began",
    "import socket; socket.socket().connect_ex(('127.0.0.1', 9)); own = began",
    "if os.fork() == 0: time.sleep(600)\nown = began", "import subprocess; subprocess.Popen(['sleep', '600']); own = began",
    "import subprocess; subprocess.run('sleep 600 > /dev/null 2>&1 &', shell=True); own = began",
], ids=["uuid", "urandom", "random", "getpid", "prints", "thread", "pipe", "tmp", "chdir", "network", "fork", "child", "orphan"])
def test_what_should_not_be_the_same_is_not_loaded_ahead(fast, name, own):
    fast.create(name, files(busy=BUSY + own + "\n"), **MANY)
    one, other = two(fast, name)
    assert one["busy"] != other["busy"] and of(fast, name) is None
    if "print" in own: assert len(line(fast, name, "busy is here", 2)) == 2
    assert f"function={name} reason=" in fast.log.split("no zygote of a version's own")[-1]


def test_what_imports_a_module_of_the_functions_is_not_loaded_ahead(fast, name):
    mine = {"mine.py": "import time\nown = time.monotonic_ns()\n"}
    fast.create(name, files(busy=BUSY + "import mine; own = mine.own\n", **mine), **MANY)
    one, other = two(fast, name)
    assert one["busy"] != other["busy"] and of(fast, name) is None


def test_what_comes_before_an_import_comes_before_it(fast, name):
    """Here the function says how it wants to have its modules before it imports the second."""
    app = LOOK.replace("import settings", "os.environ['MODE'] = 'late'\nimport slow, settings").replace("'mode': busy.mode", "'mode': [busy.mode, slow.mode]")
    slow = distribution("slow", BUSY.replace("began = ", "own = began = "))
    fast.create(name, files(app=app, **slow), **MANY)
    one, other = two(fast, name)
    assert one["mode"] == other["mode"] == [None, "late"] and one["began"] == other["began"]


@pytest.mark.parametrize("app, own", [
    ("import settings, busy", {"settings.py": "import os\nos.environ['MODE'] = 'of mine'\n"}),
    ("from inner import part", {"inner/__init__.py": "from . import part\n", "inner/part.py": "import os; os.environ['MODE'] = 'of mine'\nimport busy\n"}),
    ("try:\n    import settings\nexcept ImportError:\n    pass\nimport busy", {"settings.py": "import os\nos.environ['MODE'] = 'of mine'\n"}),
    ("import os\nclass Settings:\n    os.environ['MODE'] = 'of mine'\nimport busy", {}),
    ("import os\ndef settings(mode=os.environ.__setitem__('MODE', 'of mine')): pass\nimport busy", {}),
    ("import os\nif True:\n    os.environ['MODE'] = 'of mine'\nimport busy", {}),
], ids=["module", "package", "try", "class", "default", "if"])
def test_own_modules_run_where_they_are_imported(fast, name, app, own):
    fast.create(name, {**files(app + "\nimport busy\ndef handler(event, context): return busy.mode"), **own}, **MANY)
    assert fast.invoke(name).succeeded() == "of mine"


@pytest.mark.parametrize("more", [
    {"mine-1.0.dist-info/direct_url.json": '{"dir_info": {}, "url": "file:///home/me/mine"}'}, {"mine-1.0.dist-info/RECORD": "mine.py,,\napp.py,,\n"},
], ids=["from a directory", "with the handler"])
def test_own_modules_that_were_installed_are_own(fast, name, more):
    mine = {**distribution("mine", "import uuid\nown = str(uuid.UUID(int=0)) + open('/proc/sys/kernel/random/uuid').read()\n"), **more}
    app = "import busy, mine\ndef handler(event, context):\n    __import__('time').sleep(event['wait'])\n    return [busy.began, mine.own]"
    fast.create(name, {**files(app), **mine}, **MANY)
    one, other = two(fast, name)
    assert one[0] == other[0] and one[1] != other[1]


def test_imports_behind_own_modules_that_only_define(fast, name):
    app = """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING: from nowhere import nothing
        try:
            import not_there
        except ImportError:
            not_there = None
        from src.deep import handler
    """
    deep = """
        import logging, os
        from . import names
        from .names import TABLE
        import busy
        logger = logging.getLogger(__name__)
        def handler(event, context):
            __import__('time').sleep(event['wait'])
            return {'began': busy.began, 'table': TABLE}
    """
    names = "import os\nTABLE = os.environ.get('TABLE', 'none')\nclass Names:\n    one: int = 1\n"
    fast.create(name, files(app, **{"src/deep.py": textwrap.dedent(deep), "src/names.py": names}), **MANY)
    one, other = two(fast, name)
    assert one == other and one["table"] == "none"


def test_an_import_that_fails_fails_in_the_function(fast, name):
    fast.create(name, files(busy=BUSY + "raise RuntimeError('not today')\n"), **MANY)
    answer = fast.invoke(name)
    assert answer.json["errorType"] == "RuntimeError" and "not today" in answer.json["errorMessage"] and "busy.py" in str(answer.json["stackTrace"])
    assert len([text for text in lines(fast, name) if "not today" in text]) >= 1


def test_what_a_module_does_to_its_process_stays(fast, name):
    busy = BUSY + "import logging\nos.environ.setdefault('BUSY', 'here')\nos.environ.pop('MODE')\nlogging.basicConfig(level='INFO')\nsys.path.append('/opt/more')\n"
    app = """
        import logging, os, sys
        import busy
        def handler(event, context):
            logging.getLogger().warning('only once')
            return [os.environ.get('BUSY'), os.environ.get('MODE'), sys.path[-1], len(logging.getLogger().handlers), busy.began, context.log_stream_name]
    """
    fast.create(name, files(app, busy), Environment={"Variables": {"MODE": "some"}}, **MANY)
    ahead(fast, name)
    answer = fast.invoke(name)
    assert answer.succeeded()[:4] == ["here", None, "/opt/more", 1] and answer.log.count("only once") == 1
    assert of(fast, name)["starts"] == 1


def test_new_variables_are_there_when_modules_are_loaded(fast, name):
    fast.create(name, files(), Environment={"Variables": {"MODE": "one"}}, **MANY)
    assert fast.invoke(name).succeeded()["mode"] == "one"
    fast.client.update_function_configuration(FunctionName=name, Environment={"Variables": {"MODE": "other"}})
    fast.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert fast.invoke(name).succeeded()["mode"] == "other"
    fast.client.update_function_code(FunctionName=name, ZipFile=package(files(busy=BUSY + "mode = 'newest'\n")))
    fast.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert fast.invoke(name).succeeded()["mode"] == "newest"
    fast.client.delete_function(FunctionName=name)
    wait_until(lambda: of(fast, name) is None, 10, "the end of its zygote")


def test_layers_and_versions_have_theirs(fast, name):
    layer = fast.client.publish_layer_version(LayerName=name, Content={"ZipFile": package({f"python/{k}": v for k, v in distribution("busy", BUSY).items()})})
    fast.create(name, {"app.py": LOOK, "settings.py": SETTINGS}, Layers=[layer["LayerVersionArn"]], **MANY)
    ahead(fast, name)
    one, other = two(fast, name)
    assert one["began"] == other["began"] and "/opt/python" in one["path"]
    fast.client.publish_version(FunctionName=name)
    fast.invoke(name, Qualifier="1").succeeded()
    versions = lambda: {entry["version"]: entry["up"] for entry in figures(fast)["functionZygotes"] if entry["function"] == name}
    wait_until(lambda: versions() == {"$LATEST": True, "1": True}, 10, "the zygote of the version")


def processes(server):
    """The zygotes of functions; not their forks, which are in the process namespaces of their sandboxes or on their way."""
    alike = {pid: process_facts(pid) for pid in descendants(server.process.pid) if b"zygote.py\0imports" in command(pid)}
    return [pid for pid, facts in alike.items() if facts and len(facts["NSpid"].split()) == 1 and int(facts["PPid"]) not in alike]


def test_a_published_version_has_its_own_before_it_is_invoked(own_server, name):
    server = own_server("--fast-start", "on")
    server.create(name, files(), **MANY)
    for _ in range(2):  # the second time, there is nothing new
        assert server.client.publish_version(FunctionName=name)["State"] == "Active"
        wait_until(lambda: all(e["up"] for e in figures(server)["functionZygotes"]) and len(figures(server)["functionZygotes"]) == 2, 20, "two zygotes")
    assert server.invoke(name).succeeded()["began"] != server.invoke(name, Qualifier="1").succeeded()["began"]
    assert sorted((e["version"], e["starts"]) for e in figures(server)["functionZygotes"]) == [("$LATEST", 1), ("1", 1)]
    assert server.stop() == 0


def test_a_zygote_that_is_killed_is_missed_by_nobody(own_server, name):
    server = own_server("--fast-start", "on")
    server.create(name, files(), **MANY)
    ahead(server, name)
    [zygote] = processes(server)
    first = server.invoke(name).succeeded()
    os.kill(zygote, signal.SIGKILL)
    assert server.invoke(name).succeeded()["own"] == first["own"], "what runs goes on"
    assert len({each["own"] for each in at_once(server, name, {"wait": 0.5}, 4)}) == 4
    wait_until(lambda: processes(server) not in ([], [zygote]), 10, "another zygote")
    ahead(server, name)
    assert server.stop() == 0


def test_a_fork_that_died_is_missed_by_nobody(own_server, name):
    server = own_server("--fast-start", "on")
    server.create(name, files(), **MANY)
    for _ in range(3):
        ahead(server, name)
        [zygote] = processes(server)
        for pid in descendants(server.process.pid):
            if b"zygote.py\0imports" in command(pid) and pid != zygote: os.kill(pid, signal.SIGKILL)
        assert server.invoke(name).succeeded()["tmp"] >= 1
        server.client.update_function_configuration(FunctionName=name, Description=str(_))
        server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
        wait_until(lambda: processes(server) not in ([], [zygote]) and len(processes(server)) == 1, 10, "the next version's zygote alone")
    assert server.stop() == 0


def test_zygotes_come_back_with_the_server(own_server, name):
    server = own_server("--fast-start", "on")
    server.create(name, files(), **MANY)
    server.stop(signal.SIGKILL)
    again = own_server("--fast-start", "on", state=server.state)
    first = again.invoke(name).succeeded()
    ahead(again, name)
    assert len({each["began"] for each in [first, *two(again, name)]}) == 2


def test_small_functions_have_none(fast, name):
    """Without distributions, or with such that take no time."""
    fast.create(name, {"app.py": LOOK, "settings.py": SETTINGS, "busy.py": BUSY}, **MANY)
    one, other = two(fast, name)
    assert one["began"] != other["began"] and of(fast, name) is None
    fast.create(name + "-light", files(busy="began = mode = 0"), **MANY)
    fast.invoke(name + "-light").succeeded()
    assert of(fast, name + "-light") is None


def test_numpy_has_threads_and_random_numbers_of_its_own_in_each(fast, name):
    """OpenBLAS starts a thread for each processor when it is loaded."""
    app = """
        import numpy
        import numpy.linalg
        def handler(event, context):
            __import__('time').sleep(event['wait'])
            square = numpy.arange(250000.0).reshape(500, 500)
            return [numpy.random.random(), float((square @ square)[0, 0]), [float(value) for value in numpy.linalg.eigvals(numpy.eye(3) * 2)]]
    """
    fast.create(name, package({**installed(["numpy==2.2.6"]), "app.py": textwrap.dedent(app)}), **MANY)
    assert ahead(fast, name)["up"]
    one, other = two(fast, name)
    assert one[0] != other[0] and one[1:] == other[1:] == [20770875000.0, [2.0, 2.0, 2.0]]
    assert of(fast, name)["starts"] == 2


def test_boto3_of_the_package(fast, name):
    app = """
        import boto3, botocore, sys
        by_then = 's3transfer.manager' in sys.modules
        queues = boto3.client('sqs', region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='y')
        def handler(event, context): return [boto3.__file__, queues.list_queues().get('QueueUrls'), botocore.__version__, by_then]
    """
    fast.create(name, package({**installed(BOTO3), "app.py": textwrap.dedent(app)}), **MANY)
    ahead(fast, name)
    assert fast.invoke(name).succeeded() == ["/var/task/boto3/__init__.py", None, "1.40.1", True]
    assert of(fast, name)["starts"] == 1

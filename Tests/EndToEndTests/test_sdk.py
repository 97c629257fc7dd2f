# boto3 of the interpreter in a forked environment: some of its work is done ahead, and to a function that is all the difference.
import json
import os
import subprocess
import sys
import textwrap

import pytest
from conftest import Server
from test_fast_start import figures, ready

KEYS = "region_name='eu-west-1', aws_access_key_id='x', aws_secret_access_key='y'"
LOOK = f"""
import os
before = dict(os.environ)
import boto3, botocore.config, botocore.loaders, botocore.session, platform, re, socket, threading
def is_stock():
    return [botocore.session.create_loader is botocore.loaders.create_loader, not hasattr(botocore.session.Session._register_builtin_handlers, '__wrapped__')]


stock = is_stock()
queues = boto3.client('sqs', {KEYS})
first = boto3.DEFAULT_SESSION._session
others = [boto3.Session({KEYS})._session for _ in range(2)]


def loader(session):
    return session.get_component('data_loader')


def models(session):
    return sorted({{key[1] for key in loader(session)._cache if key[:1] == ('load_service_model',)}})


def table(node):
    # The handlers of events, in their order.
    own = [[getattr(one, '__qualname__', '') for one in many] for many in node['values'] or ()]
    return [node['chunk'], own, [table(child) for child in node['children'].values()]]


def handler(event, context):
    read = [models(session) for session in (first, *others)]
    tables = boto3.resource('dynamodb', {KEYS}).Table('t')
    direct = {{name: True for name in ('ignore_configured_endpoint_urls',) if name in botocore.config.Config.OPTION_DEFAULTS}}
    config = botocore.config.Config(signature_version='s3v4', **direct)
    files, again = boto3.client('s3', {KEYS}, config=config), boto3.client('s3', {KEYS}, config=config)
    later = others[0].create_client('s3', 'us-east-1', aws_access_key_id='x', aws_secret_access_key='y')
    loader(first).load_data('endpoints')['partitions'].clear()
    loader(first).load_service_model('s3', 'service-2')['operations'].clear()
    return {{
        'read': read,
        'rules': len({{id(client._ruleset_resolver._provider.ruleset) for client in (queues, files, again, later)}}),
        'stock': [stock, is_stock()],
        'own': [len(loader(session).load_data('endpoints')['partitions']) > 2 for session in (first, *others)],
        'operations': len(loader(others[0]).load_service_model('s3', 'service-2')['operations']) > 50,
        'same': {{
            'variables': before == dict(os.environ) and [name for name in before if name.startswith('AWS_C')],
            'paths': [loader(session).search_paths for session in (first, *others)],
            'handlers': [table(session._original_handler._handlers._root) for session in (first, *others)],
            'services': loader(first).list_available_services('service-2'),
            'resources': boto3.DEFAULT_SESSION.get_available_resources(),
            'regions': others[1].get_available_regions('s3'),
            'agent': [re.sub(' m/[^ ]*', '', client.meta.config.user_agent) for client in (queues, files, later)],
            'urls': [client.meta.endpoint_url for client in (queues, files, later)],
            'signed': [client.generate_presigned_url('get_object', {{'Bucket': 'bucket', 'Key': 'k'}}).split('X-Amz-Date')[0] for client in (files, again)],
            'table': tables.name, 'methods': sorted(name for name in dir(files) if not name.startswith('_')),
            'version': botocore.__version__,
            'host': [platform.node() == socket.gethostname(), platform.release() == os.uname().release],
            'threads': threading.active_count(),
        }},
    }}
"""


@pytest.fixture(scope="module", params=sorted({os.path.realpath(sys.executable), os.path.realpath("/usr/bin/python3")}))
def python(request):
    """The interpreter of these tests without its virtual environment, and Debian's."""
    told = subprocess.run(
        [request.param, "-IBc", "import botocore.compat, sys; print('%d.%d' % sys.version_info[:2], botocore.__version__, botocore.compat.HAS_CRT)"],
        capture_output=True, text=True)
    if told.returncode != 0:
        pytest.skip(f"{request.param} has no boto3")
    return Python(request.param, *told.stdout.split())


class Python:
    def __init__(self, path, version, botocore, has_crt):
        self.path, self.runtime, self.botocore = path, f"python{version}", botocore
        self.is_ahead = has_crt != "True"  # awscrt cannot be forked
        self.flags = "--runtime", f"{self.runtime}={path}"


@pytest.fixture(scope="module")
def fast(python):
    server = Server("--fast-start", "on", *python.flags)
    server.create("look", LOOK, python.runtime, MemorySize=512, Timeout=30)
    ready(server)
    yield server
    assert server.stop() == 0


def invoke_forked(server, name, event=None):
    before = figures(server)
    answer = server.invoke(name, event).succeeded()
    after = figures(server)
    assert after["programsExecuted"] == before["programsExecuted"], "an interpreter was started"
    return answer


def test_the_first_session_finds_everything_read_and_is_as_any_other(fast, own_server, python):
    plain = own_server("--fast-start", "off", *python.flags)
    plain.create("look", LOOK, python.runtime, MemorySize=512, Timeout=30)
    one, other = invoke_forked(fast, "look"), plain.invoke("look").succeeded()
    assert one["same"] == other["same"]
    assert one["same"]["version"] == python.botocore
    assert other["read"] == [["sqs"], [], []]
    if not python.is_ahead:
        assert (one["read"], one["stock"]) == (other["read"], other["stock"])
        return
    assert one["read"][0] == sorted(["s3", "dynamodb", "sqs", "sns", "lambda", "secretsmanager", "ssm", "events", "stepfunctions", "sts"])
    assert one["read"][1:] == [[], []], "who comes second reads for itself"
    assert one["rules"] == other["rules"] == 4
    assert one["same"]["signed"][0].startswith("https://bucket.s3."), one["same"]["signed"]
    assert one["stock"] == [[False, False], [True, True]] and other["stock"] == [[True, True], [True, True]]


def test_handlers_of_events_that_a_function_adds_are_there(fast, python):
    """For all sessions, before the first one, as libraries for tests and traces do; or for one with a table of its own."""
    code = """
        import boto3, botocore.handlers, botocore.hooks, botocore.session
        seen = []
        botocore.handlers.BUILTIN_HANDLERS.append(('creating-client-class.sqs', lambda **_: seen.append('all')))
        boto3.client('sqs', 'us-east-1')
        hooks = botocore.hooks.HierarchicalEmitter()
        hooks.register('creating-client-class.sqs', lambda **_: seen.append('one'))
        botocore.session.Session(event_hooks=hooks).create_client('sqs', 'us-east-1')
        def handler(event, context): return seen
    """
    fast.create("handlers", textwrap.dedent(code), python.runtime, MemorySize=512, Timeout=30)
    assert invoke_forked(fast, "handlers") == ["all", "one", "all"]
    code = """
        import botocore.hooks, botocore.session
        seen, hooks = [], botocore.hooks.HierarchicalEmitter()
        botocore.session.Session(event_hooks=hooks).create_client('sqs', 'us-east-1')
        hooks.register('creating-client-class.sqs', lambda **_: seen.append('own'))
        botocore.session.Session(event_hooks=hooks).create_client('sqs', 'us-east-1')
        def handler(event, context): return seen
    """
    fast.create("hooks", textwrap.dedent(code), python.runtime, MemorySize=512, Timeout=30)
    assert invoke_forked(fast, "hooks") == ["own"]


def test_what_a_function_puts_around_botocore_stays_there(fast, python):
    """As tracers do: each session and client comes by, not the first one only."""
    code = """
        import botocore.endpoint_provider, botocore.session
        seen = []
        def wrap(place, name):
            usual = getattr(place, name)
            def around(*arguments, **named):
                seen.append(name)
                return usual(*arguments, **named)
            setattr(place, name, around)
        wrap(botocore.session, 'create_loader')
        wrap(botocore.session.Session, '_register_builtin_handlers')
        wrap(botocore.endpoint_provider.EndpointProvider, '__init__')
        for _ in range(2):
            session = botocore.session.Session()
            for _ in range(2):
                session.create_client('sqs', 'us-east-1')
        def handler(event, context): return {name: seen.count(name) for name in seen}
    """
    fast.create("around", textwrap.dedent(code), python.runtime, MemorySize=512, Timeout=30)
    assert invoke_forked(fast, "around") == {"_register_builtin_handlers": 2, "create_loader": 2, "__init__": 4}


def test_sessions_have_nothing_in_common_that_one_can_change(fast):
    fast.client.update_function_configuration(FunctionName="look", Description="another environment")
    fast.client.get_waiter("function_updated_v2").wait(FunctionName="look")
    for _ in range(2):  # in two environments of one zygote
        answer = invoke_forked(fast, "look")
        assert (answer["own"], answer["operations"]) == ([False, True, True], True)
        fast.client.update_function_configuration(FunctionName="look", Description="a third one")
        fast.client.get_waiter("function_updated_v2").wait(FunctionName="look")


@pytest.mark.parametrize("place, variables", [
    ("data", {"AWS_DATA_PATH": "/var/task/data"}),
    (".aws/models", {"HOME": "/var/task"}),
])
def test_a_function_has_its_own_models_and_configuration(fast, python, place, variables):
    model = {
        "version": "2.0", "operations": {}, "shapes": {},
        "metadata": {"apiVersion": "2020-01-01", "endpointPrefix": "own", "protocol": "json", "serviceId": "Own", "signatureVersion": "v4", "jsonVersion": "1.1"}}
    code = (
        "import boto3\n"
        "own, files = boto3.client('own'), boto3.client('s3')\n"
        "def handler(event, context): return [str(own.meta.service_model.service_id), files.meta.config.retries['mode']]\n")
    name = "own-" + place.strip(".").replace("/", "-")
    fast.create(name, {"app.py": code, f"{place}/own/2020-01-01/service-2.json": json.dumps(model), "config": "[default]\nretry_mode = adaptive\n"},
                python.runtime, MemorySize=512, Timeout=30, Environment={"Variables": {"AWS_CONFIG_FILE": "/var/task/config", **variables}})
    assert invoke_forked(fast, name) == ["Own", "adaptive"]

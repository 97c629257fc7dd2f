"""Martlet's Python zygote: an interpreter that is up, with the modules that functions use, and is forked into sandboxes.

martlet-sandbox starts it (Sources/martlet-sandbox/zygote.c) and talks to it over descriptor 3. Nothing of any tenant's is
ever loaded here, and the zygote hears no secret: a fork gets its order over a socket of its own, gives up every privilege,
makes itself look like a newly started interpreter, says so, and only then runs the bootstrap, which loads the function.

With an argument it is something else: a process of one version of one function, without privileges (snapshot.py).

CPython 3.8 and later. The same in a fork as after a start: `__main__`, sys.argv, sys.path, os.environ, time zone, descriptors,
random state. Different: modules are imported already, the hash seed is the zygote's, /proc/self/environ shows the
zygote's variables, and the parent is outside of the sandbox.
"""

import sys

# What an interpreter loads when it starts, before a function's directory is looked into: the first parts of the names.
AT_START = frozenset(name.partition(".")[0] for name in sys.modules)

import ctypes
import gc
import importlib.util
import io
import os
import resource
import socket
import struct
import time
import types

ORDERS, HOME, FILTER = 3, 4, 5  # descriptors that martlet-sandbox leaves open
HERE = os.path.dirname(os.path.abspath(__file__))
USER, GROUP = 993, 990  # in the sandbox's user namespace

# Of sandbox.h and sandbox_protocol.h.
SPAWN, FAILED, FORK, REAP, REAPED, UP, PARKED, STARTED = 3, 107, 211, 212, 213, 214, 215, 216
PIDS, NOFILE, PROCESS, ARG, ENV, CWD, ERRNO, STAGE, STATUS, LEVEL = 6, 7, 12, 13, 14, 15, 19, 20, 21, 24
MAX_MESSAGE = 131072 + 32
REHEARSALS = 10  # after so many calls an interpreter has adapted its code
LARGEST_GAPS = 1 << 20  # bytes in gaps of one size, at most

STREAMS = ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__")
NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER = 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000
NEWPID, NEWNET = 0x20000000, 0x40000000

MODULES = """
    _strptime abc argparse ast asyncio base64 bisect calendar collections concurrent.futures concurrent.futures.thread
    configparser contextlib contextvars copy csv dataclasses datetime decimal difflib email.message email.parser
    email.utils enum fnmatch fractions functools getpass gettext glob gzip hashlib heapq hmac html html.parser
    http.client http.cookiejar importlib.metadata importlib.resources importlib.util inspect io itertools json locale
    logging logging.config logging.handlers math mimetypes numbers operator os pathlib pickle pkgutil platform pprint
    queue quopri random re secrets select selectors shlex shutil socket socketserver ssl statistics string stringprep
    struct subprocess tempfile textwrap threading time tokenize traceback types typing unicodedata unittest urllib.error
    urllib.parse urllib.request uuid warnings weakref xml.etree.ElementTree xml.parsers.expat zipfile zlib zoneinfo
"""
SDK = (
    "boto3", "boto3.s3.inject", "boto3.dynamodb.transform", "botocore.session", "botocore.client", "botocore.endpoint",
    "botocore.regions", "s3transfer.manager",
)

# The first parts of the names of all modules. Kept for good: whoever gives up a set writes to each of its names, all over
# the heap.
loaded = set()

libc = ctypes.CDLL(None, use_errno=True)
libc.prctl.argtypes = [ctypes.c_int] + 4 * [ctypes.c_ulong]
CAPABILITIES_VERSION = ctypes.create_string_buffer(struct.pack("<Ii", 0x20080522, 0))
NO_CAPABILITIES = ctypes.create_string_buffer(24)


def check(result, what):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, "%s: %s" % (what, os.strerror(error)))


def setns(descriptor, kind):
    check(libc.setns(descriptor, kind), "setns")


# --- Messages ------------------------------------------------------------------------------------------------


def message(kind, sandbox=0, **fields):
    packed = struct.pack("<II", kind, sandbox)
    for name, value in fields.items():
        value = value.encode() if isinstance(value, str) else struct.pack("<I", value)
        packed += struct.pack("<II", globals()[name], len(value)) + value
    return packed


def receive(orders):
    """A message with its descriptors: (kind, sandbox, [(tag, bytes)], [descriptor])."""
    data, ancillary, flags, _ = orders.recvmsg(MAX_MESSAGE, socket.CMSG_SPACE(16 * 4), socket.MSG_CMSG_CLOEXEC)
    descriptors = []
    for level, kind, body in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors += struct.unpack("%di" % (len(body) // 4), body[: len(body) // 4 * 4])
    if not data or flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        os._exit(0)  # nobody is there any more
    kind, sandbox = struct.unpack_from("<II", data)
    fields, at = [], 8
    while at < len(data):
        tag, length = struct.unpack_from("<II", data, at)
        fields.append((tag, data[at + 8 : at + 8 + length]))
        at += 8 + length
    return kind, sandbox, fields, descriptors


def number(fields, tag):
    return next(struct.unpack("<I", value)[0] for name, value in fields if name == tag)


# --- The zygote ----------------------------------------------------------------------------------------------


def load_modules(with_sdk=True):
    """Returns the packages among them that are no part of Python."""
    for name in MODULES.split():
        try:
            __import__(name)
        except ImportError:
            pass  # not in this version, or not built into this interpreter
    own = set(sys.modules)
    try:
        if with_sdk and importlib.util.find_spec("awscrt") is None:  # it keeps /dev/urandom open for all of OpenSSL, which a fork has not
            for name in SDK:
                __import__(name)
            execute("sdk").prepare(sys.modules["botocore"])
    except Exception:
        pass  # this host has none, or one of another kind: functions bring their own, or have to read themselves
    added = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - own}
    return {name.partition(".")[0] for name, file in added.items() if "-packages" in file}


def execute(name):
    """One of the files beside this one, as a module that nobody finds: its name is free for a function's own."""
    path = os.path.join(HERE, name + ".py")
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    module = types.ModuleType("waiting")
    module.__builtins__ = sys.modules["builtins"]
    module.__cached__ = None
    exec(code, module.__dict__)
    return module


def load_runtime():
    """The bootstrap, loaded but not begun: a fork has it as its `__main__`."""
    runtime = execute("bootstrap")
    runtime.__name__ = "__main__"
    for value in list(vars(runtime).values()):
        if getattr(value, "__module__", None) == "waiting":
            value.__module__ = "__main__"
    return runtime


EVENT = b"""HTTP/1.1 200 OK\r
Content-Type: application/json\r
Lambda-Runtime-Aws-Request-Id: 00000000-0000-0000-0000-000000000000\r
Lambda-Runtime-Deadline-Ms: 1600000000000\r
Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:rehearsal\r
Lambda-Runtime-Trace-Id: Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0\r
Content-Length: 17\r
\r
{"key": "value"}
"""
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n" + b'{"status":"OK"}\n'


def rehearse(runtime):
    """What a fork does until it has answered, to no effect.

    A page of memory is copied for a fork when it is first written to, and an interpreter writes where it reads: counts of
    references, caches beside the code, what it notes of types. After some rehearsals in the zygote most of that has
    happened and is nobody's any more; one in a fork that waits anyway makes it copy the rest before it is asked.
    """
    import logging

    renew()
    path, root, sink, own = list(sys.path), logging.getLogger(), runtime.log_sink, runtime.log_handler
    streams = {name: getattr(sys, name) for name in STREAMS}
    become([(ENV, name + b"=" + value) for name, value in os.environb.items()])
    for limit in (resource.RLIMIT_CORE, resource.RLIMIT_NOFILE):
        resource.setrlimit(limit, resource.getrlimit(limit))
    libc.prctl(23, 0, 0, 0, 0)  # PR_CAPBSET_READ
    open_streams()
    make_way(own_names(), set())
    compile("def rehearsal(event, context):\n    return event\n", "rehearsal", "exec")
    converter, handlers, module = logging.Formatter.converter, list(root.handlers), sys.modules.pop("stringprep", None)
    root.handlers.clear()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(2 * (EVENT + ACCEPTED))
        theirs.shutdown(socket.SHUT_WR)
        try:
            runtime.read_settings()
            runtime.set_search_path()
            runtime.log_sink = runtime.StandardLogSink()
            runtime.set_up_logging(logging)
            handler = runtime.load_handler("stringprep.map_table_b3")
            api = runtime.RuntimeAPI("127.0.0.1:9001")
            api.socket = ours
            runtime.serve(api, lambda event, context: event if handler else None)
        except OSError:
            pass  # all events are over
    sys.path[:] = path
    sys.path_importer_cache.clear()
    if module is not None:
        sys.modules["stringprep"] = module
    logging.Formatter.converter = converter
    root.handlers[:] = handlers
    runtime.log_sink, runtime.log_handler, runtime.request_id, runtime.tenant_id = sink, own, None, None
    for name, stream in streams.items():
        setattr(sys, name, stream)
    os.environ.pop("_X_AMZN_TRACE_ID", None)


def fill_gaps():
    """What is made later is put together, instead of into gaps between older objects.

    The page of each gap would be copied for each fork that uses it. Those of Python's allocator, for objects of up to 512
    bytes, and those of the C library's are filled until both go on in memory that nobody has used. Not in a snapshot: what
    a function has freed is its own to use again, and counts against its limit.
    """
    for allocate, sizes, stretch in (
        (ctypes.pythonapi.PyObject_Malloc, range(16, 513, 16), 4000),
        (libc.malloc, (65536, 32768, 16384, 8192, 4096, 2048, *range(1032, 16, -16)), 0),
    ):
        allocate.restype, allocate.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
        for size in sizes:
            fill(allocate, size, max(stretch - 4 * size, 3 * size))


def fill(allocate, size, enough):
    """Until blocks of so many bytes together came one after the other, which they do where there are no gaps."""
    last = step = together = 0
    for _ in range(LARGEST_GAPS // size):
        address = allocate(size)
        together = together + size if address - last == step and 0 < step < size + 32 else 0
        last, step = address, address - last
        if together >= enough:
            break


def settle(runtime):
    """All is loaded: from now on forks share what there is."""
    for _ in range(REHEARSALS):
        rehearse(runtime)
    gc.collect()
    fill_gaps()
    rehearse(runtime)
    gc.collect()
    gc.freeze()


class SystemCallFilter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def read_filter():
    """The file's position is shared with whoever else is started now."""
    instructions = os.pread(FILTER, os.fstat(FILTER).st_size, 0)
    os.close(FILTER)
    return SystemCallFilter(len(instructions) // 8, instructions)


def serve(orders):
    """Returns in a fork only: its descriptors, and whether nobody waits for it yet."""
    children = {}
    while True:
        kind, sandbox, fields, descriptors = receive(orders)
        serial = number(fields, PROCESS)
        if kind == FORK:
            child = fork(descriptors)
            if child == 0:
                return descriptors, number(fields, LEVEL)
            children[serial] = child
        elif kind == REAP:
            child = children.pop(serial, None)
            status = os.waitpid(child, 0)[1] if child else 0
            orders.send(message(REAPED, sandbox, PROCESS=serial, STATUS=status))
        for descriptor in descriptors:
            os.close(descriptor)


def fork(descriptors):
    """The number of the new process, 0 in it; None if there is none, which the closed socket tells."""
    child = None
    try:
        setns(descriptors[1], NEWPID)
        child = os.fork()
    except OSError:
        pass
    if child != 0:
        setns(HOME, NEWPID)
    return child


# --- A fork --------------------------------------------------------------------------------------------------


def park(channel, descriptors, zygote, runtime, ahead):
    """Enters what is there already, does what can be done ahead, and waits for the order: (fields, output)."""
    zygote.close()
    os.close(HOME)
    for group in descriptors[6:]:
        os.write(group, b"0")
    for descriptor, kind in zip(descriptors[2:6], (NEWNET, NEWIPC, NEWUTS, NEWCGROUP)):
        setns(descriptor, kind)
    for descriptor in descriptors[1:]:
        os.close(descriptor)
    renew()
    if ahead:
        rehearse(runtime)
    channel.send(message(PARKED))
    kind, _, fields, (output, mount_namespace, user_namespace) = receive(channel)
    setns(mount_namespace, NEWNS)
    setns(user_namespace, NEWUSER)
    os.close(mount_namespace)
    os.close(user_namespace)
    return fields, output


def give_up_everything(fields, system_calls):
    """The same as drop_everything in init.c. From here on this is a process like any of the sandbox's."""
    prctl = libc.prctl
    os.setresgid(GROUP, GROUP, GROUP)
    os.setresuid(USER, USER, USER)
    for capability in range(64):
        if prctl(24, capability, 0, 0, 0) < 0:  # PR_CAPBSET_DROP
            break  # past the last one
    check(prctl(47, 4, 0, 0, 0), "ambient set")  # PR_CAP_AMBIENT, CLEAR_ALL
    check(prctl(28, 0xEF, 0, 0, 0), "securebits")  # PR_SET_SECUREBITS: all locked, see init.c
    check(libc.capset(CAPABILITIES_VERSION, NO_CAPABILITIES), "capset")
    check(prctl(38, 1, 0, 0, 0), "no_new_privs")
    for name, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 65536),
        (resource.RLIMIT_NPROC, number(fields, PIDS)),
        (resource.RLIMIT_NOFILE, number(fields, NOFILE)),
    ):
        hard = resource.getrlimit(name)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (value, value))
    check(prctl(4, 1, 0, 0, 0), "dumpable")  # PR_SET_DUMPABLE, as after an execve
    check(prctl(22, 2, ctypes.addressof(system_calls), 0, 0), "seccomp")  # PR_SET_SECCOMP, MODE_FILTER


def arrange_descriptors(channel, output):
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    kept = channel.fileno()
    os.closerange(3, kept)
    os.closerange(kept + 1, 256)
    open_streams()


def open_streams():
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        open_stream(number, name, mode)


def open_stream(number, name, mode):
    """As the interpreter does: what the zygote opened remembers that it was /dev/null."""
    old = getattr(sys, name)
    binary = open(number, mode + "b", closefd=False)
    binary.raw.name = "<%s>" % name
    newline, lines = ("\n", number == 2) if mode == "w" else (None, False)
    stream = io.TextIOWrapper(binary, old.encoding, old.errors, newline, lines)
    stream.mode = mode
    setattr(sys, name, stream)
    setattr(sys, "__%s__" % name, stream)


def renew():
    """What must not be the same in two forks, or tells when the zygote was started."""
    import random
    import tempfile

    random.seed()
    tempfile._name_sequence = None
    entropy = os.urandom(64)
    if "ssl" in sys.modules:
        sys.modules["ssl"].RAND_add(entropy, 64.0)
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    if "multiprocessing.process" in sys.modules:
        process = sys.modules["multiprocessing.process"]
        process.current_process()._config["authkey"] = process.AuthenticationString(os.urandom(32))
    if "platform" in sys.modules:
        sys.modules["platform"]._uname_cache = None  # it has the host's name
    if "uuid" in sys.modules:
        sys.modules["uuid"]._node = sys.modules["uuid"]._last_timestamp = None
    if "logging" in sys.modules:
        logging = sys.modules["logging"]
        logging._startTime = type(logging._startTime)(time.time_ns() if logging._startTime > 1e12 else time.time())
    site = sys.modules.get("site")
    if site is not None:
        site.USER_BASE = site.USER_SITE = None


def own_names():
    """What the function brings, as the first parts of module names."""
    task = os.environ.get("LAMBDA_TASK_ROOT", "/var/task")
    version = "python%d.%d" % sys.version_info[:2]
    names = set()
    for folder in (task, "/opt/python/lib/%s/site-packages" % version, "/opt/python"):
        try:
            names.update(name.partition(".")[0] for name in os.listdir(folder))
        except OSError:
            pass  # there is none
    return names - {"__main__"}


def make_way(names, sdk):
    """Forgets what the function brings itself. False if that cannot be done: a module of the standard library may be
    known to others already."""
    taken = (loaded & names) - AT_START
    if not taken <= sdk:
        return False
    if taken:
        for name in [name for name in sys.modules if name.partition(".")[0] in sdk]:
            del sys.modules[name]
    return True


def become(fields):
    """Takes over arguments, variables and directory. Returns the arguments."""
    arguments = [value.decode("utf-8", "surrogateescape") for tag, value in fields if tag == ARG]
    zone = os.environb.get(b"TZ")
    os.environb.clear()
    for tag, value in fields:
        if tag == ENV:
            name, _, text = value.partition(b"=")
            os.environb[name] = text
    for tag, value in fields:
        if tag == CWD:
            os.chdir(value)
    if zone is None or os.environb.get(b"TZ") != zone:
        time.tzset()
    sys.argv = arguments[1:]
    return arguments


def find_arguments():
    """From where to where in this process's memory /proc/self/cmdline is."""
    with open("/proc/self/stat", "rb") as file:
        numbers = file.read().rpartition(b")")[2].split()
    return int(numbers[45]), int(numbers[46])


def show_arguments(arguments, place):
    """The zygote was started with a line of the same length."""
    line = "\0".join([*arguments, ""]).encode("utf-8", "surrogateescape")
    start, end = place
    if end - start == len(line):
        ctypes.memmove(start, line, len(line))


def run(runtime, path, api=None):
    """`api`: the connection over which it has heard whose it is."""
    runtime.__file__ = path
    sys.modules["__main__"] = runtime
    if api is None or os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY"):
        return runtime.main()  # with a connection for each process
    runtime.prepare()
    runtime.begin(api)


def get_ready(runtime, is_rehearsed):
    """All that a fork can do before it hears whose it is."""
    if not is_rehearsed:
        rehearse(runtime)
    os.environ["TZ"] = ":UTC"  # what most functions have
    time.tzset()
    runtime.furnish()


def order(api):
    """Of which function this becomes an environment. It waits until that is known."""
    directory, *variables = api.order()
    return [(CWD, directory)] + [(ENV, variable) for variable in variables]


def report(channel, error):
    """What went wrong, for the server's log."""
    try:
        channel.send(message(FAILED, ERRNO=getattr(error, "errno", None) or 5, STAGE=str(error)[:200]))
    except OSError:
        pass


def main():
    orders = socket.socket(fileno=ORDERS)
    try:
        runtime, system_calls = load_runtime(), read_filter()
        rehearse(runtime)  # what every fork uses is loaded first and lies together
        sdk = load_modules()
        loaded.update(name.partition(".")[0] for name in sys.modules)
        settle(runtime)
        orders.send(message(UP))
    except Exception as error:
        report(orders, error)
        sys.exit(1)
    descriptors, ahead = serve(orders)
    channel = socket.socket(fileno=descriptors[0])
    try:
        fields, output = park(channel, descriptors, orders, runtime, ahead)
        os.setsid()
        give_up_everything(fields, system_calls)
        arrange_descriptors(channel, output)
        arguments = become(fields)
        is_waiting, place = arguments[-1] == runtime.WAITING, find_arguments()
        if is_waiting:
            del arguments[-1], sys.argv[-1]
        else:
            show_arguments(arguments, place)
        is_alone = is_waiting or make_way(own_names(), sdk)
    except BaseException as error:
        report(channel, error)
        os._exit(126)  # without having said that it runs: martlet-sandbox starts an interpreter instead
    channel.send(message(STARTED))
    channel.close()
    api = None
    if is_waiting:
        api = runtime.RuntimeAPI(os.environ["AWS_LAMBDA_RUNTIME_API"])
        get_ready(runtime, is_rehearsed=ahead)
        become([(ARG, text.encode()) for text in arguments] + order(api))
        show_arguments(arguments, place)
        is_alone = make_way(own_names(), sdk)
    if not is_alone:
        os.execve(arguments[0], arguments, dict(os.environb))
    run(runtime, arguments[1], api)  # from here, so that nothing is given up: who does writes to its pages


if __name__ == "__main__":
    if len(sys.argv) > 1:
        execute("snapshot").start(sys.argv[1])
    else:
        main()

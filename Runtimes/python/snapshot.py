"""Processes of one version of one function, from which its environments are forked: snapshots, which have initialised the
function, and its zygotes, which have loaded what it imports of others' packages (imports.py).

They run a tenant's code, so they have no privilege (Sources/martlet-sandbox/snapshot.c says what they may do): a fork enters a
sandbox because its user owns the namespaces, and gives up what it gets by that. Part of zygote.py.
"""

import fcntl
import gc
import os
import socket
import stat
import sys
import time

zygote = sys.modules["__main__"]
OURS = (0, 1, 2, zygote.ORDERS)  # descriptors
PARTS_OF_SDK = {"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"}
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
started_with = dict(os.environb)


def start(stage):
    {"snapshot": run_snapshot, "imports": run_function_zygote}[stage]()


# --- What forks cannot share -----------------------------------------------------------------------------------


def why_not(ours=OURS):
    """What is in this process that a fork would not have, or would share; None. `ours`: descriptors."""
    threads = count_threads()
    if threads > 1:
        return "%d threads" % threads
    if os.listdir("/tmp"):
        return "files in /tmp"
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        try:
            mode = os.fstat(number).st_mode
        except OSError:
            continue  # it was that of the list
        path = os.readlink("/proc/self/fd/" + name)
        if number in ours or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode):
            continue
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode) or not os.path.exists(path):
            return "a descriptor of %s" % path
    try:
        os.waitpid(-1, os.WNOHANG)
        return "child processes"
    except ChildProcessError:
        return None


def count_threads():
    """Without those that know of forks: whoever has them (OpenBLAS, say) ends them before one and makes others later."""
    threads = len(os.listdir("/proc/self/task"))
    if threads == 1:
        return 1
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there are threads
        child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return len(os.listdir("/proc/self/task"))


def inherited():
    """What is open, to be opened anew in a fork: (number, path, flags, offset); sockets have no path."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        if number in OURS:
            continue
        try:
            mode = os.fstat(number).st_mode
            flags = fcntl.fcntl(number, fcntl.F_GETFL)
        except OSError:
            continue
        if stat.S_ISSOCK(mode):
            found.append((number, None, 0, 0))
        else:
            offset = os.lseek(number, 0, os.SEEK_CUR) if stat.S_ISREG(mode) else 0
            found.append((number, os.readlink("/proc/self/fd/" + name), flags, offset))
    return found


def open_anew(descriptors):
    """A file that two processes have open has one offset, and a connection one stream of bytes."""
    for number, path, flags, offset in descriptors:
        inheritable = os.get_inheritable(number)
        if path is None:
            ours, theirs = socket.socketpair()
            theirs.close()
            own = ours.detach()
        else:
            own = os.open(path, flags & ~(os.O_CREAT | os.O_TRUNC | os.O_EXCL))
            if offset:
                os.lseek(own, offset, os.SEEK_SET)
        os.dup2(own, number, inheritable)
        os.close(own)


# --- Forks, and their way into sandboxes -----------------------------------------------------------------------


def enter(namespaces):
    """The user namespace first: over that, and over it alone, the kernel gives us every right. Returns in process 2 or
    later of the nest."""
    for descriptor in namespaces:
        zygote.setns(descriptor, 0)
        os.close(descriptor)
    if os.fork():
        os._exit(0)


def take_place(orders, channel, namespaces, system_calls):
    """Enters a sandbox, waits for the order, and is nobody any more: what the order says."""
    orders.close()
    enter(namespaces)
    os.setresgid(zygote.GROUP, zygote.GROUP, zygote.GROUP)
    os.setresuid(zygote.USER, zygote.USER, zygote.USER)
    zygote.renew()
    channel.send(zygote.message(zygote.PARKED))
    kind, _, fields, (output,) = zygote.receive(channel)
    os.setsid()
    zygote.give_up_everything(fields, system_calls)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    return fields


def serve_snapshot(orders):
    """Returns in a fork only, with its channel and the namespaces that it is to enter."""
    while True:
        kind, _, _, descriptors = zygote.receive(orders)
        child = os.fork() if kind == zygote.FORK and len(descriptors) > 1 else -1
        if child == 0:
            return socket.socket(fileno=descriptors[0]), descriptors[1:]
        for descriptor in descriptors:
            os.close(descriptor)
        if child > 0:
            os.waitpid(child, 0)


# --- A snapshot ------------------------------------------------------------------------------------------------


def wait_in_snapshot(api, system_calls):
    """Returns in a fork, which has become an environment, or here, if forks would not be what this process is."""
    orders = socket.socket(fileno=zygote.ORDERS)
    reason = why_not()
    directory = os.getcwd()
    sys.stdout.flush()
    sys.stderr.flush()
    if reason is not None:
        orders.detach()
        api.ask_for_restoration("Martlet-No-Snapshot: %s\r\n" % ascii(reason)[1:-1][:200])
        api.receive()
        return True
    if api.socket is None:
        api.connect()
    descriptors = inherited()
    gc.collect()
    gc.freeze()
    orders.send(zygote.message(zygote.UP))
    api.ask_for_restoration("Martlet-Snapshot: yes\r\n")
    channel, namespaces = serve_snapshot(orders)
    try:
        fields = take_place(orders, channel, namespaces, system_calls)
        os.chdir(directory)
        open_anew(descriptors)
        take_over(fields)
    except BaseException as error:
        zygote.report(channel, error)
        os._exit(126)
    channel.send(zygote.message(zygote.STARTED))
    channel.close()
    api.socket = None
    api.restore_next()
    return True


def take_over(fields):
    """The variables of this environment that differ from those that the snapshot was started with."""
    for tag, value in fields:
        if tag == zygote.ENV:
            name, _, text = value.partition(b"=")
            if started_with.get(name) != text:
                os.environb[name] = text


def run_snapshot():
    system_calls = zygote.read_filter()
    runtime = zygote.load_runtime()
    runtime.wait_in_snapshot = lambda api: wait_in_snapshot(api, system_calls)
    path = os.path.join(zygote.HERE, "bootstrap.py")
    sys.argv = [path]
    zygote.run(runtime, path)


# --- The zygote of a function ----------------------------------------------------------------------------------


def load_imports(runtime):
    """Loads what the function imports of others' packages first. Returns why that is of no use; None."""
    own, handler = zygote.own_names(), os.environ.get("_HANDLER", "")
    sdk = zygote.load_modules(with_sdk=not own & PARTS_OF_SDK)
    zygote.loaded.update(name.partition(".")[0] for name in sys.modules)
    if not zygote.make_way(own, sdk):
        return "modules have names of Python's: " + " ".join(sorted((own & zygote.loaded) - zygote.AT_START))[:200]
    runtime.prepare()
    imports = zygote.execute("imports")
    task, folders = sys.path[0], sys.path[1:3]
    # A process that an import leaves behind is then a child of this one, and seen.
    zygote.libc.prctl(SUBREAPER, 1, 0, 0, 0)
    count, reason = imports.try_out(handler, task, folders, why_not)
    found, seconds = imports.load(handler, task, folders, count)
    summary = "%s: %d ms" % (" ".join(found) or "nothing", 1000 * seconds) + (reason and "; not more: " + reason)
    if not found or seconds < imports.ENOUGH:
        return "what it could have loaded takes less than %d ms (%s)" % (1000 * imports.ENOUGH, summary)
    print(summary)
    if "botocore" in own and "botocore" in sys.modules:
        try:
            zygote.execute("sdk").prepare(sys.modules["botocore"])
        except Exception:
            pass  # one of another kind
    reason = why_not()
    zygote.libc.prctl(SUBREAPER, 0, 0, 0, 0)  # who leaves for a sandbox is no child of this process
    return reason


def run_function_zygote():
    orders, system_calls, runtime = socket.socket(fileno=zygote.ORDERS), zygote.read_filter(), zygote.load_runtime()
    zygote.rehearse(runtime)
    runtime.__file__ = os.path.join(zygote.HERE, "bootstrap.py")
    sys.argv, sys.modules["__main__"] = [runtime.__file__], runtime
    reason = load_imports(runtime)
    if reason is not None:
        print(reason)
        sys.exit(1)
    zygote.settle(runtime)
    changed = {name: text for name, text in os.environb.items() if started_with.get(name) != text}
    removed = started_with.keys() - os.environb.keys()
    descriptors = inherited()
    orders.send(zygote.message(zygote.UP))
    channel, namespaces = serve_snapshot(orders)
    try:
        fields = take_place(orders, channel, namespaces, system_calls)
        open_anew(descriptors)
        arguments = zygote.become(fields)
    except BaseException as error:
        zygote.report(channel, error)
        os._exit(126)
    channel.send(zygote.message(zygote.STARTED))
    channel.close()
    api = runtime.RuntimeAPI(os.environ["AWS_LAMBDA_RUNTIME_API"])
    if arguments[-1] == runtime.WAITING:
        zygote.rehearse(runtime)
        zygote.become([(zygote.ARG, text.encode()) for text in arguments[:-1]] + zygote.order(api))
    for name in removed:
        os.environb.pop(name, None)
    os.environb.update(changed)
    if b"TZ" in changed:
        time.tzset()
    del sys.argv[1:]
    runtime.begin(api)



"""What a function's module imports before it does anything else, loaded without executing the module.

The zygote of one function (zygote.py) has these modules when it is forked. Only what others have made is loaded ahead:
modules of Python, and of distributions, which are known by their `*.dist-info/RECORD`. The function's own modules are
read, not run, from the first line to the first statement that does anything but import and define: what comes later may
depend on what such a statement has done. So nothing is imported that the function would not have imported just so.

Nor is anything loaded that could not be the same in all environments. `try_out` imports everything in a process that ends,
and looks: loading ahead ends before what prints when it is imported, asks for random numbers or the number of its process,
makes processes or threads, uses the network, or leaves open what a fork cannot share.
"""

import ast
import contextlib
import os
import sys
import time

ENOUGH = 0.025  # seconds of a processor that make imports worth a process
NAMES_A_TYPE_CHECKER = ("TYPE_CHECKING", "typing.TYPE_CHECKING")
# Calls that change nothing.
HARMLESS = {
    "Decimal", "Path", "bool", "dict", "float", "frozenset", "int", "list", "logging.getLogger", "namedtuple",
    "os.environ.get", "os.getenv", "os.path.abspath", "os.path.dirname", "os.path.join", "pathlib.Path", "re.compile",
    "set", "str", "timedelta", "tuple", "TypeVar",
}
UNIQUE = {"urandom", "getrandom", "random", "getrandbits", "getpid"}
BEYOND = {"fork", "connect", "connect_ex", "sendto"}
# numpy: what it draws is drawn anew in each fork (zygote.renew). The others draw names that are used inside of the process.
ALLOWED = {"joblib", "numpy", "opentelemetry"}
# What their clients import when they are made.
COMPANIONS = {"boto3": ("boto3.s3.inject", "boto3.dynamodb.transform")}


class Stop(Exception):
    """Here the function does something."""


class Unfit(Exception):
    """What was imported last should not be the same in several environments."""


def try_out(handler, task, folders, why_not):
    """How many statements can be loaded ahead, and why not more, found out in a process that ends."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(theirs, ("%d %s" % look(Reader(handler, task, folders), why_not)).encode("utf-8", "replace"))
        os._exit(0)
    os.waitpid(child, 0)
    os.write(theirs, b" ")  # the end: it may have left a process behind, which has the pipe, too
    said = os.read(ours, 4096).decode("utf-8", "replace").rstrip()
    os.close(ours)
    os.close(theirs)
    count, _, reason = said.partition(" ")
    return (int(count), reason) if count else (0, "importing ends the process")


def look(reader, why_not):
    """Loads one statement after the other, as long as they are fit."""
    watch = Watch(reader.is_standard)
    with watch, Silence() as silence:
        known = {int(name) for name in os.listdir("/proc/self/fd")}
        directory = os.getcwd()

        def after():
            with watch.pause():
                check(watch.reason or silence.broken() or reader.own_loaded() or why_not(known))
                check(os.getcwd() != directory and "it changes the directory")

        reader.after = after
        try:
            reader.read(reader.handler)
        except Stop:
            return reader.count, ""
        except BaseException as error:
            return max(0, reader.count - 1), ascii(str(error))[1:-1][:200]
    return reader.count, ""


def check(reason):
    if reason:
        raise Unfit(reason)


def load(handler, task, folders, count):
    """Loads so many statements. Returns the distributions' modules among them, and the seconds of a processor that it took."""
    reader = Reader(handler, task, folders, count)
    began = time.process_time()  # how busy the host is says nothing about the imports
    try:
        reader.read(reader.handler)
    except Stop:
        pass
    return reader.found, time.process_time() - began


class Reader:
    def __init__(self, handler, task, folders, most=None):
        self.handler = handler.rpartition(".")[0].replace("/", ".")  # its module
        self.most, self.count, self.after = most, 0, None
        self.folders = [task] + folders  # in which the function's own modules are
        self.places = tuple(folder + os.sep for folder in self.folders)
        self.distributed = set()
        for folder in self.folders + [entry for entry in sys.path if entry.endswith("-packages")]:
            self.distributed |= distributed(folder, self.handler.partition(".")[0])
        self.library = tuple({os.path.dirname(os.__file__) + os.sep, os.path.dirname(ast.__file__) + os.sep})
        self.seen = set()
        self.found = []

    def is_standard(self, file):
        return file.startswith(self.library + ("<frozen", "<string>")) and "-packages" not in file

    def is_others(self, name):
        """True if somebody else has made the module. Stops where it is not known, or is not there."""
        name = name.partition(".")[0]
        if name in self.distributed:
            return True
        if name in sys.modules or name in sys.builtin_module_names:
            return not self.is_own(name)
        if self.is_own(name):
            return False
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name)
        return spec is not None and (spec.origin is None or self.is_standard(spec.origin))

    def is_own(self, name):
        return any(place(folder, name) for folder in self.folders)

    # The function's own modules

    def read(self, name):
        """The module `name` with the packages that it is in, as importing it would run them."""
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            self.read_one(".".join(parts[:count]))

    def read_one(self, name):
        if name in self.seen:
            return
        self.seen.add(name)
        path = next(filter(None, (place(folder, name) for folder in self.folders)), None)
        if path is None or not path.endswith((".py", "/")):
            raise Stop(name)
        if path.endswith("/"):
            return  # a package without a file of its own
        try:
            with open(path, "rb") as file:
                body = ast.parse(file.read(), path).body
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise Stop(name) from error
        self.walk(body, name if path.endswith("__init__.py") else name.rpartition(".")[0])

    def walk(self, statements, package):
        for statement in statements:
            kind = type(statement)
            if kind is ast.Import:
                for alias in statement.names:
                    self.bring(alias.name, ast.Import([ast.alias(alias.name, None)]))
            elif kind is ast.ImportFrom:
                self.bring_from(statement, package)
            elif kind is ast.Try:
                self.walk_try(statement, package)
            elif kind is ast.If:
                self.walk(self.branch(statement), package)
            elif not is_definition(statement):
                raise Stop(statement)

    def branch(self, statement):
        test = statement.test
        if dotted(test) in NAMES_A_TYPE_CHECKER or is_main(test):
            return statement.orelse
        raise Stop(statement)

    def walk_try(self, statement, package):
        """`try: import this` `except ImportError: import that`"""
        if statement.orelse or statement.finalbody or len(statement.handlers) != 1:
            raise Stop(statement)
        if any(type(part) not in (ast.Import, ast.ImportFrom) for part in statement.body):
            raise Stop(statement)
        caught = dotted(statement.handlers[0].type) if statement.handlers[0].type else "Exception"
        if caught not in ("ImportError", "ModuleNotFoundError", "Exception"):
            raise Stop(statement)
        if all(self.is_there(part) for part in statement.body):
            self.walk(statement.body, package)
        else:
            self.walk(statement.handlers[0].body, package)

    def is_there(self, statement):
        from importlib.machinery import PathFinder

        if type(statement) is ast.ImportFrom:
            if statement.level:
                raise Stop(statement)
            names = [statement.module]
        else:
            names = [alias.name for alias in statement.names]
        tops = [name.partition(".")[0] for name in names]
        return all(name in sys.modules or PathFinder.find_spec(name) is not None for name in tops)

    def bring_from(self, statement, package):
        name = statement.module or ""
        if statement.level:
            parts = package.split(".") if package else []
            if len(parts) < statement.level:
                raise Stop(statement)
            name = ".".join(parts[: len(parts) - statement.level + 1] + ([name] if name else []))
        if not name:
            raise Stop(statement)
        if name == "__future__":
            return
        self.bring(name, ast.ImportFrom(name, [ast.alias(alias.name, None) for alias in statement.names], 0))
        if name in self.seen:
            for alias in statement.names:
                if any(place(folder, name + "." + alias.name) for folder in self.folders):
                    self.read(name + "." + alias.name)

    def bring(self, name, statement):
        if not self.is_others(name):
            return self.read(name)
        if self.count == self.most:
            raise Stop(statement)
        self.count += 1
        module = ast.fix_missing_locations(ast.Module([statement], []))
        exec(compile(module, "<imports>", "exec"), {"__name__": "imports"})
        top = name.partition(".")[0]
        if top in self.distributed:
            self.found.append(name)
            self.bring_companions(top)
        if self.after is not None:
            self.after()

    def bring_companions(self, name):
        from importlib.machinery import PathFinder

        if name in COMPANIONS and PathFinder.find_spec("awscrt") is None:  # see zygote.load_modules
            for companion in COMPANIONS[name]:
                try:
                    __import__(companion)
                except ImportError:
                    pass  # not in this version

    def own_loaded(self):
        """Who is imported may import, by a name that they have in common, what is the function's own."""
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None) or ""
            if file.startswith(self.places) and name.partition(".")[0] not in self.distributed:
                return "it imports the function's own " + name
        return None


def distributed(folder, own):
    """The first parts of the names of modules that belong to distributions. Not of the function's own: that with the
    module `own`, and what was not installed from an index but from a directory or a repository (PEP 610)."""
    try:
        entries = [os.path.join(folder, entry) for entry in os.listdir(folder) if entry.endswith(".dist-info")]
    except OSError:
        return set()
    names = set()
    for entry in entries:
        found = set() if os.path.exists(os.path.join(entry, "direct_url.json")) else recorded(entry)
        if own not in found:
            names |= found
    return names


def recorded(entry):
    """The names in one distribution's list of files."""
    names = set()
    try:
        with open(os.path.join(entry, "RECORD"), encoding="utf-8", errors="replace") as file:
            for line in file:
                first = line.partition(",")[0].strip('"').partition("/")[0]
                if not first.startswith((".", "__pycache__")) and not first.endswith((".dist-info", ".data")):
                    names.add(first.partition(".")[0])
    except OSError:
        pass
    return names


def place(folder, name):
    """Where the module is, with "/" at the end if that is a directory; None."""
    base = os.path.join(folder, *name.split("."))
    if os.path.isdir(base):
        file = os.path.join(base, "__init__.py")
        return file if os.path.isfile(file) else base + "/"
    if os.path.isfile(base + ".py"):
        return base + ".py"
    parent, last = os.path.split(base)
    try:
        return next((os.path.join(parent, entry) for entry in os.listdir(parent) if entry.startswith(last + ".")), None)
    except OSError:
        return None


# --- What statements do --------------------------------------------------------------------------------------


def dotted(node):
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return before and before + "." + node.attr
    return None


def is_main(test):
    """`__name__ == "__main__"`, which it never is."""
    if not isinstance(test, ast.Compare) or dotted(test.left) != "__name__" or type(test.ops[0]) is not ast.Eq:
        return False
    return len(test.ops) == 1 and getattr(test.comparators[0], "value", None) == "__main__"


def is_definition(statement):
    """True if it does nothing but give a name to something."""
    kind = type(statement)
    if kind is ast.Pass or kind is ast.Global:
        return True
    if kind is ast.Expr:
        return isinstance(statement.value, ast.Constant)
    if kind in (ast.FunctionDef, ast.AsyncFunctionDef):
        arguments = statement.args
        values = statement.decorator_list + arguments.defaults + [value for value in arguments.kw_defaults if value]
        every = arguments.args + arguments.kwonlyargs + getattr(arguments, "posonlyargs", [])
        every += [one for one in (arguments.vararg, arguments.kwarg) if one]
        values += [one.annotation for one in every if one.annotation]
        return all(map(is_harmless, values + ([statement.returns] if statement.returns else [])))
    if kind is ast.ClassDef:
        values = statement.decorator_list + statement.bases + [keyword.value for keyword in statement.keywords]
        return all(map(is_harmless, values)) and all(map(is_definition, statement.body))
    if kind is ast.Assign:
        return all(map(is_name, statement.targets)) and is_harmless(statement.value)
    if kind is ast.AnnAssign:
        parts = [statement.annotation] + ([statement.value] if statement.value else [])
        return is_name(statement.target) and all(map(is_harmless, parts))
    return False


def is_name(target):
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(map(is_name, target.elts))
    return isinstance(target, ast.Name)


def is_harmless(expression):
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and dotted(node.func) not in HARMLESS:
            return False
        if isinstance(node, (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)):
            return False
    return True


# --- What imports do -----------------------------------------------------------------------------------------


class Watch:
    """Notes what is called while modules are imported. What Python's own modules do when they are loaded is known."""

    def __init__(self, is_standard):
        self.is_standard = is_standard
        self.reason = None

    def __enter__(self):
        import _random
        import _socket

        self.kinds = (_random.Random, _socket.socket)
        sys.setprofile(self.see)
        return self

    @contextlib.contextmanager
    def pause(self):
        sys.setprofile(None)
        yield
        sys.setprofile(self.see)

    def see(self, frame, event, function):
        if event != "c_call" or self.reason is not None:
            return
        name = function.__name__
        if name not in UNIQUE and name not in BEYOND:
            return
        owner = getattr(function, "__self__", None)
        if getattr(owner, "__name__", None) == "posix" or isinstance(owner, self.kinds):
            who = self.who(frame)
            if who is not None:
                self.reason = "%s calls %s when it is imported" % (who, name)

    def who(self, frame):
        while frame is not None:
            code = frame.f_code
            if not self.is_standard(code.co_filename):
                name = str(frame.f_globals.get("__name__"))
                return None if name.partition(".")[0] in ALLOWED else name
            if code.co_name == "<module>" and not code.co_filename.startswith("<"):
                return None  # it is being loaded
            frame = frame.f_back
        return None

    def __exit__(self, kind, error, trace):
        sys.setprofile(None)


class Silence:
    """Whoever prints would do so once, and not in each environment."""

    def __enter__(self):
        sys.stdout.flush()
        sys.stderr.flush()
        self.file = os.memfd_create("output")
        os.dup2(self.file, 1)
        os.dup2(self.file, 2)
        return self

    def broken(self):
        sys.stdout.flush()
        sys.stderr.flush()
        printed = os.pread(self.file, 100, 0)
        return printed and "what is imported prints: " + printed.decode("utf-8", "replace").strip()

    def __exit__(self, kind, error, trace):
        pass  # the process ends

"""Martlet's Python runtime: the loop between the Runtime API and a handler, CPython 3.8 and later.

What a function can see (context, log lines, error documents, JSON rules) is AWS's. What it cannot see is built for
a fast start: no import that a plain invocation does not need (a socket from `_socket`, JSON from `_json`;
`logging` is set up when the function imports it), and one `send` per request. Start it compiled (`python
bootstrap.pyc`) to save the 6 ms of compiling this file.
"""

import marshal
import os
import sys
import time

import _json
import _socket

VERSIONED = "python%d.%d" % sys.version_info[:2]
RUNTIME_NAME = "aws-lambda-python/%d.%d.%d-martlet" % sys.version_info[:3]
RECEIVE_BYTES = 65536  # one read takes an ordinary event whole
JOIN_BYTES = 65536  # bodies up to this size go out in one piece with their head
WAITING = "--martlet-stem"  # the last argument of who hears later whose it is
XRAY_CAUSE_BYTES = 60 * 1024  # longer causes are left out: a header has to carry them
NO_BREAK_SPACE = "\u00a0"

UNHANDLED_WARNING = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. However, in "
    "rare cases, a Lambda runtime update can cause unexpected function behavior. For functions using managed "
    "runtimes, runtime updates can be triggered by a function change, or can be applied automatically. To "
    "determine if the runtime has been updated, check the runtime version in the INIT_START log entry. If "
    "this error correlates with a change in the runtime version, you may be able to mitigate this error by "
    "temporarily rolling back to the previous runtime version. For more information, see "
    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r"
)

request_id = None  # of the invocation under way; log records carry it
tenant_id = None
log_sink = None


class Fault(Exception):
    """A failure of the runtime's own, with the type AWS gives it."""

    def __init__(self, error_type, message, trace=None):
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.trace = trace


# --- Runtime API ---------------------------------------------------------------------------------------------


class RuntimeAPI:
    """HTTP/1.1 on one kept connection. The server gone is the end of this process: every failure is an OSError."""

    def __init__(self, address):
        self.address = address
        self.socket = None
        self.buffer = bytearray(RECEIVE_BYTES)
        self.view = memoryview(self.buffer)
        self.start, self.end = 0, 0  # bytes received and not yet taken: buffer[start:end]
        head = "Host: %s\r\nUser-Agent: %s\r\n" % (address, RUNTIME_NAME)
        self.common_head = head
        self.next_request = ("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n%s\r\n" % head).encode()

    def connect(self):
        host, _, port = self.address.rpartition(":")
        connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        connection.settimeout(None)  # the function's socket.setdefaulttimeout() is not for us
        connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        connection.connect((host.strip("[]"), int(port)))
        self.socket, self.start, self.end = connection, 0, 0

    def next(self):
        if self.socket is None:
            self.connect()
        self.socket.sendall(self.next_request)
        return self.receive()

    def ask_for_restoration(self, more_head=""):
        if self.socket is None:
            self.connect()
        request = self.next_request.replace(b"invocation/next", b"restore/next")
        self.socket.sendall(request[:-2] + more_head.encode() + b"\r\n")

    def restore_next(self):
        self.ask_for_restoration()
        return self.receive()

    def order(self):
        """Whose environment this becomes: its directory and variables."""
        if self.socket is None:
            self.connect()
        self.socket.sendall(self.next_request.replace(b"2018-06-01/runtime/invocation/next", b"_martlet/order"))
        return self.receive()[2].split(b"\0")[:-1]

    def post(self, path, body, content_type="application/json", more_head=""):
        if self.socket is None:
            self.connect()
        head = (
            "POST /2018-06-01/runtime/%s HTTP/1.1\r\n%sContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n"
            % (path, self.common_head, content_type, more_head, len(body))
        ).encode()
        if len(body) <= JOIN_BYTES:
            self.socket.sendall(head + body)
        else:
            self.socket.sendall(head, _socket.MSG_MORE)
            self.socket.sendall(body)
        status = self.receive()[0]
        if status >= 500:
            raise OSError("the Runtime API answered %d to %s" % (status, path))
        return status

    def fill(self):
        if self.start == self.end:
            self.start = self.end = 0
        elif self.end == len(self.buffer):
            kept = self.end - self.start
            if self.start:
                self.buffer[:kept] = self.buffer[self.start : self.end]
            else:
                larger = bytearray(2 * len(self.buffer))
                larger[:kept] = self.buffer
                self.buffer, self.view = larger, memoryview(larger)
            self.start, self.end = 0, kept
        count = self.socket.recv_into(self.view[self.end :])
        if not count:
            raise OSError("the Runtime API closed the connection")
        self.end += count

    def take_until(self, mark):
        while True:
            at = self.buffer.find(mark, self.start, self.end)
            if at >= 0:
                piece = self.buffer[self.start : at]
                self.start = at + len(mark)
                return piece
            self.fill()

    def take(self, count):
        have = self.end - self.start
        if have >= count:
            piece = bytes(self.view[self.start : self.start + count])
            self.start += count
            return piece
        whole = bytearray(count)
        whole[:have] = self.view[self.start : self.end]
        self.start = self.end = 0
        rest = memoryview(whole)[have:]
        while len(rest):
            received = self.socket.recv_into(rest, len(rest), _socket.MSG_WAITALL)
            if not received:
                raise OSError("the Runtime API closed the connection")
            rest = rest[received:]
        return whole

    def take_chunks(self):
        pieces = []
        while True:
            size = int(self.take_until(b"\r\n").partition(b";")[0], 16)
            if not size:
                break
            pieces.append(self.take(size))
            self.take(2)
        while self.take_until(b"\r\n"):
            pass  # trailers
        return b"".join(pieces)

    def receive(self):
        """One answer: (status, headers by lower-case name, body)."""
        lines = self.take_until(b"\r\n\r\n").decode("utf-8", "replace").split("\r\n")
        version, status = lines[0].split(" ", 2)[:2]
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        closes = headers.get("connection", "").lower()
        if "content-length" in headers:
            body = self.take(int(headers["content-length"]))
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            body = self.take_chunks()
        else:
            body = b""
        if closes == "close" or (version == "HTTP/1.0" and closes != "keep-alive"):
            self.socket.close()
            self.socket = None
        return int(status), headers, body


# --- JSON ----------------------------------------------------------------------------------------------------

# AWS answers in UTF-8 from 3.12 on and in ASCII before. Its rules are those of simplejson: a named tuple is an
# object, bytes are text, a Decimal is a number with its own digits. The C encoder knows none of these, so `marshal`,
# which takes only the exact built-in types, says in C speed whether the C encoder may be used.
ANSWER_IN_UTF8 = (
    "AWS_Lambda_python3.12",
    "AWS_Lambda_python3.13",
    "AWS_Lambda_python3.14",
    "AWS_Lambda_python3.15",
)


class ScannerSettings:
    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int
    parse_constant = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}.__getitem__
    memo = {}


def refuse(value, start=0):
    raise TypeError("not for the C encoder")


encode_string = _json.encode_basestring_ascii
scan_json = encode_plain = refuse  # what a CPython to come may change in `_json` costs speed, not answers
try:
    scan_json = _json.make_scanner(ScannerSettings)
except (TypeError, AttributeError):
    pass


def set_encoding(environment):
    global encode_string, encode_plain
    is_utf8 = environment in ANSWER_IN_UTF8
    encode_string = _json.encode_basestring if is_utf8 else _json.encode_basestring_ascii
    try:
        encode_plain = _json.make_encoder(None, refuse, encode_string, None, ": ", ", ", False, False, True)
    except (TypeError, AttributeError):
        encode_plain = refuse


def from_json(text):
    if not isinstance(text, str):
        text = text.decode("utf-8")
    text = text.strip(" \t\n\r")
    try:
        value, end = scan_json(text, 0)
        if end == len(text):
            return value
    except Exception:
        pass
    import json

    return json.loads(text)  # for its error message


def to_json(value):
    try:
        marshal.dumps(value)
        return "".join(encode_plain(value, 0))
    except Exception:
        pieces = []
        encode_any(value, pieces.append, set())
        return "".join(pieces)


def encode_any(value, write, open_containers):
    if isinstance(value, str):
        write(encode_string(value))
    elif isinstance(value, bytes):
        write(encode_string(value.decode("utf-8")))
    elif value is None or value is True or value is False or isinstance(value, (int, float)):
        write(encode_scalar(value))
    elif isinstance(value, list):
        encode_items(value, write, open_containers)
    elif callable(getattr(value, "_asdict", None)):
        encode_members(value, value._asdict(), write, open_containers)
    elif isinstance(value, tuple):
        encode_items(value, write, open_containers)
    elif isinstance(value, dict):
        encode_members(value, value, write, open_containers)
    elif "decimal" in sys.modules and isinstance(value, sys.modules["decimal"].Decimal):
        write("NaN" if value.is_nan() else str(value))
    else:
        raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def encode_scalar(value):
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return float.__repr__(value)


def encode_items(items, write, open_containers):
    enter(items, open_containers)
    separator = "["
    for item in items:
        write(separator)
        separator = ", "
        encode_any(item, write, open_containers)
    write("]" if separator == ", " else "[]")
    open_containers.discard(id(items))


def encode_members(container, members, write, open_containers):
    enter(container, open_containers)
    separator = "{"
    for key, value in members.items():
        if isinstance(key, bytes):
            key = key.decode("utf-8")
        elif not isinstance(key, str):
            if not (key is None or isinstance(key, (int, float))):
                raise TypeError("keys must be str, int, float, bool or None, not " + type(key).__name__)
            key = encode_scalar(key)
        write(separator + encode_string(key) + ": ")
        separator = ", "
        encode_any(value, write, open_containers)
    write("}" if separator == ", " else "{}")
    open_containers.discard(id(container))


def enter(container, open_containers):
    if id(container) in open_containers:
        raise ValueError("Circular reference detected")
    open_containers.add(id(container))


# --- What the handler is given -------------------------------------------------------------------------------


def described(thing, names):
    return "%s([%s])" % (type(thing).__name__, ",".join("%s=%s" % (name, getattr(thing, name)) for name in names))


class CognitoIdentity:
    __slots__ = ["cognito_identity_id", "cognito_identity_pool_id"]

    def __init__(self, document):
        self.cognito_identity_id = document.get("cognitoIdentityId")
        self.cognito_identity_pool_id = document.get("cognitoIdentityPoolId")

    def __repr__(self):
        return described(self, self.__slots__)


class Client:
    __slots__ = ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"]

    def __init__(self, document):
        for name in self.__slots__:
            setattr(self, name, document.get(name))

    def __repr__(self):
        return described(self, self.__slots__)


class ClientContext:
    __slots__ = ["custom", "env", "client"]

    def __init__(self, document):
        self.custom = document.get("custom")
        self.env = document.get("env")
        client = document.get("client")
        self.client = None if client is None else Client(client)

    def __repr__(self):
        return described(self, self.__slots__)


class LambdaContext:
    def __init__(self, headers):
        variable = os.environ.get
        self.aws_request_id = headers.get("lambda-runtime-aws-request-id")
        self.log_group_name = variable("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = variable("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = variable("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = variable("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self._trace_fields = {}
        client_context = header_document(headers, "lambda-runtime-client-context", "Client Context")
        if isinstance(client_context, dict):
            given = client_context.pop("w3c", None)
            if isinstance(given, dict):
                names = ("traceparent", "tracestate", "baggage")
                self._trace_fields = {name: given[name] for name in names if isinstance(given.get(name), str)}
        self.client_context = None if client_context is None else ClientContext(client_context)
        self.identity = CognitoIdentity(
            header_document(headers, "lambda-runtime-cognito-identity", "Cognito Identity") or {}
        )
        self._deadline = int(headers.get("lambda-runtime-deadline-ms") or 0)

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def w3c(self):
        return dict(self._trace_fields)

    def log(self, msg):
        log_sink.log(str(msg))

    def __repr__(self):
        return described(
            self,
            (
                "aws_request_id",
                "log_group_name",
                "log_stream_name",
                "function_name",
                "memory_limit_in_mb",
                "function_version",
                "invoked_function_arn",
                "client_context",
                "identity",
                "tenant_id",
            ),
        )


def header_document(headers, header, name):
    text = headers.get(header)
    if not text:
        return None
    try:
        return from_json(text)
    except Exception as error:
        raise Fault("Runtime.LambdaContextUnmarshalError", "Unable to parse %s JSON: %s" % (name, error))


# --- Logs ----------------------------------------------------------------------------------------------------

logs_json = False
log_level = ""
FRAME_JSON, FRAME_TEXT = 0xA55A0002, 0xA55A0003
FRAME_LEVELS = {10: 0x08, 20: 0x0C, 30: 0x10, 40: 0x14, 50: 0x18}


class StandardLogSink:
    def log(self, message, frame_type=None):
        sys.stdout.write(message)

    def log_error(self, lines):
        sys.stdout.write("\r".join(lines) + "\n")


class FramedLogSink:
    """Each message is one frame: type, length, microseconds, text. So the server sees where events begin and end."""

    def __init__(self, descriptor):
        self.descriptor = descriptor

    def log(self, message, frame_type=None):
        text = message.encode("utf-8", "replace")
        microseconds = time.time_ns() // 1000
        frame = b"".join(
            (
                (frame_type or FRAME_TEXT).to_bytes(4, "big"),
                len(text).to_bytes(4, "big"),
                microseconds.to_bytes(8, "big"),
                text,
            )
        )
        while frame:
            frame = frame[os.write(self.descriptor, frame) :]

    def log_error(self, lines):
        self.log("\n".join(lines), (FRAME_JSON if logs_json else FRAME_TEXT) + FRAME_LEVELS[40])


def log_error(error):
    if logs_json:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        log_sink.log_error([to_json(dict({"timestamp": stamp, "level": "ERROR"}, **error))])
        return
    title = ": ".join(part for part in (error["errorType"], error["errorMessage"]) if part)
    lines = ["[ERROR] " + title if title else "[ERROR]", "Traceback (most recent call last):"]
    for entry in error["stackTrace"]:
        for line in entry.splitlines() or [""]:
            text = line.lstrip(" ")
            lines.append(NO_BREAK_SPACE * (len(line) - len(text)) + text)
    log_sink.log_error(lines)


log_kinds = None


def make_log_kinds(logging):
    """The classes of the handler, of its filter and of its formatter. Made once: a zygote's forks have them."""
    global log_kinds
    if log_kinds is not None:
        return log_kinds

    class LambdaLoggerHandler(logging.Handler):
        def __init__(self, sink):
            super().__init__()
            self.log_sink = sink

        def emit(self, record):
            text = self.format(record)
            level = min(50, max(0, record.levelno)) // 10 * 10
            base = FRAME_JSON if logs_json else FRAME_TEXT
            if isinstance(self.log_sink, StandardLogSink) and not text.endswith("\n"):
                text += "\n"  # the formatter ends a record with a traceback without one
            self.log_sink.log(text, base + FRAME_LEVELS.get(level, 0) if logs_json or log_level else None)

    class LambdaLoggerFilter(logging.Filter):
        def filter(self, record):
            record.aws_request_id = request_id or ""
            record.tenant_id = tenant_id
            return True

    class JsonFormatter(logging.Formatter):
        def format(self, record):
            return json_log_line(logging, self, record)

    log_kinds = LambdaLoggerHandler, LambdaLoggerFilter, JsonFormatter
    return log_kinds


log_handler = None


def set_up_logging(logging):
    """Runs when the function first imports `logging`, so before it can log or look at the root logger. Again in a process
    that has heard only later whose it is."""
    global log_handler
    LambdaLoggerHandler, LambdaLoggerFilter, JsonFormatter = make_log_kinds(logging)
    root = logging.getLogger()
    if log_handler not in root.handlers:
        logging.Formatter.converter = time.gmtime
        log_handler = LambdaLoggerHandler(log_sink)
        line = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
        log_handler.setFormatter(logging.Formatter(line, "%Y-%m-%dT%H:%M:%S"))
        log_handler.addFilter(LambdaLoggerFilter())
        root.addHandler(log_handler)
    log_handler.log_sink = log_sink
    if logs_json:
        log_handler.setFormatter(JsonFormatter(datefmt="%Y-%m-%dT%H:%M:%SZ"))
    if log_level in logging._nameToLevel:
        root.setLevel(log_level)


RECORD_FIELDS = frozenset(
    "name msg args levelname levelno pathname filename module exc_info exc_text stack_info lineno funcName created "
    "msecs relativeCreated thread threadName processName process aws_request_id tenant_id taskName".split()
)


def json_log_line(logging, formatter, record):
    import json
    import traceback

    level = min(50, max(0, record.levelno)) // 10 * 10
    raw = isinstance(record.msg, dict) and not record.args
    line = {
        "timestamp": formatter.formatTime(record, formatter.datefmt),
        "level": logging.getLevelName(level),
        "message": record.msg if raw else record.getMessage(),
        "logger": record.name,
    }
    if record.exc_info:
        kind, value, trace = record.exc_info
        line["stackTrace"] = traceback.format_tb(trace)
        line["errorType"] = getattr(kind, "__name__", None)
        line["errorMessage"] = str(value)
    line["requestId"] = getattr(record, "aws_request_id", None)
    if record.exc_info:
        line["location"] = "%s:%s:%s" % (record.pathname, record.funcName, record.lineno)
    if getattr(record, "tenant_id", None) is not None:
        line["tenantId"] = record.tenant_id
    for name, value in record.__dict__.items():
        if name not in RECORD_FIELDS and name not in line:
            line[name] = value
    line = {name: value for name, value in line.items() if value is not None}
    return json.dumps(line, ensure_ascii=False, default=str) + "\n"


class LateModules:
    """First on sys.meta_path: sets up `logging` as it is imported, and answers for missing snapshot hooks."""

    def find_spec(self, name, path=None, target=None):
        if name != "logging" and name != "snapshot_restore_py":
            return None
        spec = None
        for finder in sys.meta_path:
            if finder is not self:
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    break
        if name == "logging" and spec is not None:
            execute = spec.loader.exec_module

            def execute_and_set_up(module):
                execute(module)
                set_up_logging(module)

            spec.loader.exec_module = execute_and_set_up
        elif spec is None and name == "snapshot_restore_py":
            from importlib.machinery import ModuleSpec

            spec = ModuleSpec(name, SnapshotHooks)
        return spec


class SnapshotHooks:
    """The `snapshot_restore_py` module of AWS's runtimes: functions register what to run around a snapshot."""

    before, after = [], []

    @staticmethod
    def create_module(spec):
        return None

    @classmethod
    def exec_module(cls, module):
        def register_before_snapshot(func, *args, **kwargs):
            cls.before.append((func, args, kwargs))
            return func

        def register_after_restore(func, *args, **kwargs):
            cls.after.append((func, args, kwargs))
            return func

        module.register_before_snapshot = register_before_snapshot
        module.register_after_restore = register_after_restore
        module.get_before_snapshot = lambda: cls.before
        module.get_after_restore = lambda: cls.after


# --- Errors --------------------------------------------------------------------------------------------------


def error_document(message, error_type, stack_trace, invocation=None):
    return {
        "errorMessage": message or "",
        "errorType": error_type or "",
        "requestId": invocation or "",
        "stackTrace": stack_trace or [],
    }


def function_frames(trace):
    """The traceback without this file's frames at its top, as (file, line, name, text)."""
    import traceback

    frames = [(frame.filename, frame.lineno, frame.name, frame.line) for frame in traceback.extract_tb(trace)]
    own = error_document.__code__.co_filename
    first = next((index for index, frame in enumerate(frames) if frame[0] != own), 0)
    return frames[first:]


def import_frame():
    """The frame of importlib.import_module: the first in the traceback of a module that fails while it is imported."""
    import importlib
    import traceback

    try:
        importlib.import_module("martlet.never")
    except ImportError as error:
        frames = traceback.extract_tb(error.__traceback__)[1:2]
        return [(frame.filename, frame.lineno, frame.name, frame.line) for frame in frames]


def describe_exception(invocation=None):
    """The exception being handled as (error document, X-Ray cause)."""
    import traceback

    kind, value, trace = sys.exc_info()
    if isinstance(value, Fault):
        document = error_document(value.message, value.error_type, value.trace, invocation)
        return document, xray_cause("LambdaValidationError", value.message, [])
    frames = function_frames(trace)
    if frames and frames[0][2] == "_gcd_import":
        frames = import_frame() + frames
    document = error_document(str(value), kind.__name__, traceback.format_list(frames), invocation)
    return document, xray_cause(kind.__name__, str(value), frames)


def xray_cause(kind, message, frames):
    stack = [{"label": name, "path": path, "line": line} for path, line, name, _ in frames]
    exception = {"message": message, "type": kind, "stack": stack}
    try:
        working_directory = os.getcwd()
    except OSError:
        working_directory = ""  # the function removed it
    return {
        "working_directory": working_directory,
        "exceptions": [exception],
        "paths": sorted({path for path, _, _, _ in frames}),
    }


def header_text(text):
    """A value as one header line: what the header cannot carry becomes a space."""
    return "".join(character if " " <= character < "\x7f" else " " for character in text)


def post_invocation_error(api, invocation):
    import json

    document, cause = describe_exception(invocation)
    log_error(document)
    flush_output()
    head = "Lambda-Runtime-Function-Error-Type: %s\r\n" % header_text(document["errorType"])
    cause = json.dumps(cause)
    if len(cause) < XRAY_CAUSE_BYTES:
        head += "Lambda-Runtime-Function-XRay-Error-Cause: %s\r\n" % cause
    body = to_json(document).encode("utf-8", "backslashreplace")
    api.post("invocation/%s/error" % invocation, body, more_head=head)


def post_init_error(api, document, error_type=None, path="init/error"):
    flush_output()
    head = "Lambda-Runtime-Function-Error-Type: %s\r\n" % header_text(error_type or document["errorType"])
    api.post(path, to_json(document).encode("utf-8", "backslashreplace"), more_head=head)


# --- The life of the process ---------------------------------------------------------------------------------


def set_search_path():
    task, runtime = os.environ.get("LAMBDA_TASK_ROOT", "/var/task"), os.environ.get(
        "LAMBDA_RUNTIME_DIR", "/var/runtime"
    )
    first = [task, "/opt/python/lib/%s/site-packages" % VERSIONED, "/opt/python", runtime]
    script_folder = sys.path[0]
    sys.path[:] = first + [entry for entry in sys.path if entry not in first and entry != script_folder]


def import_module(name):
    """importlib.import_module without the millisecond that importing importlib takes. The traceback is the same."""
    gcd_import = getattr(sys.modules.get("_frozen_importlib"), "_gcd_import", None)
    if gcd_import is None or name.startswith("."):
        import importlib

        return importlib.import_module(name)
    return gcd_import(name)


def load_handler(name):
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        message = "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % name
        raise Fault("Runtime.MalformedHandlerName", message)
    try:
        if module_name.split(".")[0] in sys.builtin_module_names:
            message = "Cannot use built-in module %s as a handler module" % module_name
            raise Fault("Runtime.BuiltInModuleConflict", message)
        module = import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        raise Fault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, error), trace)
    try:
        return getattr(module, function_name)
    except AttributeError:
        message = "Handler '%s' missing on module '%s'" % (function_name, module_name)
        raise Fault("Runtime.HandlerNotFound", message)


def restore_from_snapshot(api):
    import snapshot_restore_py as hooks

    try:
        before = hooks.get_before_snapshot()
        while before:
            function, arguments, named = before.pop()
            function(*arguments, **named)
        wait = globals().get("wait_in_snapshot")  # of zygote.py: returns in a fork
        if wait is None or not wait(api):
            api.restore_next()
    except BaseException:
        document = describe_exception()[0]
        log_error(document)
        post_init_error(api, document, "Runtime.BeforeSnapshotError")
        sys.exit(64)
    try:
        for function, arguments, named in hooks.get_after_restore():
            function(*arguments, **named)
    except BaseException:
        document = describe_exception()[0]
        log_error(document)
        post_init_error(api, document, "Runtime.AfterRestoreError", path="restore/error")
        sys.exit(65)


def initialize(api):
    try:
        return load_handler(os.environ.get("_HANDLER", ""))
    except Exception:
        document = describe_exception()[0]
        import logging

        logging.warning(UNHANDLED_WARNING)
        log_error(document)
        post_init_error(api, document)
        sys.exit(1)


def flush_output():
    try:
        sys.stdout.flush()
    except Exception:
        pass  # the function closed or replaced it


def unmarshal(body, content_type):
    if content_type is not None and content_type.partition(";")[0] != "application/json":
        return bytes(body)
    try:
        return from_json(body)
    except Exception as error:
        raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error)


def marshal_answer(answer):
    if isinstance(answer, bytes):
        return answer, "application/unknown"
    try:
        return to_json(answer).encode("utf-8"), "application/json"
    except Exception as error:
        raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error)


def serve(api, handler):
    global request_id, tenant_id
    while True:
        status, headers, body = api.next()
        if status != 200:
            raise OSError("the Runtime API answered %d to invocation/next" % status)
        request_id = headers.get("lambda-runtime-aws-request-id")
        tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        trace = headers.get("lambda-runtime-trace-id")
        if trace:
            os.environ["_X_AMZN_TRACE_ID"] = trace
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        try:
            context = LambdaContext(headers)
            event = unmarshal(body, headers.get("content-type"))
            body = None
            answer, content_type = marshal_answer(handler(event, context))
        except Exception:
            post_invocation_error(api, request_id)
        else:
            flush_output()
            api.post("invocation/%s/response" % request_id, answer, content_type)
        event = context = answer = None  # nothing of this invocation stays alive during the wait


def read_settings():
    """What the variables say. Not when this file is loaded, which may be before they are those of a function."""
    global logs_json, log_level
    set_encoding(os.environ.get("AWS_EXECUTION_ENV", "AWS_Lambda_" + VERSIONED))
    logs_json = (os.environ.get("AWS_LAMBDA_LOG_FORMAT") or "").upper() == "JSON"
    log_level = (os.environ.get("AWS_LAMBDA_LOG_LEVEL") or "").upper()
    log_level = "DEBUG" if log_level == "TRACE" else log_level


def share(count):
    """Several invocations at a time, each in a process of its own, as AWS's runtime has it. Returns in those. The first
    process waits, and ends as soon as one of them ends, and like it: the platform then answers everybody at once."""
    workers = []
    for _ in range(count):
        pid = os.fork()
        if not pid:
            return
        workers.append(pid)
    status = os.wait()[1]
    for pid in workers:
        try:
            os.kill(pid, 9)
        except OSError:
            pass
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)


is_furnished = False


def furnish():
    """What is the same for all functions, once: who waits for an order does it meanwhile."""
    global is_furnished
    if is_furnished:
        return
    is_furnished = True
    sys.stdout.reconfigure(encoding="utf-8", errors="strict", line_buffering=True)
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    set_search_path()
    sys.meta_path.insert(0, LateModules())
    if "logging" in sys.modules:
        set_up_logging(sys.modules["logging"])


def prepare():
    """What comes before everything of the function's, and needs nobody's answer."""
    global log_sink
    furnish()
    read_settings()
    concurrency = os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY")
    if concurrency:
        share(int(concurrency))
    descriptor = os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
    log_sink = StandardLogSink() if descriptor is None else FramedLogSink(int(descriptor))
    if "logging" in sys.modules:
        set_up_logging(sys.modules["logging"])


def begin(api):
    handler = initialize(api)
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        restore_from_snapshot(api)
    serve(api, handler)


def main():
    if WAITING in sys.argv:
        sys.exit("only a fork can wait for its order")
    prepare()
    begin(RuntimeAPI(os.environ["AWS_LAMBDA_RUNTIME_API"]))


if __name__ == "__main__":
    main()

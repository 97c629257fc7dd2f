"""Compiles the modules below a directory, and writes the results to standard output as a zip: beside each module's directory
its `__pycache__`, in which the interpreter that runs this will find them. Martlet runs it in a sandbox of its own when a
function is made (Sources/MartletLambda/Runtimes/PackageCompiler.swift), with `-I -S`: nothing of the package is executed.

Usage: compile.py DIRECTORY SECONDS. What cannot be compiled is left out, what there is no time for, and modules that came with
a result that the interpreter will take. The results say that they need not be compared with their source (PEP 552,
unchecked): packages do not change.
"""

import importlib._bootstrap_external as loader
import importlib.util
import io
import os
import sys
import time
import warnings
import zipfile


def is_compiled(path, cached, source):
    """True if the interpreter would load `cached` instead of compiling the module."""
    try:
        with open(cached, "rb") as file:
            head = file.read(16)
    except OSError:
        return False
    if len(head) < 16 or head[:4] != importlib.util.MAGIC_NUMBER:
        return False
    flags = int.from_bytes(head[4:8], "little")
    if flags & 1:
        return not flags & 2 or head[8:] == importlib.util.source_hash(source)
    status = os.stat(path)
    stamp = (int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF)
    return stamp == (int.from_bytes(head[8:12], "little"), int.from_bytes(head[12:], "little"))


def modules(root):
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            path = os.path.join(folder, name)
            if name.endswith(".py") and not os.path.islink(path) and os.path.isfile(path):
                yield path


def result(path, cached):
    """What belongs into `cached`; None if nothing does."""
    try:
        with open(path, "rb") as file:
            source = file.read()
        if is_compiled(path, cached, source):
            return None
        code = compile(source, path, "exec", dont_inherit=True)
        return bytes(loader._code_to_hash_pyc(code, importlib.util.source_hash(source), False))
    except Exception:  # Whoever imports it is told what is wrong with it.
        return None


class Output(io.RawIOBase):
    """A pipe: zipfile asks where it is, and need not be told."""

    def writable(self):
        return True

    def write(self, data):
        view = memoryview(data).cast("B")
        while view:
            view = view[os.write(1, view):]
        return len(data)


#: Less than this is compiled where it runs, in a tenth of a cold start. Fourteen times as much takes half of one.
SMALLEST = 2048


def main(root, seconds):
    end = time.monotonic() + seconds
    if sum(os.path.getsize(path) for path in modules(root)) < SMALLEST:
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    warnings.simplefilter("ignore")
    with zipfile.ZipFile(io.BufferedWriter(Output(), 1 << 20), "w", zipfile.ZIP_STORED) as archive:
        for path in modules(root):
            if time.monotonic() > end:
                break
            cached = importlib.util.cache_from_source(path)
            data = result(path, cached)
            if data is not None:
                entry = zipfile.ZipInfo(os.path.relpath(cached, root))
                entry.external_attr = 0o100644 << 16
                archive.writestr(entry, data)
        archive.fp.flush()


main(sys.argv[1], float(sys.argv[2]))

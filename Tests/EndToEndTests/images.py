# Container images without a container tool: layers by hand, pushed to a real registry on loopback.
import gzip
import hashlib
import io
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import sysconfig
import tarfile
import time
import urllib.request

MISSING = [name for name in ("skopeo", "docker-registry") if not shutil.which(name)]
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


class Layer:
    """A tar archive, entry by entry, with anything in it."""

    def __init__(self):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode="w", format=tarfile.PAX_FORMAT, dereference=False)

    def add(self, name, kind=tarfile.REGTYPE, content=b"", mode=0o644, link="", size=None, mtime=1_700_000_000):
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode, entry.linkname, entry.mtime = kind, mode, link, mtime
        content = content.encode() if isinstance(content, str) else content
        entry.size = len(content) if size is None else size
        self.tar.addfile(entry, io.BytesIO(content) if size is None else None)
        return self

    def file(self, name, content, mode=0o644):
        return self.add(name, content=content, mode=mode)

    def directory(self, name, mode=0o755):
        return self.add(name, tarfile.DIRTYPE, mode=mode)

    def link(self, name, to):
        return self.add(name, tarfile.SYMTYPE, link=to, mode=0o777)

    def hard(self, name, to):
        return self.add(name, tarfile.LNKTYPE, link=to)

    def copy(self, path, name=None):
        """A file or directory of this host."""
        self.tar.add(path, name or path.lstrip("/"), filter=lambda e: None if "__pycache__" in e.name else e)
        return self

    @property
    def bytes(self):
        self.tar.close()
        return self.buffer.getvalue()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Image:
    def __init__(self, *layers, config=None, architecture=ARCHITECTURE, compression="gzip", media="oci"):
        raw = [layer if isinstance(layer, bytes) else layer.bytes for layer in layers]
        packed = [gzip.compress(data, 1, mtime=0) if compression == "gzip" else data for data in raw]
        kind = {"oci": "application/vnd.oci.image.layer.v1.tar", "docker": "application/vnd.docker.image.rootfs.diff.tar"}[media]
        suffix = {"gzip": {"oci": "+gzip", "docker": ".gzip"}[media], None: ""}[compression]
        self.config = json.dumps({
            "architecture": architecture, "os": "linux", "config": config or {},
            "rootfs": {"type": "layers", "diff_ids": [digest(data) for data in raw]}}).encode()
        self.layers = packed
        self.manifest = {
            "schemaVersion": 2,
            "mediaType": {"oci": "application/vnd.oci.image.manifest.v1+json",
                          "docker": "application/vnd.docker.distribution.manifest.v2+json"}[media],
            "config": {
                "mediaType": {"oci": "application/vnd.oci.image.config.v1+json",
                              "docker": "application/vnd.docker.container.image.v1+json"}[media],
                "digest": digest(self.config), "size": len(self.config)},
            "layers": [{"mediaType": kind + suffix, "digest": digest(data), "size": len(data)} for data in packed]}


class Registry:
    """docker-registry on a free port of loopback."""

    def __init__(self, directory, users=None):
        self.directory = directory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.host = f"127.0.0.1:{port}"
        auth = f"auth: {{htpasswd: {{realm: test, path: {directory}/users}}}}\n" if users else ""
        if users:
            with open(f"{directory}/users", "w") as file:
                file.write(users)
        with open(f"{directory}/config.yml", "w") as file:
            file.write(
                f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
                f"storage: {{filesystem: {{rootdirectory: {directory}/data}}, delete: {{enabled: true}}}}\n"
                f"http: {{addr: '{self.host}'}}\n{auth}")
        with open(f"{directory}/log", "wb") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", f"{directory}/config.yml"], stdout=log, stderr=log)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                assert time.monotonic() < end and self.process.poll() is None, "the registry did not start"
                time.sleep(0.02)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def _put(self, path, data, kind, method="PUT"):
        request = urllib.request.Request(
            path if path.startswith("http") else f"http://{self.host}{path}", data, {"Content-Type": kind}, method=method)
        with urllib.request.urlopen(request) as reply:
            return reply.headers

    def push_blob(self, name, data):
        where = self._put(f"/v2/{name}/blobs/uploads/", b"", "application/octet-stream", "POST")["Location"]
        self._put(f"{where}&digest={digest(data)}", data, "application/octet-stream")

    def push_manifest(self, name, manifest, tag="latest"):
        data = json.dumps(manifest).encode() if isinstance(manifest, dict) else manifest
        self._put(f"/v2/{name}/manifests/{tag}", data, json.loads(data).get("mediaType", "application/vnd.oci.image.manifest.v1+json"))
        return digest(data)[7:]

    def push(self, name, image, tag="latest"):
        """The address of the image, and its digest in hexadecimal."""
        for blob in [image.config, *image.layers]:
            self.push_blob(name, blob)
        return f"{self.host}/{name}:{tag}", self.push_manifest(name, image.manifest, tag)

    def blob(self, hexadecimal):
        """The file in which the registry keeps a blob."""
        return f"{self.directory}/data/docker/registry/v2/blobs/sha256/{hexadecimal[:2]}/{hexadecimal}/data"


def libraries(paths):
    """The shared libraries of programs and libraries, as the loader finds them."""
    found = set()
    said = subprocess.run(["ldd", *paths], capture_output=True, text=True).stdout
    for line in said.splitlines():
        word = line.split("=>")[-1].strip().split(" ")[0]
        if word.startswith("/") and not word.endswith(":"):
            found.add(word)
    return found


def add_libraries(layer, paths):
    for path in sorted(libraries(paths)):
        layer.copy(os.path.realpath(path), ("/usr" + path if path.startswith("/lib") else path).lstrip("/"))


def python_layer():
    """A root file system with this host's Python and a shell, as Debian lays it out."""
    layer = Layer()
    for name in ("etc", "home", "root", "run", "sys", "var", "mnt", "usr", "usr/bin", "usr/lib", "usr/lib64", "opt"):
        layer.directory(name)
    for name in ("tmp", "var/tmp"):
        layer.directory(name, 0o1777)
    for name in ("bin", "lib", "lib64"):
        layer.link(name, f"usr/{name}")
    program = os.path.realpath(sys.executable)
    library = sysconfig.get_paths()["stdlib"]
    layer.copy(program).link("usr/bin/python3", program)
    modules = f"{library}/lib-dynload"
    for base, directories, files in os.walk(library):
        directories[:] = [d for d in directories if d not in (
            "__pycache__", "test", "dist-packages", "site-packages", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "tkinter")]
        for file in files:
            layer.copy(f"{base}/{file}")
    layer.copy(os.path.realpath("/bin/sh"), "usr/bin/sh").copy("/usr/bin/env")
    add_libraries(layer, [
        program, "/bin/sh", "/usr/bin/env", *(f"{modules}/{m}" for m in os.listdir(modules) if m.endswith(".so"))])
    layer.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    return layer.bytes

# Interpreters in unusual places: where sandboxes have something of their own.
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile

import pytest

from conftest import new_directory, package, program

PYTHON = "import sys, shared\ndef handler(event, context):\n    import colorsys\n    return [shared.value, sys.executable]\n"
NODE = "const shared = require('shared'); exports.handler = async () => [shared, process.execPath]\n"


def copied(family, directory):
    """An interpreter of its own: a copy of this host's, as somebody who installs it in that directory has it."""
    os.makedirs(f"{directory}/bin")
    if family == "nodejs":
        return shutil.copy(os.path.realpath(shutil.which("node")), f"{directory}/bin/node")
    library, executable = sysconfig.get_path("stdlib"), os.path.realpath(sys.executable)
    unneeded = shutil.ignore_patterns("test", "tests", "site-packages", "dist-packages", "idlelib", "config-*", "*.pyc")
    shutil.copytree(library, f"{directory}/lib/{os.path.basename(library)}", symlinks=True, ignore=unneeded)
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        name = sysconfig.get_config_var("INSTSONAME")
        shutil.copy(f"{sysconfig.get_config_var('LIBDIR')}/{name}", f"{directory}/lib/{name}")
    return shutil.copy(executable, f"{directory}/bin/{os.path.basename(executable)}")


@pytest.fixture
def below_opt():
    directory = tempfile.mkdtemp(prefix="martlet-test-", dir="/opt")
    os.chmod(directory, 0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can install something below /opt")
@pytest.mark.parametrize("family", ["python", "nodejs"])
def test_below_opt_where_layers_are(own_server, below_opt, family):
    """Functions with layers and without, their first environments and those that take over what waits by then."""
    runtime = "nodejs20.x" if family == "nodejs" else f"python{sys.version_info.major}.{sys.version_info.minor}"
    path = copied(family, below_opt)
    server = own_server("--runtime", f"{runtime}={path}")
    files = {"python/shared.py": "value = 'layer'\n", "nodejs/node_modules/shared/index.js": "module.exports = 'layer'\n"}
    arn = server.client.publish_layer_version(LayerName="shared", Content={"ZipFile": package(files)})["LayerVersionArn"]
    inside = f"/var/lang/bin/{os.path.basename(path)}"
    code = {"app.js": NODE} if family == "nodejs" else {"app.py": PYTHON}
    server.create("layered", code, runtime=runtime, Layers=[arn])
    own = {name.rpartition("/")[2] if family == "python" else f"node_modules/shared/{name.rpartition('/')[2]}": text for name, text in files.items()
           if name.startswith(family)}
    server.create("plain", {**code, **own}, runtime=runtime)
    for _ in range(3):
        for name in ("layered", "plain"):
            assert server.invoke(name).succeeded() == ["layer", inside], server.log[-2000:]
            server.client.update_function_configuration(FunctionName=name, Description=os.urandom(4).hex())
            server.client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 3000})
    assert "failed" not in server.log


def test_below_tmp_is_refused(own_server):
    directory = tempfile.mkdtemp(prefix="martlet-test-", dir="/tmp")
    os.chmod(directory, 0o755)
    try:
        path = copied("nodejs", f"{directory}/node")
        refused = subprocess.run([program(), "serve", "--port", "0", "--state", f"{new_directory()}/state", "--runtime", f"nodejs20.x={path}"],
                                 capture_output=True, text=True, timeout=20)
        assert refused.returncode == 1 and path in refused.stderr and "elsewhere" in refused.stderr
        # What was not asked for is only not taken; and without sandboxes it can be used.
        found = own_server(environment={"PATH": f"{directory}/node/bin:{os.environ['PATH']}"})
        found.create("f", {"app.js": "exports.handler = async () => process.execPath\n"}, runtime="nodejs20.x")
        assert not found.invoke("f").succeeded().startswith("/tmp")
        without = own_server("--isolation", "none", "--runtime", f"nodejs20.x={path}")
        without.create("f", {"app.js": "exports.handler = async () => process.execPath\n"}, runtime="nodejs20.x")
        assert without.invoke("f").succeeded() == path
    finally:
        shutil.rmtree(directory)

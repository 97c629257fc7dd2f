"""Starts the bootstrap under debugpy and waits for a debugger (`martlet debug`).

The debugger's port is open inside of the sandbox only. `debug_relay.py` leads to it: it calls out to the platform, which
puts through whoever connects to the port on the host.
"""

import os
import runpy
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
OWN = ["/var/task", "/opt/python", os.environ.get("LAMBDA_TASK_ROOT", "/var/task")]


def refuse(message):
    """Ends the initialisation with an error that the caller of the function reads."""
    import http.client
    import json

    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    body = json.dumps({"errorMessage": message, "errorType": "Runtime.DebuggerMissing", "stackTrace": []})
    headers = {"Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": "Runtime.DebuggerMissing"}
    api.request("POST", "/2018-06-01/runtime/init/error", body, headers)
    api.getresponse().read()
    sys.exit(1)


def main():
    sys.path[1:1] = OWN
    try:
        import debugpy
    except ImportError:
        refuse(
            "debugpy is neither in the function's package nor in its layers nor installed for this interpreter: %s -m pip install debugpy"
            % sys.executable
        )
    del sys.path[1 : 1 + len(OWN)]
    # The adapter is a process of its own; it must not take the variables of the function's runtime for its own.
    port = debugpy.listen(("127.0.0.1", 0))[1]
    relay = [sys.executable, "-I", "-S", os.path.join(HERE, "debug_relay.py"), os.environ.pop("MARTLET_DEBUG"), str(port)]
    subprocess.Popen(relay, env={})
    debugpy.wait_for_client()
    runpy.run_path(os.path.join(HERE, "bootstrap.py"), run_name="__main__")


main()

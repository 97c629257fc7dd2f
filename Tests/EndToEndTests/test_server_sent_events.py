# Server-sent events of a streaming function URL in a real browser: `EventSource` has them before the function ends, and
# goes on where it was when the connection has ended.
import http.server
import json
import os
import queue
import shutil
import signal
import subprocess
import threading

import pytest

from conftest import new_directory
from test_response_streaming import gate  # noqa: F401  (a fixture)
from test_runtimes import NODES

NAMES = ("chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser", "google-chrome")
BROWSER = os.environ.get("MARTLET_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium on this host (apt-get install chromium-headless-shell, or MARTLET_BROWSER)")

FUNCTION = """
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const out = awslambda.HttpResponseStream.from(stream, { statusCode: 200, headers: { 'Content-Type': 'text/event-stream' } });
  const last = event.headers['last-event-id'];
  if (last === undefined) {
    out.write('retry: 20\\n\\ndata: one\\ndata: more\\nid: 1\\n\\n');
    out.write('event: named\\ndata: {"n": 2}\\nid: 2\\n\\n');
    out.end();
  } else {
    out.write(`data: after ${last}\\nid: 3\\n\\n`);
    while ((await fetch(`${process.env.AWS_ENDPOINT_URL}/BUCKET/go`)).status !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    out.end();
  }
});
"""
PAGE = """<!doctype html><title>events</title><script>
const tell = (what) => fetch('/told', { method: 'POST', body: JSON.stringify(what) });
const source = new EventSource(ADDRESS);
source.onmessage = (event) => tell(['message', event.data, event.lastEventId]);
source.addEventListener('named', (event) => tell(['named', JSON.parse(event.data), event.lastEventId]));
</script>"""


@pytest.fixture
def page():
    """A web server of another origin than the function's. What its page is told comes out of a queue."""
    told = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        content = b""

        def answer(self, body=b""):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.answer(Handler.content if self.path == "/" else b"")

        def do_POST(self):
            told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer()

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.handler, server.told = Handler, told
    yield server
    server.shutdown()
    server.server_close()


def test_a_browser_has_the_events_before_the_function_ends(server, name, page, gate):  # noqa: F811
    if not NODES:
        pytest.skip("no Node.js on this host")
    server.create(name, FUNCTION.replace("BUCKET", gate.bucket), runtime=NODES[-1], Timeout=60)
    config = server.client.create_function_url_config(
        FunctionName=name, AuthType="NONE", InvokeMode="RESPONSE_STREAM", Cors={"AllowOrigins": ["*"]})
    page.handler.content = PAGE.replace("ADDRESS", json.dumps(config["FunctionUrl"])).encode()
    profile = new_directory(0o700)
    with open(f"{profile}/log", "wb") as log:
        browser = subprocess.Popen(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
             f"--user-data-dir={profile}", "--remote-debugging-port=0", f"http://127.0.0.1:{page.server_port}/"],
            stdout=log, stderr=log, env={**os.environ, "HOME": profile}, start_new_session=True)
    try:
        told = [page.told.get(timeout=60) for _ in range(3)]
        # The page tells of each event by a request of its own, and they may overtake each other.
        assert sorted(told, key=lambda event: event[2]) == [["message", "one\nmore", "1"], ["named", {"n": 2}, "2"], ["message", "after 2", "3"]]
        # The last one came from a function that has not ended: it waits for the gate.
        assert browser.poll() is None and page.told.empty()
    finally:
        os.killpg(browser.pid, signal.SIGKILL)  # with the processes of its own that it has started
        browser.wait()
        gate()

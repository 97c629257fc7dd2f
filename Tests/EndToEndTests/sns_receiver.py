# An HTTP endpoint of a test that subscribes to topics, and AWS's procedure to verify what it gets.
import base64
import http.server
import json
import queue
import ssl
import threading
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding


class Receiver:
    """Collects what is posted; answers with what `answers` says next, else 200."""

    def __init__(self, certificate=None):
        """`certificate`: paths of a certificate and its key, to be asked over HTTPS."""
        self.requests = queue.Queue()
        self.answers = queue.Queue()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                try:
                    status = receiver.answers.get_nowait()
                except queue.Empty:
                    status = 200
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                receiver.requests.put((self.path, dict(self.headers), body))

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        return self.requests.get(timeout=20)

    def is_empty(self):
        return self.requests.empty()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def verified(message):
    """The message, if its signature is right: as AWS tells subscribers to check it."""
    if isinstance(message, str):
        message = json.loads(message)
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if message["Type"] != "Notification":
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{message[name]}\n" for name in names if message.get(name) is not None)
    url = message.get("SigningCertURL") or message["SigningCertUrl"]
    assert url.rsplit("/", 1)[1].startswith("SimpleNotificationService-") and url.endswith(".pem")
    with urllib.request.urlopen(url) as answer:
        certificate = x509.load_pem_x509_certificate(answer.read())
    algorithm = {"1": hashes.SHA1, "2": hashes.SHA256}[message["SignatureVersion"]]()
    certificate.public_key().verify(base64.b64decode(message["Signature"]), text.encode(), padding.PKCS1v15(), algorithm)
    return message

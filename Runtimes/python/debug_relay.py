"""Puts debuggers through: calls the platform at argv[1], waits for a byte, and then connects it with port argv[2]."""

import socket
import sys
import threading


def pump(source, sink):
    try:
        while True:
            piece = source.recv(65536)
            if not piece:
                break
            sink.sendall(piece)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


host, _, port = sys.argv[1].rpartition(":")
while True:
    platform = socket.create_connection((host, int(port)))
    if not platform.recv(1):
        break
    debugger = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    for pair in ((platform, debugger), (debugger, platform)):
        threading.Thread(target=pump, args=pair, daemon=True).start()

"""Serves the files under a root, and nothing else: one loop, a generator for each connection."""

import os
import selectors
import signal
import socket
import sys
from urllib.parse import unquote

ROOT = os.path.realpath("@root@")
TYPES = {".html": "text/html", ".txt": "text/plain"}
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


def open_file(name):
    """The file that a request means, or none."""
    path = os.path.realpath(ROOT + "/" + unquote(name.split("?")[0]))
    if not path.startswith(ROOT + os.sep) or not os.path.isfile(path):
        return None
    return open(path, "rb")


def serve(client):
    """A connection: yields what it waits for, and is gone on with when that has come."""
    received = b""
    while True:
        while b"\r\n\r\n" not in received:
            yield READ
            piece = client.recv(65536)
            if not piece:
                return
            received += piece
        head, received = received.split(b"\r\n\r\n", 1)
        is_last = b"\r\nconnection: close" in head.lower()
        method, name, _ = head.split(b"\r\n")[0].decode("latin-1").split(" ", 2)
        file = open_file(name)
        if method not in ("GET", "HEAD") or file is None:
            status = "404 Not Found" if method in ("GET", "HEAD") else "405 Method Not Allowed"
            yield from send(client, f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
            if is_last:
                return
            continue
        with file:
            length = os.fstat(file.fileno()).st_size
            kind = TYPES.get(os.path.splitext(name)[1], "application/octet-stream")
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
            small = file.read() if length <= 65536 and method == "GET" else b""
            yield from send(client, head.encode() + small)
            offset = len(small) if method == "GET" else length
            while offset < length:
                try:
                    sent = os.sendfile(client.fileno(), file.fileno(), offset, length - offset)
                except BlockingIOError:
                    yield WRITE
                    continue
                if not sent:
                    return
                offset += sent
        if is_last:
            return


def send(client, data):
    """Sends all of it."""
    while data:
        try:
            data = data[client.send(data) :]
        except BlockingIOError:
            yield WRITE


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    selector = selectors.DefaultSelector()
    listener = socket.create_server(("@address@", int("@port@")), backlog=4096)
    listener.setblocking(False)
    selector.register(listener, READ)

    def go_on(client, steps, watched):
        """Runs a connection until it waits."""
        try:
            waits_for = next(steps, None)
        except (OSError, ValueError):
            waits_for = None
        if waits_for is None:
            if watched:
                selector.unregister(client)
            client.close()
        elif not watched:
            selector.register(client, waits_for, (steps, waits_for))
        elif waits_for != watched:
            selector.modify(client, waits_for, (steps, waits_for))

    while True:
        for key, _ in selector.select():
            if key.data is None:
                client, _ = listener.accept()
                client.setblocking(False)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                go_on(client, serve(client), None)
            else:
                go_on(key.fileobj, *key.data)


main()

"""Connections by Python's ssl and h2: every file is compared whole, and then the server is seen to stop.

Arguments: host, port, the certificate's file (empty: in the clear), then for each file its path in a URL and where it is.
Prints "ready" when only the end is left to be seen, and "stopped" when it was as it should be.
"""

import socket
import ssl
import sys

import h2.config
import h2.connection
import h2.events

host, port, certificate = sys.argv[1], int(sys.argv[2]), sys.argv[3]
files = list(zip(sys.argv[4::2], (open(name, "rb").read() for name in sys.argv[5::2])))


def connect(protocol, version=None, session=None):
    """A connection that is cut if it ends without close_notify (which suppress_ragged_eofs would hide)."""
    plain = socket.create_connection((host, port), timeout=20)
    if not certificate:
        return plain
    context = ssl.create_default_context(cafile=certificate)
    if version:
        context.minimum_version = context.maximum_version = version
    if session:
        context = session[0]
    context.set_alpn_protocols([protocol])
    options = {"session": session[1]} if session else {}
    secured = context.wrap_socket(plain, server_hostname=host, suppress_ragged_eofs=False, **options)
    assert secured.selected_alpn_protocol() == protocol, secured.selected_alpn_protocol()
    return secured


def ask_http1(connection, path, expected):
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    connection.sendall(request.encode())
    answer = b""
    while piece := connection.recv(1 << 16):
        answer += piece
    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200 "), head
    assert body == expected, f"{path}: {len(body)} bytes, not {len(expected)} of the file"


def http1_over_tls():
    for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
        for path, expected in files:
            first = connect("http/1.1", version)
            ask_http1(first, path, expected)
            assert not first.session_reused
            again = connect("http/1.1", session=(first.context, first.session))
            ask_http1(again, path, expected)
            assert again.session_reused, f"a session of {version.name} is not resumed"


def http2():
    connection = connect("h2")
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    scheme = "https" if certificate else "http"
    bodies, heads, ended = {}, {}, set()
    for number, (path, _) in enumerate(files):
        fields = [(":method", "GET"), (":scheme", scheme), (":authority", host), (":path", path)]
        client.send_headers(2 * number + 1, fields, end_stream=True)
    connection.sendall(client.data_to_send())
    is_told = is_ready = False
    while piece := connection.recv(1 << 16):
        for event in client.receive_data(piece):
            if isinstance(event, h2.events.ResponseReceived):
                heads[event.stream_id] = dict(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
                client.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                ended.add(event.stream_id)
            elif isinstance(event, h2.events.ConnectionTerminated):
                assert is_ready and event.error_code == 0, f"GOAWAY {event.error_code}"
                assert event.last_stream_id == 2 * len(files) - 1, event.last_stream_id
                is_told = True
            elif isinstance(event, h2.events.StreamReset):
                raise AssertionError(f"stream {event.stream_id} was reset: {event.error_code}")
        if not is_told:
            connection.sendall(client.data_to_send())
        if len(ended) == len(files) and not is_ready:
            for number, (path, expected) in enumerate(files):
                stream = 2 * number + 1
                status = heads[stream].get(b":status", heads[stream].get(":status"))
                assert status in (b"200", "200"), heads[stream]
                assert bodies[stream] == expected, f"{path}: {len(bodies[stream])} bytes, not {len(expected)}"
            is_ready = True
            print("ready", flush=True)
    assert is_ready and is_told, "it ended without GOAWAY"
    print("stopped", flush=True)


if certificate:
    http1_over_tls()
http2()

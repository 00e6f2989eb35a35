"""A machine as a program of one's own plays it at the hub: TLS, frames, proof and messages, each of which can
be said wrongly. The real agent says nothing of the kind."""

import base64
import json
import os
import socket
import struct

from lab.proof import AGENT, Identity, Tls, b64, raw

TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
TIMEOUT_S = 20  # for an answer: nothing is judged by it but that one came


def frame(payload, opcode=TEXT, fin=True, masked=True, reserved=0, length=None):
    """RFC 6455 section 5.2; `length` may lie."""
    length = len(payload) if length is None else length
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    bit = 0x80 if masked else 0
    if length < 126:
        head = struct.pack("!BB", first, bit | length)
    elif length < 65536:
        head = struct.pack("!BBH", first, bit | 126, length)
    else:
        head = struct.pack("!BBQ", first, bit | 127, length)
    mask = os.urandom(4) if masked else b""
    whole = mask * (len(payload) // 4 + 1)
    body = bytes(a ^ b for a, b in zip(payload, whole)) if masked else payload
    return head + mask + body


def token_secret(token):
    """The 16 bytes of a join token that are secret (src/wire/token.h)."""
    return raw(token.split(".", 1)[1])[33:49]


class Machine:
    def __init__(self, hub, identity=None):
        self.identity, self.number, self.buffer = identity or Identity(), 0, b""
        self.tls = hub.namespace.inside(Tls.connect, hub.address)
        self.tls.connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO,
                                      struct.pack("ll", TIMEOUT_S, 0))
        self.host = hub.name

    # --- bytes ---

    def upgrade(self):
        """Status and headers of the answer."""
        self.tls.write((f"GET /v1/session HTTP/1.1\r\nHost: {self.host}\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                        f"{base64.b64encode(os.urandom(16)).decode()}\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.tls.read()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        return int(lines[0].split(" ")[1]), headers

    def write(self, data):
        self.tls.write(data)

    def _take(self, size):
        while len(self.buffer) < size:
            self.buffer += self.tls.read()
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def hear_frame(self):
        first, length = self._take(2)
        if length >= 126:
            length = int.from_bytes(self._take(2 if length == 126 else 8), "big")
        return first & 15, self._take(length)

    def hear(self):
        """The next message."""
        while True:
            opcode, payload = self.hear_frame()
            if opcode == TEXT:
                return json.loads(payload)
            if opcode == CLOSE:
                raise ConnectionError(f"closed with {int.from_bytes(payload[:2], 'big')}")

    def end(self):
        """Reads to the end; returns the code of the close frame, None without one."""
        code = None
        try:
            while True:
                opcode, payload = self.hear_frame()
                if opcode == CLOSE:
                    code = int.from_bytes(payload[:2], "big")
        except OSError:
            return code
        finally:
            self.tls.connected.close()

    def close(self):
        self.tls.connected.close()

    # --- messages ---

    def say(self, message):
        self.write(frame(json.dumps({"jsonrpc": "2.0", **message}).encode()))

    def tell(self, method, **params):
        self.say({"method": method, "params": params})

    def answer(self, request, **result):
        self.say({"id": request["id"], "result": result})

    def ask(self, method, **params):
        """The answer, with "result" or "error"; what the hub asks meanwhile is kept in `asked`."""
        self.number += 1
        self.say({"id": self.number, "method": method, "params": params})
        while True:
            message = self.hear()
            if "method" in message:
                self.asked.append(message)
            else:
                return message

    asked = ()

    def wait_asked(self, method):
        """The hub's next request of this method."""
        while True:
            for message in self.asked:
                if message["method"] == method:
                    self.asked.remove(message)
                    return message
            self.asked.append(self.hear())

    # --- the way in ---

    def hello(self):
        assert self.upgrade()[0] == 101
        self.asked, nonce = [], os.urandom(32)
        self.greeting = self.ask("hello", version_min=1, version_max=1, agent_version="0",
                                 nonce=b64(nonce), key=b64(self.identity.key))["result"]
        self.transcript = (nonce + raw(self.greeting["nonce"]) + self.identity.key +
                           raw(self.greeting["key"]) + self.tls.binding())
        return self

    def proof(self, transcript=None):
        return b64(self.identity.sign(AGENT, transcript or self.transcript))

    def enrol(self, token, **changes):
        return self.ask("enrol", **{"token_secret": b64(token_secret(token)), "proof": self.proof(),
                                    "inventory": {"name": "played"}, **changes})

    def resume(self, **changes):
        return self.ask("resume", **{"proof": self.proof(), "inventory": {"name": "played"}, **changes})

    def joined(self, token):
        """Joins, and says what an agent says first."""
        self.id = self.hello().enrol(token)["result"]["server_id"]
        assert self.ask("jobs.held", runs=[])["result"] is not None
        return self

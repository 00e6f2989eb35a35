"""A hub that breaks the protocol, which the real one cannot be brought to do.

    python3 -m lab.servers.fake_hub ADDRESS CERT KEY BEHAVIOUR

version   answers hello as a hub that speaks protocol 7 to 9 alone: no such release exists
garbage   takes the upgrade and then sends what is no JSON-RPC: a correct hub never does
huge      takes the upgrade and sends one message of 1 GB: the real hub bounds what it sends
busy      answers every upgrade with 503 and Retry-After: a real hub is busy for moments only
filtered  proves itself on plain requests and refuses the upgrade, as a filter does that works inside
          the hub's own TLS connection; one that opens TLS would fail the proof first
"""

import asyncio
import base64
import ctypes
import hashlib
import json
import ssl
import sys
import threading
import urllib.parse
from http import HTTPStatus
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1024 * 1024


def serve(namespace, address, certificate, behaviour):
    folder = namespace.folder / f"fake-hub-{address}"
    folder.mkdir()
    (folder / "cert.pem").write_text(certificate.chain_pem)
    (folder / "key.pem").write_text(certificate.key_pem)
    process = namespace.popen(["/usr/bin/python3", "-m", "lab.servers.fake_hub", address,
                               folder / "cert.pem", folder / "key.pem", behaviour], cwd=ROOT,
                              log=f"fake-hub-{behaviour}")
    process.wait_for("^ready$")
    return process


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def discovery(host, key=b"\0" * 32):
    return {"sallyport": 1, "versions": {"min": 1, "max": 1},
            "endpoints": {"console": f"https://{host}/", "discovery": f"https://{host}/.well-known/sallyport",
                          "session": f"wss://{host}/v1/session", "upload": f"https://{host}/v1/uploads"},
            "identity": {"key": b64(key), "fingerprint": "SHA256:" + base64.b64encode(
                hashlib.sha256(key).digest()).rstrip(b"=").decode()}, "release": "0.1.0"}


# --- fakes that take the upgrade: websockets ---------------------------------------------------

async def version(socket):
    request = json.loads(await socket.recv())
    await socket.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": {
        "code": 1007, "message": "no common protocol version",
        "data": {"min": 7, "max": 9, "versions": {"min": 7, "max": 9}}}}))
    await socket.wait_closed()


async def garbage(socket):
    await socket.send("\x01 {{{ this is no JSON-RPC \u2028 ]")
    await socket.wait_closed()


async def huge(socket):
    async def pieces():
        for _ in range(1024):
            yield " " * MEGABYTE

    await socket.send(pieces())
    await socket.wait_closed()


async def with_websockets(address, context, behaviour):
    import websockets

    async def plain(path, headers):
        if path.startswith("/v1/session"):
            if behaviour == "busy":
                return HTTPStatus.SERVICE_UNAVAILABLE, [("Retry-After", "7"), ("Sallyport", "1")], b""
            return None
        return HTTPStatus.OK, [("Sallyport", "1"), ("Content-Type", "application/json")], json.dumps(
            discovery(headers["Host"])).encode()

    async def session(socket):
        await globals()[behaviour](socket)

    async with websockets.serve(session, address, 443, ssl=context, process_request=plain,
                                max_size=MEGABYTE, compression=None):
        print("ready", flush=True)
        await asyncio.Future()


# --- the one that has to prove: OpenSSL itself, for Python's ssl has no exporter ----------------

class Tls:
    """The server's end of one TLS connection over a blocking socket."""

    library = ctypes.CDLL("libssl.so.3")
    for name in ("TLS_server_method", "SSL_CTX_new", "SSL_new"):
        getattr(library, name).restype = ctypes.c_void_p

    @classmethod
    def context(cls, certificate, key):
        context = ctypes.c_void_p(cls.library.SSL_CTX_new(ctypes.c_void_p(cls.library.TLS_server_method())))
        assert cls.library.SSL_CTX_use_certificate_chain_file(context, certificate.encode()) == 1
        assert cls.library.SSL_CTX_use_PrivateKey_file(context, key.encode(), 1) == 1
        return context

    def __init__(self, context, accepted):
        self.ssl = ctypes.c_void_p(self.library.SSL_new(context))
        self.library.SSL_set_fd(self.ssl, accepted.fileno())
        if self.library.SSL_accept(self.ssl) != 1:
            raise OSError("no TLS")

    def read(self):
        buffer = ctypes.create_string_buffer(65536)
        count = self.library.SSL_read(self.ssl, buffer, len(buffer))
        if count <= 0:
            raise OSError("the end")
        return buffer.raw[:count]

    def write(self, data):
        self.library.SSL_write(self.ssl, data, len(data))

    def binding(self):
        value, label = ctypes.create_string_buffer(32), b"EXPORTER-Channel-Binding"
        self.library.SSL_export_keying_material(self.ssl, value, ctypes.c_size_t(32), label,
                                                ctypes.c_size_t(len(label)), None, ctypes.c_size_t(0), 0)
        return value.raw


class Identity:
    """A hub's key. The multi-part signature of wire/proof.c is Ed25519ph, which only libsodium has."""

    def __init__(self):
        self.sodium = ctypes.CDLL("libsodium.so.23")
        public, self.secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
        self.sodium.crypto_sign_keypair(public, self.secret)
        self.key = public.raw

    def sign(self, transcript):
        state = ctypes.create_string_buffer(self.sodium.crypto_sign_statebytes())
        message = b"sallyport hub proof 1".ljust(24, b"\0") + transcript
        signature = ctypes.create_string_buffer(64)
        self.sodium.crypto_sign_init(state)
        self.sodium.crypto_sign_update(state, message, ctypes.c_ulonglong(len(message)))
        self.sodium.crypto_sign_final_create(state, signature, None, self.secret)
        return signature.raw


def filtered(address, certificate, key):
    import socket

    identity, context = Identity(), Tls.context(certificate, key)
    listener = socket.create_server((address, 443), backlog=64)
    print("ready", flush=True)
    while True:
        accepted, _ = listener.accept()
        threading.Thread(target=_filtered_client, args=(context, accepted, identity), daemon=True).start()


def _filtered_client(context, accepted, identity):
    with accepted:
        try:
            connection = Tls(context, accepted)
            while True:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.read()
                connection.write(_filtered_answer(request.decode(errors="replace"), connection, identity))
        except OSError:
            pass


def _filtered_answer(request, connection, identity):
    target = request.split(" ")[1]
    host = next((line.split(":", 1)[1].strip() for line in request.split("\r\n")
                 if line.lower().startswith("host:")), "")
    if not target.startswith("/.well-known/sallyport"):
        body = b"upgrades are not allowed here\n"
        return b"HTTP/1.1 400 Bad Request\r\nSallyport: 1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    document = discovery(host, identity.key)
    nonce = urllib.parse.parse_qs(urllib.parse.urlparse(target).query).get("nonce", [""])[0]
    if nonce:
        agent_nonce = base64.urlsafe_b64decode(nonce + "=" * (-len(nonce) % 4))
        hub_nonce = hashlib.sha256(agent_nonce).digest()
        document["proof"] = {"nonce": b64(hub_nonce), "signature": b64(identity.sign(
            agent_nonce + hub_nonce + b"\0" * 32 + identity.key + connection.binding()))}
    body = json.dumps(document).encode()
    return (b"HTTP/1.1 200 OK\r\nSallyport: 1\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


def main(address, certificate, key, behaviour):
    if behaviour == "filtered":
        filtered(address, certificate, key)
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    asyncio.run(with_websockets(address, context, behaviour))


if __name__ == "__main__":
    main(*sys.argv[1:])

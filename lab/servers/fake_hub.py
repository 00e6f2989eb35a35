"""A hub that breaks the protocol, which the real one cannot be brought to do.

    python3 -m lab.servers.fake_hub ADDRESS CERT KEY BEHAVIOUR

version   answers hello as a hub that speaks protocol 7 to 9 alone: no such release exists
garbage   takes the upgrade and then sends what is no JSON-RPC: a correct hub never does
huge      takes the upgrade and sends one message of 1 GB: the real hub bounds what it sends
busy      answers every upgrade with 503 and Retry-After: a real hub is busy for moments only
filtered  proves itself on plain requests and refuses the upgrade, as a filter does that works inside
          the hub's own TLS connection; one that opens TLS would fail the proof first
discovery a front of a hub that answers discovery alone, with the hub's key and its document (two more
          arguments: the key's seed and the name of the session's endpoint); the real hub serves all of
          its roles wherever it is reached
"""

import asyncio
import base64
import hashlib
import json
import ssl
import sys
import threading
import urllib.parse
from http import HTTPStatus
from pathlib import Path

from lab.proof import HUB, Identity, Tls, b64

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1024 * 1024


def serve(namespace, address, certificate, behaviour, *more):
    folder = namespace.folder / f"fake-hub-{address}"
    folder.mkdir()
    (folder / "cert.pem").write_text(certificate.chain_pem)
    (folder / "key.pem").write_text(certificate.key_pem)
    process = namespace.popen(["/usr/bin/python3", "-m", "lab.servers.fake_hub", address,
                               folder / "cert.pem", folder / "key.pem", behaviour, *more], cwd=ROOT,
                              log=f"fake-hub-{behaviour}")
    process.wait_for("^ready$")
    return process


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


# --- the one that has to prove -------------------------------------------------------------------

def filtered(address, certificate, key, seed=None, session=None):
    import socket

    identity, context = Identity(seed), Tls.server_context(certificate, key)
    listener = socket.create_server((address, 443), backlog=64)
    print("ready", flush=True)
    while True:
        accepted, _ = listener.accept()
        threading.Thread(target=_filtered_client, args=(context, accepted, identity, session),
                         daemon=True).start()


def _filtered_client(context, accepted, identity, session):
    with accepted:
        try:
            connection = Tls(context, accepted)
            while True:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.read()
                connection.write(_filtered_answer(request.decode(errors="replace"), connection, identity,
                                                  session))
        except OSError:
            pass


def _filtered_answer(request, connection, identity, session):
    target = request.split(" ")[1]
    host = next((line.split(":", 1)[1].strip() for line in request.split("\r\n")
                 if line.lower().startswith("host:")), "")
    if not target.startswith("/.well-known/sallyport"):
        body = b"upgrades are not allowed here\n"
        return b"HTTP/1.1 400 Bad Request\r\nSallyport: 1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    document = discovery(host, identity.key)
    if session:
        document["endpoints"]["session"] = f"wss://{session}/v1/session"
    nonce = urllib.parse.parse_qs(urllib.parse.urlparse(target).query).get("nonce", [""])[0]
    if nonce:
        agent_nonce = base64.urlsafe_b64decode(nonce + "=" * (-len(nonce) % 4))
        hub_nonce = hashlib.sha256(agent_nonce).digest()
        document["proof"] = {"nonce": b64(hub_nonce), "signature": b64(identity.sign(
            HUB, agent_nonce + hub_nonce + b"\0" * 32 + identity.key + connection.binding()))}
    body = json.dumps(document).encode()
    return (b"HTTP/1.1 200 OK\r\nSallyport: 1\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


def main(address, certificate, key, behaviour, seed=None, session=None):
    if behaviour in ("filtered", "discovery"):
        filtered(address, certificate, key, seed and base64.b64decode(seed), session)
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    asyncio.run(with_websockets(address, context, behaviour))


if __name__ == "__main__":
    main(*sys.argv[1:])

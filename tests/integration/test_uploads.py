"""The upload of a bundle: resumed, verified, without secrets, and closed to everybody else (R27, R28, S2)."""

import base64
import hashlib
import http.client
import json
import os
import urllib.parse

import pytest

from bundle import bundles, ready, verified
from lab import net, proof
from lab.fleet import Agent, Hub
from lab.proof import b64, raw
from lab.servers import squid
from lab.world import HUB, HUB_NAME, PROXY
from planted import forms

pytestmark = pytest.mark.timeout(120)

USER, PASSWORD, OTHER = "svc-bundle", "Pl4nted:p@ss/%word", "another-planted-secret"


def plant(agent, secret, lines=15000):
    """Makes the rotated parts of the log large, of what does not compress, with a secret on many lines."""
    agent.log_path.parent.mkdir(parents=True, exist_ok=True)
    for part in range(1, 4):
        noise = (base64.b64encode(os.urandom(60)).decode() for _ in range(lines))
        agent.log_path.with_name(f"connector.log.{part}").write_text(
            "".join(f"2026-01-01T00:00:00Z INFO  {line} {secret if n % 100 == 0 else ''}\n"
                    for n, line in enumerate(noise)))


def test_interrupted_behind_a_proxy(lab):
    """Through a Basic proxy the hub is killed in the middle of an upload: it goes on where it was, and what
    arrives is whole. A password that got into the log by mistake is in no bundle (R27)."""
    hub = Hub(lab).start()
    lab.dns()
    lab.squid(squid.basic(lab.site, {USER: PASSWORD}))
    lab.only_proxy()
    lab.proxy_environment(f"HTTPS_PROXY={PROXY}:3128\nHTTPS_PROXY_USERNAME={USER}\n"
                          f"HTTPS_PROXY_PASSWORD='{PASSWORD}'\nOTHER_SERVICE={OTHER}\n")
    agent = Agent(lab).joined(hub.token())
    plant(agent, f"{PASSWORD} {urllib.parse.quote(PASSWORD, safe='')} {OTHER}")
    # So slow that there is a middle; the burst holds the largest segment that is handed down.
    lab.router.tool("tc", "qdisc", "add", "dev", "wan", "root", "tbf", "rate", "8mbit", "burst", "128k",
                    "latency", "100ms")
    hub.servers()  # signs in
    send = agent.namespace.popen(agent.argv("logs", "send"))
    folder = hub.database.parent / "bundles"

    def begun():
        assert send.running(), send.output()
        return [path for path in folder.glob("*") if path.stat().st_size]

    part = net.wait_until(begun, 30, "the first pieces of the upload")[0]
    hub.kill()
    size = part.stat().st_size
    lab.router.tool("tc", "qdisc", "del", "dev", "wan", "root")
    hub.start()
    assert send.wait(60) == 0, send.output()
    row = ready(hub)[0]
    assert row["id"] == part.name and row["size"] > size
    status, data = hub.download(f"/v1/bundles/{row['id']}/file")
    assert status == 200 and hashlib.sha256(data).hexdigest() == row["sha256"]
    found, manifest = verified(data)
    masked = {entry["name"]: entry.get("masked", 0) for entry in manifest["members"]}
    assert masked["log/connector.log.1"] >= 100
    needles = forms(PASSWORD, f"{USER}:{PASSWORD}") | forms(OTHER) | forms(identity_seed(agent))
    found["manifest"] = json.dumps(manifest).encode()
    found["output"] = send.output().encode()
    assert [(name, needle) for name, content in found.items() for needle in needles
            if needle in content] == []
    assert USER.encode() in found["configuration/proxy.env"]
    assert lab.direct_packets() == 0


def identity_seed(agent):
    text = json.loads((agent.state_folder / "identity.json").read_text())["seed"]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Uploader:
    """What a machine says at /v1/uploads, one wrong thing at a time, which the agent does not do."""

    def __init__(self, agent):
        identity = json.loads((agent.state_folder / "identity.json").read_text())
        key = proof.Identity(raw(identity["seed"]))
        self.tls = proof.Tls.connect(HUB)
        nonce = os.urandom(32)
        status, _, body = self.send("GET", f"/.well-known/sallyport?nonce={b64(nonce)}", {})
        assert status == 200, body
        hub_nonce = raw(json.loads(body)["proof"]["nonce"])
        signature = key.sign(proof.AGENT, nonce + hub_nonce + key.key + raw(identity["hub_key"]) +
                             self.tls.binding())
        self.proof = ".".join(map(b64, (key.key, nonce, hub_nonce, signature)))

    def send(self, method, path, headers, body=b""):
        head = {"Host": HUB_NAME, "Content-Length": str(len(body)), "X-Sallyport": "1", **headers}
        self.tls.write(f"{method} {path} HTTP/1.1\r\n".encode() +
                       "".join(f"{name}: {value}\r\n" for name, value in head.items()).encode() + b"\r\n" + body)
        response = http.client.HTTPResponse(self.tls, method=method)
        response.begin()
        return response.status, response.headers, response.read()

    def ask(self, method, path="", body=b"", proof=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        status, headers, _ = self.send(method, f"/v1/uploads{path}", {
            "Sallyport-Proof": self.proof if proof is None else proof, **named}, body)
        return status, headers

    def create(self, name, data, size=None, digest=None):
        digest = base64.b64encode(digest or hashlib.sha256(data).digest()).decode()
        body = json.dumps({"id": name, "manifest": {"schema": "sallyport.bundle/1"}}).encode()
        return self.ask("POST", "", body, Upload_Complete="?0", Upload_Length=str(size or len(data)),
                        Repr_Digest=f"sha-256=:{digest}:", Content_Type="application/json")[0]

    def piece(self, name, data, offset, last=False):
        """The status, and how much the hub has then."""
        status, headers = self.ask("PATCH", f"/{name}", data, Upload_Offset=str(offset),
                                   Upload_Complete=f"?{int(last)}",
                                   Content_Type="application/partial-upload")
        return status, headers["Upload-Offset"]


def test_refused(lab):
    """No proof, a proof of another connection, a machine that was removed, another's bundle, a content that
    is not what was announced: nothing of it becomes a bundle, and the hub says which it is."""
    hub = Hub(lab).start()
    lab.dns()
    one, two = Agent(lab).joined(hub.token()), Agent(lab, "two").joined(hub.token())
    name, data = "f" * 32, os.urandom(70000)

    def attempt():
        machine, stranger = Uploader(one), Uploader(two)
        assert machine.ask("POST", body=b"{}", proof="")[0] == 401
        assert machine.ask("POST", body=b"{}", proof=stranger.proof)[0] == 401, "of another connection"
        assert machine.ask("HEAD", "/" + name)[0] == 404
        assert machine.create(name, data, size=1 << 40) == 422
        assert machine.create("not an id", data) == 422
        assert machine.create(name, data, digest=b"x" * 32) == 201
        assert machine.create("e" * 32, data) == 429, "too soon"
        assert stranger.ask("HEAD", "/" + name)[0] == 404, "another's"
        assert stranger.create(name, data) == 404, "another's"
        assert stranger.piece(name, data[:10], 0)[0] == 404, "another's"
        assert machine.piece(name, data[:40000], 0) == (204, "40000")
        assert machine.piece(name, data[:40000], 0) == (409, "40000"), "said twice"
        assert machine.piece(name, data[50000:], 50000) == (409, "40000"), "a gap"
        assert machine.piece(name, data, 40000)[0] == 400, "longer than announced"
        assert machine.piece(name, data[40000:50000], 40000, last=True)[0] == 400, "too early"
        status, headers = machine.ask("HEAD", "/" + name)
        assert (status, headers["Upload-Offset"], headers["Upload-Length"]) == (204, "40000", "70000")
        assert machine.piece(name, data[40000:], 40000, last=True)[0] == 400, "another digest"
        assert machine.ask("HEAD", "/" + name)[0] == 404

    hub.servers()  # signs in
    hub.namespace.inside(attempt)
    row = bundles(hub)[0]
    assert row["state"] == "failed" and "not what the machine announced" in row["reason"]
    server = json.loads((two.state_folder / "identity.json").read_text())["server_id"]
    assert hub.request("DELETE", f"/v1/servers/{server}")[0] == 204
    done = two.command("logs", "send")
    assert done.returncode == 1 and "403" in done.stderr and "removed" in done.stderr

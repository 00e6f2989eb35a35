"""Support bundles as whoever gets them looks at them."""

import hashlib
import io
import json
import tarfile

from lab import net


def members(data):
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        return {member.name: archive.extractfile(member).read() for member in archive.getmembers()}


def verified(data):
    """The members of a bundle, after its manifest was held against them."""
    found = members(data)
    manifest = json.loads(found.pop("manifest.json"))
    assert manifest["schema"] == "sallyport.bundle/1"
    listed = {entry["name"]: entry for entry in manifest["members"]}
    assert listed.keys() == found.keys()
    for name, content in found.items():
        assert listed[name]["size"] == len(content), name
        assert listed[name]["sha256"] == hashlib.sha256(content).hexdigest(), name
    assert all(entry["what"] and entry["why"] for entry in manifest["left_out"])
    return found, manifest


def bundles(hub, query=""):
    status, answer = hub.request("GET", f"/v1/bundles{query}")
    assert status == 200, answer
    return answer["bundles"]


def ready(hub, count=1):
    """Waits for so many bundles to be ready; the newest first."""

    def look():
        rows = bundles(hub)
        failed = [row for row in rows if row["state"] == "failed"]
        assert not failed, failed
        return rows if sum(row["state"] == "ready" for row in rows) >= count else None

    return net.wait_until(look, 30, "a bundle to be ready")

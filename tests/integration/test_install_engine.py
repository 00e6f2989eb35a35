"""A connector's worker against real sshd hosts: ways of logging in, what is sent to whom, copies that break off, and
what is left on a host (rows R11, R12, S3, B8). tests/integration/test_install_outcomes.py goes through every outcome."""

import os
import signal

import pytest
from connector_worker import Worker, target

from lab import net
from lab.fleet import Agent, Hub
from lab.hosts import PASSWORD, Neighbours

# The settings of a host that lets nobody in but by prompts.
PROMPTS = "PasswordAuthentication no\nPubkeyAuthentication no\n"


class Place:
    def __init__(self, lab):
        self.hub = Hub(lab).start()
        lab.dns()
        self.neighbours = Neighbours(lab)
        self.agent = Agent(lab).joined(self.hub.token())

    def up(self, **options):
        host = self.neighbours.add(**options)
        self.neighbours.start()
        return host

    def worker(self, targets, credentials=None, **options):
        return Worker(self.agent, targets, credentials or {"user": "root", "password": PASSWORD}, **options)


@pytest.fixture
def place(lab):
    return Place(lab)


def staged(host):
    return [name for name in host.changes() if "sallyport-" in name]


def test_ways_in_and_a_second_run(place):
    """R12: a key with a passphrase and sudo by password; prompts alone. S3: a second run copies nothing."""
    key = place.neighbours.lab.folder / "locked_key"
    net.tool("cp", place.neighbours.key, key)
    net.tool("ssh-keygen", "-q", "-p", "-N", "a long phrase", "-f", key)
    by_key, by_prompts = place.neighbours.add(), place.neighbours.add(sshd=PROMPTS)
    place.neighbours.start()
    targets = [target(by_key, 1, user="asks"), target(by_prompts, 2)]
    login = {"user": "root", "password": PASSWORD, "by_host": {by_key.address: {
        "key": key.read_text(), "passphrase": "a long phrase", "sudo_password": PASSWORD}}}

    worker = place.worker(targets, login)
    worker.looked(2)
    worker.go({"1": place.hub.token(), "2": place.hub.token()})
    events = worker.ended()
    assert {id: event["state"] for id, event in events.items()} == {"1": "joined", "2": "joined"}, events
    assert events["1"]["facts"]["privilege"] == "sudo with a password"
    assert events["2"]["facts"]["privilege"] == "root"
    assert worker.finish() == 0 and worker.over == {"install": "a1"}
    assert staged(by_key) == staged(by_prompts) == []
    assert by_key.programs("sallyport agent") and by_prompts.programs("sallyport agent")

    known = [dict(each, host_keys=[events[each["id"]]["host_key"]["fingerprint"]]) for each in targets]
    again = place.worker(known, login)
    looked = again.looked(2)
    assert [looked[id]["host_key"]["state"] for id in ("1", "2")] == ["known", "known"]
    assert looked["1"]["stage"] == "existing" and looked["1"]["facts"]["agent_version"]
    again.go({"1": place.hub.token(), "2": place.hub.token()})
    second = again.ended()
    assert [second[id]["state"] for id in ("1", "2")] == ["joined", "joined"], second
    assert [second[id]["server"] for id in ("1", "2")] == [events[id]["server"] for id in ("1", "2")]
    assert [second[id]["sent"] for id in ("1", "2")] == [0, 0]


def test_nothing_is_said_to_a_host_that_nobody_vouches_for(place):
    """B8: a changed key, a key that was not confirmed, a host that the sealed list does not name: none of them hears so
    much as the user's name."""
    host = place.up()
    changed = place.worker([target(host, host_keys=["SHA256:" + "A" * 43])]).looked()["1"]
    assert (changed["state"], changed["outcome"], changed["stage"]) == ("failed", "host-key-changed", "host-key")
    assert changed["host_key"]["expected"] == "SHA256:" + "A" * 43

    worker = place.worker([target(host)])
    assert worker.looked()["1"]["state"] == "ready"
    worker.say("install.go", {"install": "a1", "targets": [
        {"id": "1", "host_key": "SHA256:" + "B" * 43, "token": place.hub.token()}]})
    assert worker.ended()["1"]["outcome"] == "host-key-unconfirmed"

    key = changed["host_key"]["fingerprint"]
    unnamed = place.worker([target(host, host_keys=[key])], named="10.78.0.99").looked()["1"]
    assert (unnamed["state"], unnamed["outcome"]) == ("failed", "not-named")
    told = host.process.output()
    assert "Accepted" not in told and "Failed" not in told and "user root" not in told, told


def copying(place, host, **options):
    """A worker that copies over a cable that takes its time, once a part has arrived."""
    worker = place.worker([target(host)], **options)
    worker.looked()
    host.slow()
    worker.go({"1": place.hub.token()})
    worker.until(lambda events: events["1"].get("sent"))
    part = host.path("/var/lib/.sallyport-install/part")
    net.wait_until(lambda: part.exists() and part.stat().st_size > 150000, 30, "a part to arrive")
    return worker


def test_a_copy_that_breaks_off_goes_on(place):
    """S3: the host's end of the connection is gone in the middle: the rest is copied over the next one."""
    host = place.up()
    worker = copying(place, host)
    for pid, line in host.processes().items():
        if "sshd: root" in line:
            os.kill(pid, signal.SIGKILL)
    worker.until(lambda events: events["1"]["stage"] != "copy")
    begun = worker.until(lambda events: events["1"]["stage"] == "copy" and events["1"].get("sent", 0) > 0)["1"]
    host.quick()
    assert begun["sent"] > 150000
    event = worker.ended()["1"]
    assert event["state"] == "joined", event
    assert staged(host) == []


def test_a_host_that_stays_away(place):
    """S3: it goes in the middle and is not back in time: told where that was, not as a host that is not there."""
    host = place.up()
    worker = copying(place, host, comeback_s=1)
    host.kill()
    event = worker.ended()["1"]
    assert (event["state"], event["outcome"], event["stage"]) == ("failed", "connection-lost", "copy"), event


def test_a_connector_without_the_file(place):
    """The file of the agent went between the order and the copy: the host is not touched."""
    host = place.up()
    worker = place.worker([target(host)], portable={"x86_64": {
        "path": "/nowhere/sallyport", "sha256": "0" * 64, "size": 1000}})
    worker.looked()
    worker.go({"1": place.hub.token()})
    event = worker.ended()["1"]
    assert event["state"] == "failed" and event["outcome"] == "portable-missing", event
    assert staged(host) == []


def test_a_connector_that_ends_takes_back_what_it_did(place):
    """R11: the agent goes away in the middle (its end of the pipe closes): nothing stays on the host."""
    host = place.up()
    worker = copying(place, host)
    assert staged(host)
    worker.hang_up()
    assert worker.finish() == 0
    assert staged(host) == []
    host.wait_alone("sallyport-install")
    # And one that is killed: the host itself takes it back, a moment later.
    host.quick()
    worker = copying(place, host, grace_s=1)
    os.kill(worker.process.pid, signal.SIGKILL)
    net.wait_until(lambda: not staged(host), 30, "the host to take the copy back")
    host.wait_alone("sallyport-install")

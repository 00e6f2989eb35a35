"""What a hub and an agent survive: a database that is locked or damaged, rows that make no sense, a full
disk, SIGKILL in the middle of a write; and the way back by a backup. Each is told in a clear sentence."""

import http.client
import json
import os
import random
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from lab import net, programs
from lab.fleet import Agent, Hub

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def hub(lab):
    hub = Hub(lab).start()
    lab.dns()
    return hub


@pytest.fixture
def chance():
    """Its seed is printed when the test fails; SALLYPORT_SEED sets it."""
    number = int(os.environ.get("SALLYPORT_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"SALLYPORT_SEED={number}")
    return random.Random(number)


def new_token(hub):
    return hub.request("POST", "/v1/tokens", {"label": "lab", "expires_in_s": 600, "uses": 1})


def serve_again(hub):
    """The hub is started where it cannot start; returns what it said."""
    done = hub.namespace.run([programs.HUB, "serve", "--root", hub.root, "--listen", f"{hub.address}:443"],
                             mounts=hub.mounts, timeout=20)
    assert done.returncode == 1, done
    return done.stderr


def check_database(hub):
    database = sqlite3.connect(hub.database)
    try:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        database.close()


# --- a locked database -------------------------------------------------------------------------

def test_locked_database(lab, hub):
    """Somebody holds the lock: what is asked is refused with the reason, machines stay, and the hub goes on
    by itself when the lock is gone."""
    hub.stop()
    hub.options = ("--heartbeat-ms", 200, "--heartbeat-jitter-ms", 20, "--heartbeat-timeout-ms", 10000)
    hub.start()
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    hub.wait_online()
    holder = sqlite3.connect(hub.database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    status, answer = new_token(hub)
    assert status == 500 and "another program holds the database" in answer["detail"], answer
    status, answer = hub.request("GET", "/readyz")
    assert status == 503 and "another program holds the database" in answer["detail"], answer
    assert hub.request("GET", "/healthz")[0] == 200
    assert [row["status"] for row in hub.servers()] == ["online"]
    holder.execute("ROLLBACK")
    holder.close()
    net.wait_until(lambda: hub.request("GET", "/readyz")[0] == 200, 15, "the hub to be ready again")
    assert new_token(hub)[0] == 201
    assert agent.told() == [] and "the database can be written again" in hub.process.output()


def test_start_with_a_locked_database(hub):
    hub.stop()
    holder = sqlite3.connect(hub.database, isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    said = serve_again(hub)
    assert str(hub.database) in said and "another program holds the database" in said, said
    holder.close()
    hub.start()


# --- a damaged database, and the way back ------------------------------------------------------

def test_damaged_database_and_a_backup(lab, hub):
    """Refused at start with the remedy; after the remedy the machine is back, without joining again."""
    agent = Agent(lab).joined(hub.token()).start().wait_online()
    hub.wait_online()
    backup = lab.folder / "hub.backup"
    hub.command("backup", backup)
    assert backup.stat().st_mode & 0o777 == 0o600
    hub.stop()
    with open(hub.database, "r+b") as file:
        for page in range(2, os.path.getsize(hub.database) // 4096):
            file.seek(page * 4096)
            file.write(b"\xa5" * 200)
    said = serve_again(hub)
    assert "the database is damaged" in said and "newest backup" in said, said
    said = hub.command("restore", backup)
    kept = Path(said.split("what was there before: ")[1].strip())
    assert (kept / "hub.db").exists() and (kept / "identity.key").exists()
    hub.start()
    agent.wait_online(2)
    assert len(hub.wait_online()) == 1


def test_damage_under_a_running_hub(lab, hub):
    """Pages rot while it runs: what reads them is refused with the remedy, and nothing is taken for good."""
    Agent(lab).joined(hub.token()).start().wait_online()
    hub.wait_online()
    backup = lab.folder / "hub.backup"
    hub.command("backup", backup)
    hub.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    # The hub still has good pages in memory; it drops them once another program has written something.
    other = sqlite3.connect(hub.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO meta VALUES('rot', '1')")
    with open(hub.database, "r+b") as file:
        for page in range(1, os.path.getsize(hub.database) // 4096):
            file.seek(page * 4096)
            file.write(b"\xa5" * 4096)
    other.execute("COMMIT")
    status, answer = new_token(hub)
    assert status == 500 and "damaged" in answer["detail"] and "backup" in answer["detail"], answer
    status, answer = hub.request("GET", "/readyz")
    assert status == 503 and "damaged" in answer["detail"], answer
    assert hub.process.running()
    hub.kill()
    hub.command("restore", backup)
    hub.start().wait_online()


# --- rows that make no sense -------------------------------------------------------------------

NONSENSE = {
    "inventory is no JSON": ("server_details", "inventory = 'cut sho'"),
    "inventory is a list": ("server_details", "inventory = '[1, [2]]'"),
    "way is no JSON": ("server_details", "path = '{{{'"),
    "name is no UTF-8": ("servers", "name = CAST(x'ff00fe' AS TEXT)"),
    "name is a blob": ("servers", "name = x'00ff'"),
    "texts are empty": ("servers", "name = '', platform = '', os_name = '', address = '', cause = 'x'"),
    "times are texts": ("servers", "since = 'soon', last_seen = -5, created = 1e300"),
    "key is cut short": ("servers", "key = x'00'"),
    "report is garbage": ("checks", "report = x'789c00ff00ff'"),
    "report is no JSON": ("checks", "report = 'cut sho', causes = '{', outcome = x'ff'"),
    "state is unknown": ("checks", "state = 99, repeats = -7, requested = 'soon'"),
}


def test_corrupt_rows(lab, hub):
    """Whatever stands in one machine's row, the pages answer; and a hub that starts with such rows has the
    other machine back."""
    token = hub.token(uses=2)
    broken = Agent(lab, "broken").joined(token).start().wait_online()
    id = hub.wait_online()[0]["id"]
    net.wait_until(lambda: hub.sql("SELECT 1 FROM checks WHERE report IS NOT NULL"), 15, "a check")
    broken.process.kill()
    Agent(lab, "other").joined(token).start().wait_online()
    hub.wait_online()

    def look(name):
        for path in ("/v1/servers", f"/v1/servers/{id}", f"/v1/servers/{id}/checks"):
            status, answer = hub.request("GET", path)
            assert status == 200, (name, path, answer)

    for name, (table, values) in NONSENSE.items():
        column = "server" if table == "checks" else "id"
        hub.sql(f"UPDATE {table} SET {values} WHERE {column} = ?", id)
        look(name)
    hub.kill()
    hub.start()
    look("all of them")
    assert hub.wait_online()[0]["id"] != id
    assert hub.process.running()


# --- full disks --------------------------------------------------------------------------------

def on_small_disk(folder, argv, size="64k"):
    """A command that makes a small disk of a folder and goes on as the program."""
    return ["sh", "-ec", f"mount -t tmpfs -o size={size},mode=755 tmpfs '{folder}'; exec \"$@\"", "sh", *argv]


def test_start_on_a_full_disk(lab):
    hub = Hub(lab)
    folder = hub.root / "var"
    folder.mkdir()
    hub.mounts = [("tmpfs:size=16k,mode=755", folder)]
    said = serve_again(hub)
    assert "disk is full" in said or "No space left" in said, said


def test_backup_to_a_full_disk(lab, hub):
    """Nothing that looks like a backup stays behind, and the hub does not notice."""
    folder = lab.folder / "small"
    folder.mkdir()
    done = hub.namespace.run(
        on_small_disk(folder, ["sh", "-c", f"'{programs.HUB}' backup '{folder}/b' --root '{hub.root}'; "
                                           f"code=$?; ls '{folder}'; exit $code"]))
    assert done.returncode == 1 and "the disk is full" in done.stderr, done
    assert done.stdout == ""
    assert new_token(hub)[0] == 201


def test_restore_on_a_full_disk(lab, hub):
    """The hub is what it was before."""
    backup = lab.folder / "hub.backup"
    new_token(hub)
    hub.command("backup", backup)
    hub.stop()
    folder, copy = hub.root / "var", lab.folder / "copy"
    script = (f"cp -a '{folder}/.' '{copy}'; "
              f"mount -t tmpfs -o size=$(($(du -sk '{copy}' | cut -f1) + 60))k,mode=755 tmpfs '{folder}'; "
              f"cp -a '{copy}/.' '{folder}'; code=0; '{programs.HUB}' restore '{backup}' --root '{hub.root}' "
              f"|| code=$?; '{programs.HUB}' token list --root '{hub.root}'; ls '{folder}/lib/sallyport-hub'; "
              "exit $code")
    copy.mkdir()
    done = hub.namespace.run(["sh", "-ec", script])
    assert done.returncode == 1 and ("disk is full" in done.stderr or "No space left" in done.stderr), done
    assert "lab" in done.stdout and "restor" not in done.stdout, done.stdout


# --- SIGKILL in the middle of a write ----------------------------------------------------------

def test_hub_killed_while_it_writes(lab, hub, chance):
    """What was answered with success is there afterwards, and the database is whole, every time."""
    hub.servers()  # the first administrator
    answered = []
    for _ in range(8):
        stop, before = threading.Event(), len(answered)

        def write():
            while not stop.is_set():
                try:
                    status, made = new_token(hub)
                except (OSError, http.client.HTTPException):
                    return
                if status == 201:
                    answered.append(made["id"])

        writer = threading.Thread(target=write)
        writer.start()
        wanted = before + chance.randrange(1, 5)
        net.wait_until(lambda: len(answered) >= wanted or not writer.is_alive(), 30, "answers")
        time.sleep(chance.uniform(0.0, 0.02))  # at a random moment, which is what is tried
        hub.kill()
        stop.set()
        writer.join()
        check_database(hub)
        hub.start()
    kept = {row[0] for row in hub.sql("SELECT id FROM tokens")}
    assert len(answered) >= 8 and set(answered) <= kept, set(answered) - kept
    assert new_token(hub)[0] == 201


def test_restore_killed(lab, hub, chance):
    """At any moment: the hub is the old one, or the new one, or says that the restore must be run again."""
    backup = lab.folder / "hub.backup"
    hub.command("backup", backup)
    new_token(hub)  # tells the old one from the one in the backup
    hub.stop()
    seen = set()
    argv = [programs.HUB, "restore", backup, "--root", hub.root]
    began = time.monotonic()
    hub.command("restore", backup)
    whole = time.monotonic() - began
    for _ in range(12):
        process = hub.namespace.popen(argv)
        time.sleep(chance.uniform(0.0, 1.2 * whole))  # at a random moment, which is what is tried
        process.kill()
        done = hub.namespace.run([programs.HUB, "token", "list", "--root", hub.root])
        if done.returncode:
            assert "run it again: sallyport-hub restore" in done.stderr, done
            assert "run it again" in serve_again(hub)
        else:
            check_database(hub)
            identity = (hub.database.parent / "identity.key").read_bytes()
            assert identity.startswith(b"sallyport-hub-identity-1 ")
            seen.add(identity)
    assert len(seen) == 1, "the identity is that of the backup, and no new one was ever made"
    hub.command("restore", backup)
    hub.start()


def test_agent_killed_while_it_writes(lab, hub, chance):
    """Its identity outlives every kill, and it comes back without joining again."""
    agent = Agent(lab).joined(hub.token())
    identity = (agent.state_folder / "identity.json").read_bytes()
    for _ in range(10):
        agent.start()
        time.sleep(chance.uniform(0.0, 0.25))  # at a random moment, which is what is tried
        agent.process.kill()
        status = agent.state_folder / "status.json"
        assert not status.exists() or json.loads(status.read_text())["state"]
        assert (agent.state_folder / "identity.json").read_bytes() == identity
    agent.start()
    net.wait_until(lambda: agent.status()["state"] == "online", 20, "the agent to be back")
    assert len(hub.servers()) == 1

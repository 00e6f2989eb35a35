"""A machine whose services somebody else manages.

A fake of `systemctl show`: process 1 of the machines that the lab runs on is not systemd, and a real
systemctl has nobody to ask there."""


def systemd(lab, units):
    """units: name -> (load state, active state, sub state); any other name is not found."""
    lines = [f"    {name}) echo LoadState={load}; echo ActiveState={active}; echo SubState={sub} ;;"
             for name, (load, active, sub) in units.items()]
    text = "\n".join(["#!/bin/sh", '[ "$1" = show ] || exit 1', 'for unit; do :; done', 'case "$unit" in',
                      *lines, "    *) echo LoadState=not-found; echo ActiveState=inactive; echo SubState=dead ;;",
                      "esac", ""])
    program = lab.folder / "systemctl"
    program.write_text(text)
    program.chmod(0o755)
    (lab.folder / "run/systemd/system").mkdir(parents=True)
    lab.client.mounts += [(program, "/usr/bin/systemctl"), (lab.folder / "run", "/run")]


def wanted(*names):
    return {"services": [{"os": "linux", "name": name, "state": "running"} for name in names]}

"""systemd-networkd in charge of the client's interface, without systemd as process 1."""

import shutil

from lab.servers import dhcp

PROGRAM = "/lib/systemd/systemd-networkd"
NETWORK_FILE = "/etc/systemd/network/10-lab.network"


def start(lab, *lines):
    """Runs with this [Network] section; returns the process."""
    mounts = dhcp.below_root(lab, "/run", "/etc/systemd/network")
    (lab.root / NETWORK_FILE.lstrip("/")).write_text(
        "\n".join(["[Match]", "Name=eth0", "[Network]", "LinkLocalAddressing=no", *lines]) + "\n")
    # Its own folders belong to its user, as systemd makes them.
    netif = lab.root / "run/systemd/netif"
    for folder in ("links", "leases", "lldp"):
        (netif / folder).mkdir(parents=True)
    for path in (netif, *netif.iterdir()):
        shutil.chown(path, "systemd-network", "systemd-network")
    # A /sys that can be written means udev to it, and there is none.
    process = lab.client.popen(["sh", "-c", f"mount -o remount,ro,bind /sys; exec {PROGRAM}"],
                               mounts=mounts, log="networkd")
    process.wait_for("Enumeration completed")
    return process

"""DHCP on the client's network: dnsmasq as the server, and the clients that machines really have.

A client keeps its leases below the lab's root folder, where the program under test looks for them
(`--root`), and sees that folder in place of the machine's own.
"""

from lab import net
from lab.world import CLIENT, DNS

GATEWAY = "10.77.0.1"
RANGE = "10.77.0.100,10.77.0.150,255.255.255.0,1h"

# What a distribution's script does for udhcpc, for IPv4 alone.
UDHCPC_SCRIPT = """#!/bin/sh
case "$1" in bound|renew)
	ip address replace "$ip/$mask" dev "$interface"
	ip route replace default via "$router" dev "$interface" ;;
esac
"""


def serve(namespace, interface="lan", dns=DNS):
    """A DHCP server that gives the gateway and this DNS server."""
    folder = namespace.folder
    config = folder / "dhcp.conf"
    # It must not ping an address first: that takes three seconds.
    config.write_text("\n".join([
        "no-daemon", "pid-file=", "user=root", "log-facility=-", "port=0", f"interface={interface}",
        "bind-interfaces", "no-ping", "dhcp-authoritative", f"dhcp-range={RANGE}",
        f"dhcp-option=option:router,{GATEWAY}", f"dhcp-option=option:dns-server,{dns}",
        f"dhcp-leasefile={folder}/dhcp.leases"]) + "\n")
    process = namespace.popen(["dnsmasq", "-C", config], log="dhcp")
    process.wait_for("sockets bound exclusively")
    return process


def unset(lab):
    """The client as it is before anybody has set an address."""
    lab.client.ip("address", "flush", "dev", "eth0")


def below_root(lab, *folders):
    """Mounts that put folders of the lab's root in place of the machine's own."""
    mounts = []
    for folder in folders:
        inside = lab.root / folder.lstrip("/")
        inside.mkdir(parents=True, exist_ok=True)
        mounts.append((inside, folder))
    return mounts


def address(lab):
    """The client's first IPv4 address, once it has one that a server gave."""

    def found():
        for word in lab.client.ip("-4", "-o", "address", "show", "dev", "eth0").split():
            if word.startswith("10.77.0.") and "/" in word and word != f"{CLIENT}/24":
                return word.split("/")[0]
        return None

    return net.wait_until(found, 15, "an address from DHCP")


def routed(lab):
    """Waits for the default route too; returns the address."""
    given = address(lab)
    net.wait_until(lambda: lab.client.ip("route", "show", "default"), 10, "a default route")
    return given


def dhclient(lab):
    return lab.client.popen(["dhclient", "-d", "eth0"], mounts=below_root(lab, "/var/lib/dhcp", "/run"))


def dhcpcd(lab, *options):
    # -B stays in the foreground.
    return lab.client.popen(["dhcpcd", "-B", "-4", "-C", "resolv.conf", *options, "eth0"],
                            mounts=below_root(lab, "/var/lib/dhcpcd", "/run"))


def udhcpc(lab):
    script = lab.client.folder / "udhcpc-script"
    script.write_text(UDHCPC_SCRIPT)
    script.chmod(0o755)
    return lab.client.popen(["udhcpc", "-f", "-i", "eth0", "-s", script])


# What a profile asks for that wants DHCP, and no IPv6.
WANTED = {"addressing": {"ipv4": "dhcp", "dns": "dhcp", "ipv6": "unsupported"}}

"""NetworkManager in charge of the client's interface, with a D-Bus of its own."""

from lab import net
from lab.servers import dhcp

UUID = "6d1f4a52-8f1c-4a57-9a5d-0d6d3a3e0b11"
CONNECTION = "/etc/NetworkManager/system-connections/lab.nmconnection"


def start(lab, *lines):
    """Runs with this [ipv4] section and waits until the interface is connected."""
    mounts = dhcp.below_root(lab, "/run", "/etc/NetworkManager", "/var/lib/NetworkManager")
    # As the distribution makes it: leases are root's.
    (lab.root / "var/lib/NetworkManager").chmod(0o700)
    lab._write("root/etc/NetworkManager/NetworkManager.conf",
               "[main]\nplugins=keyfile\ndns=none\n")
    connection = lab._write("root" + CONNECTION, "\n".join([
        "[connection]", "id=lab", f"uuid={UUID}", "type=ethernet", "interface-name=eth0",
        "[ipv4]", *lines, "[ipv6]", "method=disabled"]) + "\n")
    connection.chmod(0o600)
    (lab.root / "run/dbus").mkdir(exist_ok=True)
    bus = lab.client.popen(["dbus-daemon", "--system", "--nofork", "--nopidfile", "--print-address"],
                           mounts=mounts)
    bus.wait_for("unix:")
    process = lab.client.popen(
        ["sh", "-c", "mount -o remount,ro,bind /sys; exec NetworkManager --no-daemon"],
        mounts=mounts, log="network-manager")
    state = lab.root / "run/NetworkManager/devices"
    net.wait_until(lambda: any(UUID.encode() in net.content(path) for path in state.glob("*"))
                   if state.is_dir() else None, 15, "NetworkManager to connect eth0")
    return process

"""dhcpcd found no server and gave itself an address of 169.254/16; now a server is there, and nobody has
asked it again."""

from lab import net
from lab.servers import dhcp

causes = ["lease-lost"]
look_alike = "no-route"
waits = 16


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.unset(lab)
    client = dhcp.dhcpcd(lab)
    net.wait_until(lambda: " 169.254." in lab.client.ip("-4", "address", "show", "dev", "eth0"), 20,
                   "an address of its own")
    client.signal(19)  # SIGSTOP: it would notice
    dhcp.serve(lab.router)
    return lab.check(profile=dhcp.WANTED, deadline=12)

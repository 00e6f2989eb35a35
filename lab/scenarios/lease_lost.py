"""dhclient was killed and its lease has ended; the address stands as if it were the client's own, and a
DHCP server would answer. dnsmasq gives no lease shorter than two minutes, so the date in the
lease file is turned back and the address made permanent, as clients without lifetimes leave it."""

import re

from lab.servers import dhcp

causes = ["lease-lost"]
look_alike = "address-static"


def play(lab):
    lab.endpoint()
    lab.dns()
    dhcp.serve(lab.router)
    dhcp.unset(lab)
    client = dhcp.dhclient(lab)
    client.wait_for("bound to")
    given = dhcp.routed(lab)
    client.kill()
    leases = lab.root / "var/lib/dhcp/dhclient.leases"
    leases.write_text(re.sub(r"expire .*;", "expire 1 2020/01/06 00:00:00;", leases.read_text()))
    lab.client.ip("address", "change", f"{given}/24", "dev", "eth0", "valid_lft", "forever")
    return lab.check(profile=dhcp.WANTED, deadline=8)

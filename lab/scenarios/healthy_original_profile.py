"""The whole page of the original vendor, asked of a machine and a network that are as it wants them: an
address and a DNS server from DHCP, the Internet, the four endpoints, SSH for the auto-install."""

import yaml

from lab.programs import ROOT
from lab.servers import dhcp, nginx, raw

causes = []
look_alike = None

PROFILE = ROOT / "profiles/citrix-smart-tools.yaml"
INTERNET = ("deb.debian.org", "www.iana.org")  # what `internet` tries when a profile names no hosts
ONLINE = "network-test.debian.org"


def furnish(lab):
    """Everything that the profile asks for; the profile as a document."""
    profile = yaml.safe_load(PROFILE.read_text())
    for number, name in enumerate([*(each["host"] for each in profile["endpoints"]), *INTERNET]):
        lab.endpoint(name, f"203.0.113.{40 + number}")
    lab.names[ONLINE] = "203.0.113.60"
    nginx.serve(lab.internet, "203.0.113.60", port=80,
                body='default_type text/plain; return 200 "NetworkManager is online\\n";')
    raw.serve(lab.client, "0.0.0.0", 22, "ssh")
    lab.dns()
    dhcp.serve(lab.router)
    dhcp.unset(lab)
    dhcp.dhclient(lab)
    dhcp.routed(lab)
    return profile


def play(lab):
    return lab.check(profile=furnish(lab), deadline=10)

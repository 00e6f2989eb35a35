"""The name has an IPv6 address and no IPv4 address (row R4)."""

from lab.world import CONSOLE

causes = ["dns-no-a"]
look_alike = "dns-nxdomain"


def play(lab):
    lab.endpoint()
    lab.dns({CONSOLE: "2001:db8:1::10"})
    return lab.check()

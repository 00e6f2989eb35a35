"""Names have AAAA records beside A, and the client has an IPv6 address that leads nowhere: the walk is
IPv4 and never notices (row R4)."""

from lab.world import CONSOLE, ENDPOINT

causes = []
look_alike = "connect-timeout"


def play(lab):
    lab.client.ip("addr", "add", "2001:db8::2/64", "dev", "eth0", "nodad")
    lab.client.ip("-6", "route", "add", "default", "via", "2001:db8::1")
    lab.endpoint()
    lab.dns({CONSOLE: [ENDPOINT, "2001:db8:1::10"]})
    return lab.check()

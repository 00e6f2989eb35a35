"""A path that carries less than the cables at its ends, in one direction.

The router gets a *route* MTU: packets that are larger and may not be fragmented are thrown away, and
the router tells their sender ("fragmentation needed"), or not, which makes a black hole. A device of
a smaller MTU would be an outage instead.
"""

SILENCE = """
table inet silence {
	chain out {
		type filter hook output priority 0; policy accept;
		icmp type destination-unreachable icmp code frag-needed drop
	}
}
"""

TOWARDS_CLIENT = ("10.77.0.0/24", "dev", "lan")
TOWARDS_SITE = ("10.77.1.0/24", "dev", "site")
TOWARDS_INTERNET = ("default", "via", "198.51.100.2")


def narrow(lab, direction, mtu, silently=True):
    lab.router.ip("route", "replace", *direction, "mtu", str(mtu))
    if silently:
        lab.router.nft(SILENCE)


def large_certificate(lab, name):
    """One that fills more than one segment on its way, as those of large sites do."""
    return lab.public_ca.issue(name, *(f"host{number}.{name}" for number in range(60)))

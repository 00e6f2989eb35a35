"""The DNS server does not serve this client: REFUSED."""

causes = ["dns-refused"]
look_alike = "dns-servfail"


def play(lab):
    lab.endpoint()
    lab.dns({}, unknown="refused")
    return lab.check()

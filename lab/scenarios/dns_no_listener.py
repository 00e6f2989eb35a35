"""resolv.conf names a machine that is there and runs no DNS server: ICMP port unreachable comes back."""

causes = ["dns-no-listener"]
look_alike = "dns-timeout"


def play(lab):
    lab.endpoint()
    return lab.check()

"""A firewall resets each connection to 443 as soon as a TLS record goes through it."""

causes = ["tls-reset"]
look_alike = "connect-refused"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.firewall("tcp dport 443 @ih,0,8 0x16 reject with tcp reset")
    return lab.check()

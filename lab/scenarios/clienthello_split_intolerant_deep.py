"""A firewall resets whoever sends less than a whole ClientHello in the first segment. Today's fits, so the
walk passes; with --deep the larger ones of tomorrow are a warning."""

causes = ["clienthello-split-intolerant"]
look_alike = "sni-filtered"
evidence = {"clienthello-in-two": "tls-reset", "passes-with": "a ClientHello in one segment"}


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.client.ip("link", "set", "eth0", "gso_max_segs", "1")
    lab.firewall("tcp dport 443 @ih,0,8 0x16 @ih,24,16 > 240 meta length < 300 reject with tcp reset")
    check = lab.check(deep=True, deadline=8)
    check.expected_code = lambda causes: 4  # degraded: it works as far as it went
    return check

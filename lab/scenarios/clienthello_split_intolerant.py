"""A narrow line (the router clamps the MSS to 256) cuts the usual ClientHello in two, and a firewall behind
it, which reads the first segment alone, drops what does not hold the whole. A small one passes."""

causes = ["clienthello-split-intolerant"]
look_alike = "mtu-black-hole"
evidence = {"small-clienthello": "passes", "mss-536": "tls-stalled", "another-name": "tls-stalled",
            "passes-with": "a ClientHello that fits in one segment"}


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.client.ip("link", "set", "eth0", "gso_max_segs", "1")
    # The record begins here and tells its length: more than what this packet has room for.
    lab.firewall("tcp flags syn tcp option maxseg size set 256",
                 "tcp dport 443 @ih,0,8 0x16 @ih,24,16 > 240 meta length < 300 drop")
    return lab.check()

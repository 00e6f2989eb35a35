"""The endpoint's name is an alias of an alias, as with every content network."""

from lab.world import CONSOLE, ENDPOINT

causes = []
look_alike = "dns-no-a"


def play(lab):
    lab.endpoint()
    lab.dns({"node7.cdn.example": ENDPOINT},
            extra=[f"cname={CONSOLE},edge.cdn.example", "cname=edge.cdn.example,node7.cdn.example"])
    return lab.check()

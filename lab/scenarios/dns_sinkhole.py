"""A DNS filter answers the blocked name with 0.0.0.0."""

from lab.world import CONSOLE

causes = ["dns-sinkhole"]
look_alike = "connect-refused"


def play(lab):
    lab.endpoint()
    lab.dns({CONSOLE: "0.0.0.0"})
    return lab.check()

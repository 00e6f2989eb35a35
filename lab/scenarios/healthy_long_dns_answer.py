"""The name has a hundred addresses: the answer is too long for UDP and comes over TCP."""

from lab.world import CONSOLE

causes = []
look_alike = "dns-truncated-tcp-blocked"


def play(lab):
    addresses = [f"203.0.113.{number}" for number in range(100, 200)]
    lab.endpoint(address="0.0.0.0")  # that is: at every address of the internet
    lab.dns({CONSOLE: addresses})
    return lab.check()

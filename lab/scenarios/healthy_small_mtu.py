"""The path carries 1280 bytes and says so to whoever sends more: slower by one packet, and sound."""

from lab import path_mtu
from lab.world import CONSOLE

causes = []
look_alike = "mtu-black-hole"


def play(lab):
    lab.endpoint(certificate=path_mtu.large_certificate(lab, CONSOLE))
    lab.dns()
    path_mtu.narrow(lab, path_mtu.TOWARDS_CLIENT, 1280, silently=False)
    path_mtu.narrow(lab, path_mtu.TOWARDS_INTERNET, 1280, silently=False)
    return lab.check(deep=True)

"""This machine's clock is two years ahead: four expired certificates, as it seems, and one cause."""

from lab.world import four_endpoints

causes = ["clock-ahead"]
look_alike = "cert-expired"


def play(lab):
    endpoints = four_endpoints(lab)
    lab.dns()
    return lab.check(*endpoints, env=lab.clock(730))

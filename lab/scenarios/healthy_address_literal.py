"""The endpoint is named by its address, and the certificate carries that."""

from lab.world import ENDPOINT

causes = []
look_alike = "cert-name-mismatch"


def play(lab):
    lab.endpoint(ENDPOINT, ENDPOINT, lab.public_ca.issue(ENDPOINT))
    return lab.check({"host": ENDPOINT})

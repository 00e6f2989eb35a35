"""Of four services one has let its certificate run out; the other three prove that the clock is right."""

from lab import ca
from lab.world import four_endpoints

causes = ["cert-expired"]
look_alike = "clock-ahead"


def play(lab):
    endpoints = four_endpoints(lab, without=("upload",))
    expired = lab.public_ca.issue("upload.lab.example", not_before=ca.now() - 90 * ca.DAY,
                                  not_after=ca.now() - 2 * ca.DAY)
    lab.endpoint("upload.lab.example", "203.0.113.33", expired)
    lab.dns()
    return lab.check(*endpoints)

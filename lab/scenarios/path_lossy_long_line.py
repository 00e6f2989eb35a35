"""A long line loses every third packet in each direction: the endpoint is reached, slowly."""

causes = ["path-lossy"]
look_alike = "mtu-black-hole"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.slow_path(delay_ms=10, lose_every=3)
    return lab.check(deadline=15)

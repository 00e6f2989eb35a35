"""A long line, 80 ms there and back, loses a packet now and then in each direction: slow, and sound."""

causes = []
look_alike = "path-lossy"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.slow_path(delay_ms=40, lose_every=6)
    return lab.check(deadline=8)

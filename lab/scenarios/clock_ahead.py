"""The client's clock is two years ahead: every good certificate seems expired."""

causes = ["clock-ahead"]
look_alike = "cert-expired"


def play(lab):
    lab.endpoint()
    lab.dns()
    return lab.check(env=lab.clock(days=730))

"""The client's clock is two years behind: every good certificate seems not yet valid."""

causes = ["clock-behind"]
look_alike = "cert-not-yet-valid"


def play(lab):
    lab.endpoint()
    lab.dns()
    return lab.check(env=lab.clock(days=-730))

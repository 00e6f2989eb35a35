"""The endpoint closes idle connections itself, in order and after three seconds: its own limit, no fault of the
way; `--deep` has nothing to say."""

causes = []
look_alike = "idle-timeout"


def play(lab):
    lab.endpoint(server="client_header_timeout 3s; keepalive_timeout 3s;")
    lab.dns()
    return lab.check(deep=True, deadline=9)

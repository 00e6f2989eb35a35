"""nginx rejects the handshake with an alert: it knows no such name."""

causes = ["tls-alert"]
look_alike = "tls-closed"


def play(lab):
    lab.endpoint(server="ssl_reject_handshake on;")
    lab.dns()
    return lab.check()

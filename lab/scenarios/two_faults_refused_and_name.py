"""One service is down, another one has a certificate for other names; the third passes."""

from lab.world import four_endpoints

causes = ["cert-name-mismatch", "connect-refused"]
look_alike = "tls-intercepted"
evidence = {"siblings": "connect"}


def play(lab):
    endpoints = four_endpoints(lab, without=("session", "upload"))
    lab.endpoint("upload.lab.example", "203.0.113.33", certificate=lab.public_ca.issue("other.lab.example"))
    lab.dns()
    return lab.check(*endpoints)

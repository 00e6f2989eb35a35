"""One of two endpoints has a self-signed certificate: nobody inspects, it is the endpoint's own."""

from lab import ca

causes = ["cert-untrusted"]
look_alike = "tls-intercepted"


def play(lab):
    lab.endpoint()
    lab.endpoint("files.other.example", "203.0.113.12", certificate=ca.self_signed("upload.lab.example"))
    lab.dns()
    return lab.check({}, {"host": "files.other.example"})

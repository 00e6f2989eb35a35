"""The bundle of CA certificates is an empty file, as a broken upgrade leaves it: every certificate fails,
and none of them is at fault."""

causes = ["ca-bundle-missing"]
look_alike = "cert-untrusted"
evidence = {"bundle": "/etc/ssl/certs/ca-certificates.crt", "bundle-problem": "is empty"}


def play(lab):
    lab.endpoint()
    lab.endpoint("files.other.example", "203.0.113.12")
    lab.dns()
    (lab.folder / "trust/bundle.crt").write_text("")
    return lab.check({}, {"host": "files.other.example"})

"""A firewall answers every ClientHello for a name of this company by a reset in the endpoint's place: one
cause for two of three endpoints."""

causes = ["sni-filtered"]
look_alike = "tls-reset"
evidence = {"sni": "console.lab.example, upload.lab.example", "clienthello-acknowledged": "no",
            "passes-with": "another name in TLS (SNI)", "met-as": "tls-reset"}


def play(lab):
    lab.endpoint()
    lab.endpoint("upload.lab.example", "203.0.113.11")
    lab.endpoint("files.other.example", "203.0.113.12")
    lab.dns()
    lab.router.tool("iptables", "-A", "FORWARD", "-p", "tcp", "--dport", "443", "-m", "string", "--algo", "bm",
                    "--string", ".lab.example", "-j", "REJECT", "--reject-with", "tcp-reset")
    return lab.check({}, {"host": "upload.lab.example"}, {"host": "files.other.example"})

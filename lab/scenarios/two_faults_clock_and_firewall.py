"""The clock is two years ahead, and one of three endpoints is dropped by a firewall. Of the other two one tells
no time, so its certificate seems to have run out; the clock explains that one too."""


causes = ["clock-ahead", "connect-timeout"]
look_alike = "cert-expired"
evidence = {"also-met-as": "cert-expired"}


def play(lab):
    lab.endpoint()
    lab.endpoint("session.lab.example", "203.0.113.31", body="return 444;")  # closes without an answer
    lab.endpoint("upload.lab.example", "203.0.113.33")
    lab.dns()
    lab.firewall("ip daddr 203.0.113.33 tcp dport 443 drop")
    return lab.check({}, {"host": "session.lab.example"}, {"host": "upload.lab.example"},
                     env=lab.clock(days=730), deadline=6)



"""A firewall drops outbound 443: four endpoints, one cause."""

causes = ["connect-timeout"]
look_alike = "connect-prohibited"


def play(lab):
    lab.endpoint()
    for number, name in enumerate(("discovery", "session", "upload")):
        lab.endpoint(f"{name}.lab.example", f"203.0.113.{30 + number}")
    lab.dns()
    lab.firewall("tcp dport 443 drop")
    return lab.check({}, *({"host": f"{name}.lab.example"} for name in ("discovery", "session", "upload")))

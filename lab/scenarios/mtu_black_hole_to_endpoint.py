"""Large packets towards the endpoint are lost in silence. A usual ClientHello is too small to meet that;
a name of two hundred letters makes it large enough."""

from lab import path_mtu

NAME = f"{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 40}.lab.example"

causes = ["mtu-black-hole"]
look_alike = "sni-filtered"
evidence = {"direction": "to the endpoint", "passing-mss": "536", "clienthello-acknowledged": "no"}


def play(lab):
    lab.endpoint(NAME, certificate=lab.public_ca.issue("console.lab.example", NAME))
    lab.dns()
    path_mtu.narrow(lab, path_mtu.TOWARDS_INTERNET, 576)
    return lab.check({"host": NAME})

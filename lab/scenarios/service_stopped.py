"""A profile wants a service that systemd has stopped.

The systemctl here is a fake that prints what a real one prints for a stopped unit: process 1 of these
machines is not systemd, and a real systemctl has nobody to ask."""

from lab import services

causes = ["service-stopped"]
look_alike = "inbound-closed"
evidence = {"state": "inactive, dead"}


def play(lab):
    lab.endpoint()
    lab.dns()
    services.systemd(lab, {"ssh.service": ("loaded", "inactive", "dead")})
    return lab.check(profile=services.wanted("ssh"))

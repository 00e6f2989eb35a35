"""A profile wants a service that is not even installed. The systemctl is the fake of service_stopped."""

from lab import services

causes = ["service-stopped"]
look_alike = "inbound-closed"
evidence = {"state": "there is no service of that name"}


def play(lab):
    lab.endpoint()
    lab.dns()
    services.systemd(lab, {})
    return lab.check(profile=services.wanted("xrdp"), user=True)

"""A profile wants a service, and it runs. The systemctl is the fake of service_stopped."""

from lab import services

causes = []
look_alike = None


def play(lab):
    lab.endpoint()
    lab.dns()
    services.systemd(lab, {"ssh.service": ("loaded", "active", "running")})
    return lab.check(profile=services.wanted("ssh"))

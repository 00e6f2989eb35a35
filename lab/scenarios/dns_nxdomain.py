"""The site's DNS server knows the site's own names alone: for it the service does not exist."""

causes = ["dns-nxdomain"]
look_alike = "dns-no-a"


def play(lab):
    lab.endpoint()
    lab.dns({"intranet.lab.example": "10.77.1.80"})
    return lab.check()

"""The console's certificate ran out, and the upload service's name does not exist: nothing joins the two."""

from lab import ca
from lab.world import CONSOLE

causes = ["cert-expired", "dns-nxdomain"]
look_alike = "clock-ahead"


def play(lab):
    lab.endpoint(certificate=lab.public_ca.issue(CONSOLE, not_after=ca.now() - ca.DAY))
    lab.dns()
    return lab.check({}, {"host": "upload.lab.example"})

"""The endpoint's certificate comes from a private CA, and the profile declares it: that is no inspection."""

from lab import ca
from lab.world import CONSOLE

causes = []
look_alike = "tls-intercepted"


def play(lab):
    private = ca.authority("Example Corp Issuing CA")
    lab.endpoint(certificate=private.issue(CONSOLE))
    lab.dns()
    (lab.folder / "private-ca.pem").write_text(private.pem)
    return lab.check({"ca": "private-ca.pem"})

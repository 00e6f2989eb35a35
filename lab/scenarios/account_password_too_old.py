"""The account's password is older than its limit allows."""

from lab import accounts

causes = ["account-password-expired"]
look_alike = "service-stopped"
evidence = {"expiry": "it expired"}


def play(lab):
    lab.endpoint()
    lab.dns()
    accounts.shadow(lab, deploy=(15000, 90))
    return lab.check(profile=accounts.wanted("deploy"))

"""The account for the deployment has to change its password at the next logon; another one is well."""

from lab import accounts

causes = ["account-password-expired"]
look_alike = "service-stopped"
evidence = {"account": "deploy", "expiry": "at the next logon"}


def play(lab):
    lab.endpoint()
    lab.dns()
    accounts.shadow(lab, deploy=(0, 99999), backup=(20000, 99999))
    return lab.check(profile=accounts.wanted("deploy", "backup"))

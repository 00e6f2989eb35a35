"""tinyproxy answers 401, not 407, to wrong credentials."""

from lab.world import PROXY

causes = ["proxy-auth-rejected"]
look_alike = "proxy-denied"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.tinyproxy(user=("svc", "right"))
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:8888", "HTTPS_PROXY_USERNAME": "svc",
                          "HTTPS_PROXY_PASSWORD": "wrong"})

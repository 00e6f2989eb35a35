"""tinyproxy with Basic, its credentials in the service's environment file."""

from lab.world import PROXY

causes = []
look_alike = None


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.tinyproxy(user=("svc", "secret-7"))
    lab.proxy_environment(f"HTTPS_PROXY={PROXY}:8888\nHTTPS_PROXY_USERNAME=svc\n"
                          "HTTPS_PROXY_PASSWORD='secret-7'\n")
    return lab.check()

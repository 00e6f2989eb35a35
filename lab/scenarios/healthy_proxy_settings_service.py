"""The service itself runs the check, in an environment whose proxy is not that of proxy.env: there is no shell
that could be told of a difference."""

from lab.world import PROXY

causes = []


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    lab.proxy_environment("HTTPS_PROXY=http://10.77.1.8:3128\n")
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128", "SALLYPORT_SERVICE": "1"},
                     profile={"proxy": {"inspection": "forbidden"}})

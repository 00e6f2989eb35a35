"""NO_PROXY has a long list, and nothing in it is about the endpoint: all goes through the proxy."""

from lab.world import PROXY

causes = []
look_alike = "proxy-wrongly-bypassed"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3128",
                          "NO_PROXY": "localhost,127.0.0.0/8,10.0.0.0/8,.corp.example,lab.example.org,"
                                      "console.lab,ole.lab.example,203.0.113.11,::1"})

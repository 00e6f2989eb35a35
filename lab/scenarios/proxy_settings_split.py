"""The shell names one proxy and proxy.env, which the service reads, another. From here all is well; what the
service meets is another question."""

from lab.world import PROXY

causes = ["proxy-settings-split"]
look_alike = "proxy-settings-invalid"
evidence = {"service-proxy": "http://10.77.1.8:3128", "shell-proxy": f"http://{PROXY}:3128"}


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    lab.proxy_environment("HTTPS_PROXY=http://10.77.1.8:3128\n")
    return lab.check(env={"https_proxy": f"http://{PROXY}:3128"}, profile={"proxy": {"inspection": "forbidden"}})

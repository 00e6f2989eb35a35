"""Shell and service have the same proxy in different spellings: nothing is split."""

from lab.world import PROXY

causes = []


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    lab.proxy_environment(f"export HTTPS_PROXY='{PROXY}:3128'\n")
    return lab.check(env={"https_proxy": f"http://{PROXY}:3128/"},
                     profile={"proxy": {"auth": ["none", "basic"], "inspection": "forbidden"}})

"""The shell still names the old proxy, which is gone; /etc/environment has the new one. Nothing goes by it, and
the report says that it passes with it."""

from lab.world import PROXY

causes = ["proxy-refused"]
look_alike = "proxy-settings-split"
evidence = {"passes-with": f"the proxy http://{PROXY}:3128 of HTTPS_PROXY"}


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.squid()
    (lab.root / "etc/environment").write_text(f'PATH="/usr/bin:/bin"\nHTTPS_PROXY=http://{PROXY}:3128\n')
    return lab.check(env={"HTTPS_PROXY": f"http://{PROXY}:3129"})

"""The certificate is small and passes, the page is large and is lost on its way back, in silence."""

from lab import path_mtu

causes = ["mtu-black-hole"]
look_alike = "marker-absent"
evidence = {"direction": "from the endpoint", "passing-mss": "1200", "met-as": "marker-absent"}


def play(lab):
    lab.endpoint(body=f'default_type text/plain; return 200 "{"x" * 3000}";')
    lab.dns()
    path_mtu.narrow(lab, path_mtu.TOWARDS_CLIENT, 1280)
    return lab.check()

"""A leaking program holds every local port that a connection to the endpoint could use."""

from lab.world import ENDPOINT

causes = ["ports-exhausted"]
look_alike = "connect-refused"


def play(lab):
    lab.endpoint()
    lab.dns()
    lab.client.sysctl(net__ipv4__ip_local_port_range="40000 40003")
    leak = (f"import socket, time; held = [socket.create_connection(('{ENDPOINT}', 443))"
            " for _ in range(4)]; print('held', flush=True); time.sleep(600)")
    lab.client.popen(["/usr/bin/python3", "-c", leak]).wait_for("^held$")
    return lab.check()

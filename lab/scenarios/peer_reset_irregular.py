"""A middlebox resets the connection four times, each time at another age: no rule, and none is made of it."""

from lab import net
from lab.fleet import Agent, Hub, Told

causes = ["peer-reset"]
look_alike = "lifetime-cap"
waits = 7


def play(lab):
    hub = Hub(lab).start()
    lab.dns()
    agent = Agent(lab).joined(hub.token()).start()
    for number, beats in enumerate((3, 12, 6, 1)):
        agent.wait_online(number + 1)
        first = hub.messages()
        net.wait_until(lambda: hub.messages() >= first + beats, 15, f"{beats} heartbeats")
        lab.firewall(f"tcp sport {agent.local_port()} tcp dport 443 reject with tcp reset")
        agent.wait_told(number + 1)
        lab.open_wall()
    return Told(agent, count=4)

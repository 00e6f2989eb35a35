"""Root and an ordinary user, one after the other on the same machine, never contradict each other (R1 to
R4): what only root can see is unknown to the other, with the reason, and everything else is the same."""

import pytest

from lab import catalogue
from lab.world import NOBODY

SCENARIOS = ["healthy_dhcp_dhclient", "healthy_dhcp_udhcpc", "healthy_dhcp_dhcpcd", "healthy_dhcp_networkd",
             "healthy_dhcp_network_manager", "address_static", "address_static_networkd",
             "address_static_network_manager", "dns_static", "dns_static_udhcpc", "dhcp_absent",
             "lease_lost", "no_ipv4"]
OPPOSITES = {("pass", "fail"), ("pass", "warn"), ("fail", "pass"), ("warn", "pass")}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", SCENARIOS)
def test_no_contradiction(name, lab):
    outcome = catalogue.scenario(name).play(lab).run()
    as_root = {each["id"]: each for each in outcome.report["requirements"]}
    causes = set(outcome.causes)
    outcome.argv = [*NOBODY, *outcome.argv]
    outcome.run()
    answered = 0
    for each in outcome.report["requirements"]:
        pair = (as_root[each["id"]]["status"], each["status"])
        assert pair not in OPPOSITES, f"{each['id']}: {pair}\n{outcome.explain()}"
        if each["status"] == "unknown":
            assert "root" in each["reason"], outcome.explain()
        answered += each["status"] != "unknown"
    assert set(outcome.causes) <= causes, outcome.explain()
    assert answered >= 2, outcome.explain()

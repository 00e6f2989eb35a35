"""Root and an ordinary user, one after the other on the same machine, never contradict each other (R1 to
R4): what only root can see is unknown to the other, with the reason, and everything else is the same."""

import copy

import pytest

from lab import catalogue
from lab.agreement import contradictions
from lab.world import NOBODY

SCENARIOS = ["healthy_dhcp_dhclient", "healthy_dhcp_udhcpc", "healthy_dhcp_dhcpcd", "healthy_dhcp_networkd",
             "healthy_dhcp_network_manager", "address_static", "address_static_networkd",
             "address_static_network_manager", "dns_static", "dns_static_udhcpc", "dhcp_absent",
             "lease_lost", "no_ipv4"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", SCENARIOS)
def test_no_contradiction(name, lab):
    root = catalogue.scenario(name).play(lab).run()
    user = copy.copy(root)
    user.argv = [*NOBODY, *root.argv]
    user.run()
    assert not contradictions(root, user), user.explain()
    for each in user.report["requirements"]:
        if each["status"] == "unknown":
            assert "root" in each["reason"], user.explain()
    assert set(user.causes) <= set(root.causes), user.explain()
    answered = [each for each in user.report["requirements"] if each["status"] != "unknown"]
    assert len(answered) >= 2, user.explain()

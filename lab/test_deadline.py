"""With everything dropped the whole check ends within its --deadline, with all causes named (row B2)."""

import time

import pytest

from lab.servers import known_hosts
from lab.world import DNS, four_endpoints

SLACK_S = 1.5  # for the start of the program and the report, on a busy machine under sanitizers


def watch(outcome):
    began = time.monotonic()
    outcome.run()
    return time.monotonic() - began


@pytest.mark.timeout(60)
@pytest.mark.parametrize("dns_answers", [True, False])
def test_everything_dropped(dns_answers, lab):
    endpoints = four_endpoints(lab)
    known_hosts.serve(lab)
    lab.dns()
    lab.firewall(*([f'iifname "lan" ip daddr {DNS} accept'] if dns_answers else []), 'iifname "lan" drop')
    outcome = lab.check(profile={"endpoints": endpoints, "internet": "required",
                                 "dns": {"external": "required"}}, deadline=5)
    seconds = watch(outcome)
    assert seconds <= 5 + SLACK_S, outcome.explain()
    assert outcome.report["elapsed_ms"] <= 5000, outcome.explain()
    assert outcome.causes == ["connect-timeout" if dns_answers else "dns-timeout"], outcome.explain()
    failed = {each["id"]: each["cause"] for each in outcome.report["requirements"] if each["status"] == "fail"}
    assert len(failed) == 4 + 1 + (not dns_answers), outcome.explain()
    assert set(failed.values()) == set(outcome.causes)

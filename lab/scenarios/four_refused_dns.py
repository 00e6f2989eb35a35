"""The site's DNS server refuses to answer this machine: four endpoints, one cause."""

from lab.world import four_endpoints

causes = ["dns-refused"]
look_alike = "dns-nxdomain"


def play(lab):
    endpoints = four_endpoints(lab)
    lab.dns({}, unknown="refused")
    return lab.check(*endpoints, profile={"dns": {"external": "required"}})

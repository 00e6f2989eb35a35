"""The text reports of a few scenarios, as they are printed: docs/reports.md.

Nothing in them is changed but the folder of the lab, which stands where the root of a machine would.
"""

import textwrap

from lab import catalogue, programs
from lab.world import Lab

PAGE = programs.ROOT / "docs/reports.md"

# In the order of the page: scenario, the heading, and what its reader does next.
SHOWN = (
    ("four_proxy_credentials_missing", "The proxy wants credentials",
     "Four endpoints fail, one thing is wrong. The reader sets two variables, in the file that is named."),
    ("tls_intercepted_mitmproxy_trusted", "Somebody decrypts TLS, and the machine trusts him",
     "A browser on this machine shows nothing unusual. The reader sends the report to the network "
     "administrator, who exempts the endpoint."),
    ("mtu_black_hole", "Large packets vanish",
     "The connection stands, and then nothing happens. Other tools say \"timeout\"; here the reader gets a "
     "command for tonight and a change to ask for tomorrow."),
    ("local_firewall", "This machine's own firewall",
     "It looks like a firewall somewhere in the network. The reader gets the rule, on this machine."),
    ("two_faults_clock_and_firewall", "Two faults at once",
     "Two causes that have nothing to do with each other, each with its own remedy and what it affects."),
)

HEAD = """# Five reports

What `sallyport check` prints in five broken networks of the fault lab, as it is printed there. `./dev lab --report` makes this
page. The cause comes first, then what to do and who can do it; the evidence stands below for whoever wants to see it.
"""


def printed(name):
    with Lab() as lab:
        outcome = catalogue.scenario(name).play(lab)
        argv = list(map(str, outcome.argv))
        argv[argv.index("json")] = "text"
        done = outcome.namespace.run(argv, timeout=40, env=outcome.env, mounts=outcome.mounts)
        return done.stdout.replace(str(lab.root), "")


def page():
    parts = [HEAD]
    for name, heading, reader in SHOWN:
        parts.append(f"## {heading}\n\n{textwrap.fill(reader, 118)}\n\n```text\n{printed(name)}```\n\n"
                     f"The network: [{name}](../lab/scenarios/{name}.py).\n")
    return "\n".join(parts)


def write():
    PAGE.write_text(page())
    print(f"written: {PAGE.relative_to(programs.ROOT)}")

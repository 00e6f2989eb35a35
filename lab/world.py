"""The one topology of all scenarios, and short words for what stands in it.

    client ---- router ---- internet          client    10.77.0.2
                   |                          site      10.77.1.9 proxy, .53 and .54 DNS, .80 portal
                  site                        internet  203.0.113.0/24 (every address is local there)

The router masquerades towards the internet and counts, in `direct`, each packet that the client
sends anywhere but to the site: behind a proxy that count has to stay at zero.
"""

import os
import shutil
import tempfile
from pathlib import Path

from lab import ca, net, programs, relay
from lab.servers import dnsmasq, nginx, squid, tinyproxy

CLIENT = "10.77.0.2"
PROXY = "10.77.1.9"
DNS = "10.77.1.53"
DNS2 = "10.77.1.54"
PORTAL = "10.77.1.80"
ENDPOINT = "203.0.113.10"
HUB = "203.0.113.20"
HUB_NAME = "hub.lab.example"
CONSOLE = "console.lab.example"

# As the services of a vendor's page often are: one owner, four names, four addresses.
FOUR = {"console": ENDPOINT, "discovery": "203.0.113.30", "session": "203.0.113.31",
        "upload": "203.0.113.33"}

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]  # before a command

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"

ROUTER_RULES = """
table inet guard {
	counter direct { }
	chain count {
		type filter hook forward priority -200; policy accept;
		iifname "lan" ip daddr != 10.77.1.0/24 counter name "direct"
	}
}
table ip outward {
	chain post {
		type nat hook postrouting priority 100;
		oifname "wan" masquerade
	}
}
"""


class Lab:
    """One world; a context manager. Everything in it is gone at the end, whatever happened."""

    def __init__(self):
        if os.geteuid():
            raise net.LabError("the lab makes network namespaces: run it as root")
        net.sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{net.PREFIX}-{os.getpid()}-"))
        self.folder.chmod(0o755)
        self.namespaces = []
        self.names = {}  # what the DNS server will know
        self.public_ca = ca.authority("Lab Public Root")
        self.trusted = [self.public_ca]  # the client's bundle
        self.root = self.folder / "root"  # --root of the client's programs
        self.proxied = False

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        reports = []
        for namespace in reversed(self.namespaces):
            if programs.SANITIZED:
                reports += namespace.sanitizer_reports()
            namespace.remove()
        self.namespaces = []
        if not os.environ.get("SALLYPORT_LAB_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
        if reports:
            raise net.LabError("a sanitizer complained:\n" + "\n".join(reports))

    def namespace(self, role):
        made = net.Namespace(role, self.folder)
        self.namespaces.append(made)
        return made

    def _build(self):
        self.client, self.router, self.site, self.internet = (
            self.namespace(role) for role in ("client", "router", "site", "internet"))
        net.connect(self.client, "eth0", self.router, "lan")
        net.connect(self.site, "eth0", self.router, "site")
        net.connect(self.internet, "wan", self.router, "wan")
        self.client.ip("addr", "add", f"{CLIENT}/24", "dev", "eth0")
        self.router.ip("addr", "add", "10.77.0.1/24", "dev", "lan")
        self.router.ip("addr", "add", "10.77.1.1/24", "dev", "site")
        self.router.ip("addr", "add", "198.51.100.1/24", "dev", "wan")
        for address in (PROXY, DNS, DNS2, PORTAL):
            self.site.ip("addr", "add", f"{address}/24", "dev", "eth0")
        self.internet.ip("addr", "add", "198.51.100.2/24", "dev", "wan")
        self.internet.ip("addr", "add", "203.0.113.1/24", "dev", "lo")
        self.client.ip("route", "add", "default", "via", "10.77.0.1")
        self.site.ip("route", "add", "default", "via", "10.77.1.1")
        self.router.ip("route", "add", "default", "via", "198.51.100.2")
        self.router.sysctl(net__ipv4__ip_forward=1)
        self.router.nft(ROUTER_RULES)
        (self.folder / "trust").mkdir()
        (self.root / "etc/sallyport").mkdir(parents=True)
        self.client.mounts += [
            (self._write("trust/bundle.crt", self.public_ca.pem), "/etc/ssl/certs/ca-certificates.crt"),
            (self._public_roots(), "/usr/share/ca-certificates/mozilla"),
        ]
        self.resolvers(DNS)
        self.hosts({})
        self.site.set_resolvers([DNS])

    def _write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def _public_roots(self):
        self._write("public/Lab_Public_Root.crt", self.public_ca.pem)
        return self.folder / "public"

    # --- the client's settings ---

    def resolvers(self, *servers):
        self.client.set_resolvers(servers)
        self._copy_etc("resolv.conf")

    def hosts(self, names):
        self.client.set_hosts(names)
        self._copy_etc("hosts")

    def _copy_etc(self, name):
        (self.root / "etc" / name).write_text((self.client.etc / name).read_text())

    def trust(self, authority):
        """Adds a CA to the client's bundle, as an administrator does; it is no public one for that."""
        self.trusted.append(authority)
        (self.folder / "trust/bundle.crt").write_text("".join(each.pem for each in self.trusted))

    def proxy_environment(self, text):
        """The service's environment file."""
        self._write("root/etc/sallyport/proxy.env", text)

    @staticmethod
    def clock(days):
        """The environment of a program whose clock is off. Preloaded, for the faketime program forks."""
        options = os.environ.get("ASAN_OPTIONS", "")
        return {"LD_PRELOAD": FAKETIME, "FAKETIME": f"{days:+}d", "DONT_FAKE_MONOTONIC": "1",
                "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0".lstrip(":")}

    # --- who stands where ---

    def dns(self, names=None, **options):
        """The site's DNS server; it knows what the scenario has put on the internet, or `names`."""
        return dnsmasq.serve(self.site, DNS, self.names if names is None else names, **options)

    def endpoint(self, name=CONSOLE, address=ENDPOINT, certificate=None, **options):
        """A service with a certificate from the public CA."""
        self.names[name] = address
        certificate = certificate or self.public_ca.issue(name)
        return nginx.serve(self.internet, address, certificate, **options)

    def squid(self, rules="", **options):
        self.proxied = True
        options.setdefault("dns", DNS)
        return squid.serve(self.site, PROXY, rules=rules, **options)

    def tinyproxy(self, **options):
        self.proxied = True
        return tinyproxy.serve(self.site, PROXY, **options)

    def firewall(self, *rules, family="inet"):
        """Rules for packets that pass the router, in order."""
        body = "\n".join(f"\t\t{rule}" for rule in rules)
        self.router.nft(f"table {family} wall {{\n\tchain pass {{\n"
                        f"\t\ttype filter hook forward priority 0; policy accept;\n{body}\n\t}}\n}}\n")

    def open_wall(self):
        self.router.nft("delete table inet wall\n")

    def redirect(self, match, to):
        """What the client sends and `match` describes goes to another address, without its knowing."""
        self.router.nft("table ip detour {\n\tchain pre {\n"
                        "\t\ttype nat hook prerouting priority -100;\n"
                        f'\t\tiifname "lan" {match} dnat to {to}\n\t}}\n}}\n')

    def slow_path(self, delay_ms=40, lose_every=0, reorder_every=0):
        """A long line between the router and the internet: late by so much in each direction, and of the
        packets every so manieth lost or overtaken (lab/relay.py)."""
        self.router.ip("link", "del", "wan")
        cable = relay.connect(self.router, self.internet, "wan", delay_ms, lose_every, reorder_every)
        self.router.ip("addr", "add", "198.51.100.1/24", "dev", "wan")
        self.internet.ip("addr", "add", "198.51.100.2/24", "dev", "wan")
        self.router.ip("route", "add", "default", "via", "198.51.100.2")
        return cable

    def forgetful(self, seconds):
        """The router forgets a connection that is idle for so long, and drops what comes on it later."""
        self.router.nft("table inet forgetful {\n\tchain pass {\n"
                        "\t\ttype filter hook forward priority -10; policy accept;\n"
                        "\t\ttcp dport 443 ct state invalid counter drop\n"
                        "\t\ttcp sport 443 ct state invalid counter drop\n\t}\n}\n")
        self.router.sysctl(net__netfilter__nf_conntrack_tcp_loose=0,
                           net__netfilter__nf_conntrack_tcp_timeout_established=seconds)

    def only_proxy(self):
        """The client may send to the proxy and to nothing else, DNS included."""
        self.firewall(f'iifname "lan" ip daddr {PROXY} accept', 'iifname "lan" drop')

    def direct_packets(self):
        return self.router.counter("direct")

    # --- the program under test ---

    def check(self, *endpoints, env=None, deadline=4, profile=None, hub=None, mounts=(),
              deep=False, user=False):
        """`sallyport check` of these endpoints (dicts of the profile), the console by default; as root or
        as an ordinary user."""
        argv = [*(NOBODY if user else []), programs.SALLYPORT, "check", "--root", self.root,
                "--format", "json", "--deadline", deadline, *(["--deep"] if deep else [])]
        if hub:
            argv += ["--hub", hub]
        else:
            document = {"profile": "lab", "title": "Lab", **(profile or {})}
            document.setdefault("endpoints", [each or {} for each in endpoints] or [{}])
            argv += ["--profile", programs.write_profile(self.folder / "profile.yaml", document)]
        return programs.Check(self.client, argv, env=env, mounts=mounts)


def four_endpoints(lab, without=()):
    """Puts the services of FOUR on the internet, but those `without`; returns all four for a profile. A
    service that is left out still has its address, and nothing listens there."""
    for name, address in FOUR.items():
        lab.names[f"{name}.lab.example"] = address
        if name not in without:
            lab.endpoint(f"{name}.lab.example", address)
    return [{"id": name, "host": f"{name}.lab.example"} for name in FOUR]

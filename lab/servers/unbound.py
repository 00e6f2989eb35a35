"""unbound as the resolver of a site, and a zone that is really signed for it to verify.

The zone is signed by ldns-signzone and served by a second unbound, as its owner's name server; the
resolver trusts the zone's key and verifies every answer."""

import subprocess

SIGNED_ZONE = "signed.example"
PAST = ("20240101000000", "20240201000000")  # when signatures that have run out were good


def _start(namespace, address, lines):
    config = namespace.folder / f"unbound-{address}.conf"
    config.write_text("\n".join([
        "server:", f"  interface: {address}", f'  directory: "{namespace.folder}"', '  chroot: ""',
        '  username: ""', '  pidfile: ""', "  use-syslog: no", '  logfile: ""', "  verbosity: 1",
        "  do-daemonize: no", "  do-ip6: no", "  num-threads: 1", "  access-control: 0.0.0.0/0 allow",
        # Names and addresses of a lab: public names with addresses of documentation.
        "  do-not-query-localhost: no", '  module-config: "validator iterator"', *lines,
        "remote-control:", "  control-enable: no"]) + "\n")
    process = namespace.popen(["unbound", "-d", "-c", config])
    process.wait_for("start of service")
    return process


def serve(namespace, address, names, verify=None, at=None):
    """names: name -> IPv4 address or list of them. With `verify` (a Zone that stands at the address `at`)
    it asks there and verifies what comes."""
    lines = ['  local-zone: "." static']
    for name, value in names.items():
        lines += [f'  local-data: "{name}. 60 IN A {each}"'
                  for each in ([value] if isinstance(value, str) else value)]
    if verify:
        lines += [f'  local-zone: "{verify.name}" transparent', f"  trust-anchor-file: {verify.anchor}",
                  "stub-zone:", f'  name: "{verify.name}"', f"  stub-addr: {at}"]
    return _start(namespace, address, lines)


class Zone:
    """A signed zone with an A record for each name below it."""

    def __init__(self, folder, names, name=SIGNED_ZONE, expired=False):
        self.name, self.folder = name, folder / f"zone-{name}"
        self.folder.mkdir()
        records = [f"{host}. 60 IN A {address}" for host, address in names.items()]
        plain = self.folder / "zone"
        plain.write_text("\n".join([f"$ORIGIN {name}.", "$TTL 60",
                                    "@ IN SOA ns hostmaster 1 3600 600 86400 60", "@ IN NS ns",
                                    "ns IN A 203.0.113.1", *records]) + "\n")
        key = self._run("ldns-keygen", "-k", "-a", "ECDSAP256SHA256", name).strip()
        self.anchor = self.folder / f"{key}.ds"
        dates = ["-i", PAST[0], "-e", PAST[1]] if expired else []
        self._run("ldns-signzone", *dates, "-f", "zone.signed", "zone", key)

    def _run(self, *argv):
        return subprocess.run(argv, cwd=self.folder, check=True, capture_output=True, text=True,
                              timeout=20).stdout

    def serve(self, namespace, address):
        """Its name server, without an opinion about signatures."""
        return _start(namespace, address, [
            "auth-zone:", f'  name: "{self.name}"', f"  zonefile: {self.folder}/zone.signed",
            "  for-downstream: yes", "  for-upstream: no"])

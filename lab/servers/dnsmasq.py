"""dnsmasq as the DNS server of a site: right answers, wrong addresses, NXDOMAIN and REFUSED."""


def serve(namespace, address, names, unknown="nxdomain", extra=()):
    """names: name -> IPv4 or IPv6 address, or a list of them. Any other name does not exist; with
    unknown="refused" the server has nobody to ask and says so; or it is an address for every name."""
    lines = ["no-resolv", "no-hosts", "no-daemon", "pid-file=", "user=root", "log-facility=-",
             "bind-interfaces", "except-interface=lo", f"listen-address={address}",
             f"addn-hosts={namespace.folder}/hosts-{address}", *extra]
    hosts = [f"{each} {name}" for name, value in names.items()
             for each in ([value] if isinstance(value, str) else value)]
    (namespace.folder / f"hosts-{address}").write_text("\n".join(hosts) + "\n")
    if unknown == "nxdomain":
        lines.append("local=/#/")
    elif unknown != "refused":
        lines.append(f"address=/#/{unknown}")
    config = namespace.folder / f"dnsmasq-{address}.conf"
    config.write_text("\n".join(lines) + "\n")
    process = namespace.popen(["dnsmasq", "-C", config])
    process.wait_for(r"read .*hosts-" + address.replace(".", r"\."))
    return process

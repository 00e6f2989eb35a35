"""The client's own firewall: rules that stand on the machine under test itself."""


def rules(lab, *lines, hook="output", policy="accept", table="fw"):
    """An nftables chain of the client with these rules, in order."""
    body = "\n".join(f"\t\t{line}" for line in lines)
    lab.client.nft(f"table inet {table} {{\n\tchain {hook} {{\n"
                   f"\t\ttype filter hook {hook} priority 0; policy {policy};\n{body}\n\t}}\n}}\n")


def iptables(lab, *lines, program="iptables-legacy"):
    """Rules in the words of iptables, for its legacy tables or those in nftables."""
    for line in lines:
        lab.client.tool(program, *line.split())

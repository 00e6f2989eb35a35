"""tinyproxy: a small proxy with habits of its own (401 to wrong credentials, 500 for its own troubles)."""


def serve(namespace, address, port=8888, user=None, rules=""):
    """`user` is (name, password); rules are further lines of tinyproxy.conf."""
    folder = namespace.folder / f"tinyproxy-{port}"
    folder.mkdir()
    basic = f"BasicAuth {user[0]} {user[1]}" if user else ""
    (folder / "tinyproxy.conf").write_text(f"""
Port {port}
Listen {address}
Timeout 60
LogFile "{folder}/log"
PidFile "{folder}/pid"
LogLevel Info
MaxClients 50
{basic}
{rules}
""")
    process = namespace.popen(["tinyproxy", "-d", "-c", folder / "tinyproxy.conf"])
    return namespace.wait_listening(process, address, port)

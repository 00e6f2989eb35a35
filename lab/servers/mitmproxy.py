"""mitmproxy: a proxy that opens TLS under a CA which it makes for itself, or one that only passes it on."""

from pathlib import Path


def serve(namespace, address, port=8080, inspect=True, upstream_ca=None):
    """Its CA's certificate (PEM) is `process.ca_pem` when it inspects. `upstream_ca` is the CA that it
    trusts for the real endpoints."""
    folder = namespace.folder / f"mitmproxy-{port}"
    folder.mkdir()
    options = [] if inspect else ["--ignore-hosts", ".*"]
    if upstream_ca:
        (folder / "upstream.pem").write_text(upstream_ca.pem)
        options += ["--set", f"ssl_verify_upstream_trusted_ca={folder}/upstream.pem"]
    process = namespace.popen(
        ["mitmdump", "--listen-host", address, "--listen-port", port, "--set", f"confdir={folder}",
         "--set", "block_global=false", *options], env={"HOME": str(folder)})
    namespace.wait_listening(process, address, port)
    process.ca_pem = (Path(folder) / "mitmproxy-ca-cert.pem").read_text()
    return process

"""nginx as the TLS server behind an endpoint."""

from lab.net import LabError

PAGE = 'default_type text/plain; return 200 "here\\n";'


def serve(namespace, address, certificate=None, port=443, body=PAGE, server="", http=""):
    """Serves `body` (directives of a location) on address:port, with TLS when a certificate is given.
    `server` and `http` are further directives of those blocks."""
    folder = namespace.folder / f"nginx-{address}-{port}"
    folder.mkdir()
    tls = ""
    if certificate:
        (folder / "cert.pem").write_text(certificate.chain_pem)
        (folder / "key.pem").write_text(certificate.key_pem)
        tls = f"ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;"
    temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in
                          ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(f"""
daemon off; master_process off; user root; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    {temporary}
    access_log {folder}/access.log;
    ssl_protocols TLSv1.2 TLSv1.3;
    {http}
    server {{
        listen {address}:{port} {"ssl" if certificate else ""};
        {tls}
        {server}
        location / {{ {body} }}
    }}
}}
""")
    process = namespace.popen(["nginx", "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"])
    try:
        return namespace.wait_listening(process, address, port)
    except LabError as error:
        raise LabError(f"{error}\n{(folder / 'error.log').read_text()}") from None

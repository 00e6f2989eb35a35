"""squid as the proxy: open, Basic, only NTLM, only Negotiate, forbidding, and inspecting TLS."""

import hashlib
import os
import pwd
import shutil
import subprocess

from lab import ca

HELPERS = "/usr/lib/squid"


def _folder(namespace, port):
    folder = namespace.folder / f"squid-{port}"
    folder.mkdir()
    return folder


def basic(namespace, users):
    """Directives that demand Basic credentials; users: name -> password. squid decodes a percent sign
    and two hexadecimal digits in a password once too often, so such a one never works with it."""
    path = namespace.folder / "squid-users"
    # The form that basic_ncsa_auth reads with every crypt(): {SHA} is not among them, apr1 is.
    lines = []
    for name, password in users.items():
        hashed = subprocess.run(["openssl", "passwd", "-apr1", "-stdin"], input=password, text=True,
                                capture_output=True, check=True).stdout.strip()
        lines.append(f"{name}:{hashed}")
    path.write_text("\n".join(lines) + "\n")
    return f"""
auth_param basic program {HELPERS}/basic_ncsa_auth {path}
auth_param basic children 1 startup=1
auth_param basic realm lab
auth_param basic utf8 off
acl known proxy_auth REQUIRED
http_access deny !known
"""


def only(scheme):
    """Directives that offer another scheme alone."""
    helper = {"ntlm": f"{HELPERS}/ntlm_fake_auth", "negotiate": f"{HELPERS}/negotiate_kerberos_auth -s HTTP/p",
              "digest": f"{HELPERS}/digest_file_auth /dev/null"}[scheme]
    realm = "auth_param digest realm lab\n" if scheme == "digest" else ""
    return f"""
auth_param {scheme} program {helper}
auth_param {scheme} children 1 startup=1
{realm}acl known proxy_auth REQUIRED
http_access deny !known
"""


def digest_first(namespace, users):
    """Directives that offer Digest, which curl and browsers would prefer, and Basic after it."""
    digest = f"""
auth_param digest program {HELPERS}/digest_file_auth /dev/null
auth_param digest children 1 startup=1
auth_param digest realm lab
"""
    return digest + basic(namespace, users)


def deny(name):
    return f"acl forbidden dstdomain {name}\nhttp_access deny forbidden\n"


def serve(namespace, address, port=3128, rules="", dns=None, certificate=None, inspect=None,
          upgrades=False, inspect_only=()):
    """`rules` come before "allow all". With a certificate it speaks TLS to its clients (an https://
    proxy). `inspect` is the CA under which it opens TLS (of the names in `inspect_only`); it then passes upgrades
    only if told to."""
    folder = _folder(namespace, port)
    listen = f"http_port {address}:{port}"
    bump = ""
    if certificate:
        (folder / "cert.pem").write_text(certificate.chain_pem + certificate.key_pem)
        listen = f"https_port {address}:{port} tls-cert={folder}/cert.pem"
    if inspect:
        (folder / "inspect.pem").write_text(inspect.pem + inspect.key_pem)
        tool = [f"{HELPERS}/security_file_certgen", "-s", f"{folder}/certs", "-M", "4MB"]
        subprocess.run([*tool, "-c"], check=True, capture_output=True)
        listen += (f" ssl-bump generate-host-certificates=on tls-cert={folder}/inspect.pem"
                   " dynamic_cert_mem_cache_size=1MB")
        bump = f"""
sslcrtd_program {' '.join(tool)}
sslcrtd_children 2 startup=1
acl step1 at_step SslBump1
acl picked ssl::server_name {' '.join(inspect_only) or 'none'}
ssl_bump peek step1
ssl_bump {'bump picked' if inspect_only else 'bump all'}
ssl_bump splice all
tls_outgoing_options flags=DONT_VERIFY_PEER
sslproxy_cert_error allow all
"""
        if upgrades:
            bump += "http_upgrade_request_protocols websocket allow all\n"
    (folder / "squid.conf").write_text(f"""
{listen}
{rules}
http_access allow all
{bump}
visible_hostname proxy.lab.example
dns_nameservers {dns or '127.0.0.1'}
dns_timeout 2 seconds
connect_timeout 3 seconds
pid_filename {folder}/pid
cache_log {folder}/cache.log
access_log stdio:{folder}/access.log
cache deny all
cache_mem 8 MB
coredump_dir {folder}
pinger_enable off
shutdown_lifetime 1 second
workers 1
""")
    user = pwd.getpwnam("proxy")
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, user.pw_uid, user.pw_gid)
    # squid names its shared memory after its service; two with one name would share it.
    service = "s" + hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    process = namespace.popen(["squid", "-N", "-n", service, "-f", folder / "squid.conf"])
    process.folder = folder
    return namespace.wait_listening(process, address, port)


def inspection_ca():
    """What a company calls its inspecting box."""
    return ca.authority("Contoso Web Gateway CA")


assert shutil.which("squid", path="/usr/sbin:/usr/bin"), "squid-openssl is missing: ./dev deps"

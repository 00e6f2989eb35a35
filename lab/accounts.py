"""Accounts of the client, below its --root."""


def shadow(lab, **accounts):
    """name -> (day of the last change, most days that a password is good for), as in shadow(5)."""
    lines = [f"{name}:$y$j9T$lab$notahash:{changed}:0:{most}:7:::" for name, (changed, most) in
             accounts.items()]
    path = lab.root / "etc/shadow"
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)


def wanted(*names):
    return {"accounts": [{"os": "linux", "account": name, "rule": "password-change-not-required"}
                         for name in names]}

"""The mutual proof as a program of one's own makes it (src/wire/proof.c): TLS with its exporter value, which
Python's ssl does not tell, so OpenSSL itself; and the multi-part Ed25519 of libsodium."""

import base64
import ctypes
import socket

AGENT, HUB = b"sallyport agent proof 1", b"sallyport hub proof 1"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Tls:
    """One end of a TLS connection over a blocking socket."""

    library = ctypes.CDLL("libssl.so.3")
    crypto = ctypes.CDLL("libcrypto.so.3")
    for name in ("TLS_server_method", "TLS_client_method", "SSL_CTX_new", "SSL_new"):
        getattr(library, name).restype = ctypes.c_void_p

    @classmethod
    def server_context(cls, certificate, key):
        context = ctypes.c_void_p(cls.library.SSL_CTX_new(ctypes.c_void_p(cls.library.TLS_server_method())))
        assert cls.library.SSL_CTX_use_certificate_chain_file(context, certificate.encode()) == 1
        assert cls.library.SSL_CTX_use_PrivateKey_file(context, key.encode(), 1) == 1
        return context

    @classmethod
    def connect(cls, address, port=443):
        """The client's end; it trusts whoever answers, for the proof is what counts."""
        context = ctypes.c_void_p(cls.library.SSL_CTX_new(ctypes.c_void_p(cls.library.TLS_client_method())))
        connected = socket.create_connection((address, port))
        connected.settimeout(None)  # OpenSSL wants it blocking
        return cls(context, connected, client=True)

    def __init__(self, context, connected, client=False):
        self.connected = connected
        self.ssl = ctypes.c_void_p(self.library.SSL_new(context))
        self.library.SSL_set_fd(self.ssl, connected.fileno())
        shaken = self.library.SSL_connect(self.ssl) if client else self.library.SSL_accept(self.ssl)
        self.forget_errors()
        if shaken != 1:
            raise OSError("no TLS")

    def read(self, size=65536):
        buffer = ctypes.create_string_buffer(size)
        count = self.library.SSL_read(self.ssl, buffer, size)
        self.forget_errors()
        if count <= 0:
            raise OSError("the end")
        return buffer.raw[:count]

    def write(self, data):
        self.library.SSL_write(self.ssl, data, len(data))
        self.forget_errors()

    def forget_errors(self):
        """OpenSSL keeps errors per thread; Python's own ssl would take a later test's read for failed."""
        self.crypto.ERR_clear_error()

    def makefile(self, mode, *_):
        """For http.client.HTTPResponse."""
        import io

        tls = self

        class Reader(io.RawIOBase):
            def readable(self):
                return True

            def readinto(self, into):
                data = tls.read(len(into))
                into[:len(data)] = data
                return len(data)

        return io.BufferedReader(Reader())

    def binding(self):
        value, label = ctypes.create_string_buffer(32), b"EXPORTER-Channel-Binding"
        self.library.SSL_export_keying_material(self.ssl, value, ctypes.c_size_t(32), label,
                                                ctypes.c_size_t(len(label)), None, ctypes.c_size_t(0), 0)
        return value.raw


class Identity:
    """A key, from its seed or a new one. The multi-part signature is Ed25519ph, which only libsodium has."""

    def __init__(self, seed=None):
        self.sodium = ctypes.CDLL("libsodium.so.23")
        public, self.secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
        if seed is None:
            self.sodium.crypto_sign_keypair(public, self.secret)
        else:
            self.sodium.crypto_sign_seed_keypair(public, self.secret, seed)
        self.key = public.raw

    def sign(self, label, transcript):
        state = ctypes.create_string_buffer(self.sodium.crypto_sign_statebytes())
        message = label.ljust(24, b"\0") + transcript
        signature = ctypes.create_string_buffer(64)
        self.sodium.crypto_sign_init(state)
        self.sodium.crypto_sign_update(state, message, ctypes.c_ulonglong(len(message)))
        self.sodium.crypto_sign_final_create(state, signature, None, self.secret)
        return signature.raw

"""Certificates of the lab, made when they are needed: no private key is ever stored in the tree."""

import datetime
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def now():
    return datetime.datetime.utcnow().replace(microsecond=0)


@dataclass
class Certificate:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    issuers: tuple = ()  # the intermediates that a server has to send along

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def chain_pem(self):
        return self.pem + "".join(issuer.pem for issuer in self.issuers)

    @property
    def key_pem(self):
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption()).decode()

    def issue(self, *names, not_before=None, not_after=None):
        """A server's certificate for these names (or addresses), signed by this CA."""
        return _make(names[0], self, names=names, not_before=not_before, not_after=not_after,
                     issuers=self._chain())

    def intermediate(self, name):
        return _make(name, self, is_ca=True, issuers=self._chain())

    def _chain(self):
        """What goes along with a certificate that it signs: itself and those above, but not the top."""
        return (self, *self.issuers) if self.certificate.issuer != self.certificate.subject else ()


@dataclass
class Trusted:
    """A CA of which only the certificate is known."""

    pem: str


def authority(name):
    """A CA at the top of a chain."""
    return _make(name, None, is_ca=True)


def general_name(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def self_signed(*names):
    return _make(names[0], None, names=names)


def _make(common_name, issuer, names=(), is_ca=False, not_before=None, not_after=None, issuers=()):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    signer = issuer.key if issuer else key
    years = 3650 if is_ca else 90
    builder = (
        x509.CertificateBuilder().subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(not_before or now() - (years if is_ca else 30) * DAY)
        .not_valid_after(not_after or now() + years * DAY)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
                       critical=False)
    )
    if issuer:  # as every real CA's certificates do
        place = x509.UniformResourceIdentifier("http://ca.lab.example/issuer.crt")
        builder = builder.add_extension(x509.AuthorityInformationAccess([
            x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)]), critical=False)
    if is_ca:
        builder = builder.add_extension(x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False), critical=True)
    else:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False)
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return Certificate(builder.sign(signer, hashes.SHA256()), key, issuers)

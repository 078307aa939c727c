"""A broker that lets in only who names itself, over TLS: every client is given what the environment says."""

import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from infra.kafka.broker import Broker, installation
from tests.integration.test_serve import eventually
from tests.kafka.test_product import parked, read, register
from tests.product import anjie, serving

_SECURED = """
listeners=SASL_SSL://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller_port
advertised.listeners=SASL_SSL://127.0.0.1:$port
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=\\
    org.apache.kafka.common.security.plain.PlainLoginModule required \\
    username="broker" password="inside" user_broker="inside" user_anjie="right";
ssl.keystore.type=PEM
ssl.truststore.type=PEM
"""
Environment = Mapping[str, str]


@pytest.fixture(scope="module")
def secured() -> Iterator[Environment]:
    """What a client needs to be let in."""
    with tempfile.TemporaryDirectory(prefix="anjie-kafka-") as name:
        directory = Path(name)
        pem = directory / "broker.pem"
        certificate = _certify(pem)
        settings = f"{_SECURED}ssl.keystore.location={pem}\nssl.truststore.location={certificate}\n"
        broker = Broker(installation(), directory / "broker", more_settings=settings)
        try:
            broker.start()
            yield {
                "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
                "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
                "KAFKA_SASL_MECHANISM": "PLAIN",
                "KAFKA_SASL_PLAIN_USERNAME": "anjie",
                "KAFKA_SASL_PLAIN_PASSWORD": "right",
                "KAFKA_SSL_CAFILE": str(certificate),
            }
        finally:
            broker.stop()


def _certify(keystore: Path) -> Path:
    """Writes a key with its certificate for 127.0.0.1; the answer is the certificate alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    public = certificate.public_bytes(Encoding.PEM)
    keystore.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + public)
    alone = keystore.with_suffix(".crt")
    alone.write_bytes(public)
    return alone


def test_commands_are_published_and_read_through_it(secured: Environment, tmp_path: Path) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="anjie-test-") as data_dir,
        serving(Path(data_dir), **secured) as product,
    ):
        position = register(product, "余东镇")
        assert eventually(lambda: read(product, position).is_success)
        assert parked(product) == []


@pytest.mark.parametrize(
    "wrong",
    [{"KAFKA_SASL_PLAIN_PASSWORD": "wrong"}, {"KAFKA_SSL_CAFILE": ""}],
    ids=["password", "a certificate that nobody vouches for"],
)
def test_who_is_not_let_in_is_told_in_a_line(
    secured: Environment, wrong: Environment, tmp_path: Path
) -> None:
    done = anjie("kafka", "setup", "--check", data_dir=tmp_path, **{**secured, **wrong})
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert secured["KAFKA_BOOTSTRAP_SERVERS"] in done.stderr
    assert "right" not in done.stderr

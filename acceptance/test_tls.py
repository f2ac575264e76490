"""TLS at the door, and a client known by the certificate it shows there."""

import json
import shutil
import socket
import ssl
import subprocess

import pytest
import requests
from conftest import Node, Server, fixture_contents, introduce
from taxii2client.v21 import Server as TaxiiServer

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
ACCEPT = {"Accept": "application/taxii+json;version=2.1"}


def certificate(folder, name):
    """A self-signed certificate for 127.0.0.1: its files and its SHA-256 fingerprint."""
    cert, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    words += ["-days", "30", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(cert)]
    subprocess.run(["openssl", *words, *files], check=True, capture_output=True)
    told = ["x509", "-in", str(cert), "-noout", "-fingerprint", "-sha256"]
    said = subprocess.run(["openssl", *told], check=True, capture_output=True, text=True).stdout
    return cert, key, said.strip().split("=")[1]


@pytest.fixture
def secure_fixture(tmp_path, monkeypatch):
    # These would take the place of the certificate a test trusts.
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    cert, key, _ = certificate(tmp_path, "server")
    client = certificate(tmp_path, "client")
    stranger = certificate(tmp_path, "stranger")
    file = tmp_path / "fixture.json"
    file.write_text(json.dumps({**fixture_contents(), "certificates": {client[2]: "admin"}}))
    words = ["taxii-fixture", file, "--port", "0", "--tls-certificate", cert, "--tls-key", key]
    server = Server(words)
    yield server, cert, client, stranger
    server.close()


def test_a_pinned_certificate_signs_a_client_in(secure_fixture):
    server, trusted, client, stranger = secure_fixture
    assert server.address.startswith("https://")

    def status(**more):
        said = requests.get(server.address + "/", headers=ACCEPT, verify=trusted, **more)
        return said.status_code

    assert status(cert=client[:2]) == 200
    assert status(cert=stranger[:2]) == 401
    assert status() == 401
    assert status(auth=("admin", "Password0")) == 200
    # Who says a name is judged by it, whatever certificate is shown.
    assert status(cert=client[:2], auth=("admin", "wrong")) == 401
    shown = tuple(map(str, client[:2]))
    walked = TaxiiServer(server.address + "/", verify=str(trusted), cert=shown)
    assert walked.default.collections


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version, works", [
    (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True), (ssl.TLSVersion.TLSv1_1, False),
])
def test_tls_1_2_and_1_3_and_nothing_older(secure_fixture, version, works):
    server, trusted, _, _ = secure_fixture
    context = ssl.create_default_context(cafile=str(trusted))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    port = int(server.address.split(":")[2].split("/")[0])
    try:
        with socket.create_connection(("127.0.0.1", port)) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped:
                assert wrapped.version() in ("TLSv1.2", "TLSv1.3")
        assert works
    except ssl.SSLError:
        assert not works


def test_a_node_knows_a_partner_by_its_certificate(tmp_path):
    cert, key, _ = certificate(tmp_path, "server")
    client = certificate(tmp_path, "client")
    xa = Node(tmp_path, "xa.police.ct", "XA")
    xb = Node(tmp_path, "xb.police.ct", "XB", "http://127.0.0.1:9")
    introduce([xa, xb], [])
    settings = xa.dir / "node.toml"
    part = f'[tls]\nlisten = "127.0.0.1:0"\ncertificate = "{cert}"\nkey = "{key}"\n'
    part += f'[tls.clients]\n"xb.police.ct" = "{client[2]}"\n'
    settings.write_text(settings.read_text() + part)
    xa.serve()
    try:
        secure = next(word for word in xa.server.line.split() if word.startswith("https://"))
        said = requests.get(f"{secure}/taxii2/", headers=ACCEPT, verify=cert, cert=client[:2])
        assert said.status_code == 200, said.text
        assert requests.get(f"{secure}/taxii2/", headers=ACCEPT, verify=cert).status_code == 401
        listed = requests.get(
            f"{secure}/taxii2/api/collections/", headers=ACCEPT, verify=cert, cert=client[:2]
        ).json()["collections"]
        assert any("xb.police.ct" in one["title"] for one in listed)
    finally:
        xa.close()

"""What every acceptance test may use: the program, a running node, a running TAXII fixture."""

import json
import os
import pathlib
import socket
import subprocess
import time

import pytest

ROOT = pathlib.Path(os.environ.get("ENTENTE_ROOT", pathlib.Path(__file__).parent.parent))
PROGRAM = os.environ.get("ENTENTE_PROGRAM", str(ROOT / "target/debug/entente"))
SCENARIO = ROOT / "scenarios/lantern"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*words, check=True):
    """Runs the program; its JSON answer."""
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=120)
    if check:
        assert done.returncode == 0, f"{words}: {done.stderr}"
    return json.loads(done.stdout) if done.stdout.strip().startswith(("{", "[")) else done


class Server:
    """A serving program; ends when closed."""

    def __init__(self, words, ready="listens on"):
        self.process = subprocess.Popen(
            [PROGRAM, *map(str, words)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.line = self.process.stderr.readline()
        assert ready in line, f"{words}: {line}"
        self.address = line.split(ready)[1].split()[0].rstrip("/")

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()


class Node:
    """A node of its own directory, not serving until told."""

    def __init__(self, folder, agency, party, endpoint=None):
        self.dir, self.agency, self.server = pathlib.Path(folder) / agency, agency, None
        listen = f"127.0.0.1:{free_port()}"
        words = ["init", self.dir, "--agency", agency, "--party", party, "--listen", listen]
        run(*words, *(["--endpoint", endpoint] if endpoint else []), check=False)
        self.address = f"http://{listen}"

    def ask(self, *words):
        return run("--node", self.dir, "--json", *words)

    def serve(self):
        self.server = Server(["--node", self.dir, "serve"])

    def close(self):
        if self.server:
            self.server.close()


def introduce(nodes, agreements):
    """Pins each node at every other; the vocabulary and these agreements, signed by all."""
    for one in nodes:
        one.ask("vocabulary", SCENARIO / "vocabulary.json")
        for other in nodes:
            if other is one:
                continue
            exported = other.ask("member", "export")
            file = one.dir / "partner.txt"
            file.write_text(exported["document"])
            one.ask("member", "add", file, "--fingerprint", exported["fingerprint"])
    for agreement in agreements:
        for one in nodes:
            name = one.ask("agreement", "add", SCENARIO / agreement)["id"]
        for one in nodes:
            signed = one.ask("agreement", "sign", name)
            for other in nodes:
                if other is not one:
                    file = other.dir / "signature.txt"
                    file.write_text(signed["document"])
                    other.ask("agreement", "signature", file)


PURPOSE = ["--purpose", "ct.investigation", "--offence", "financing"]
COALITION = ["agreements/2_coalition.toml", "agreements/3_task_force.toml"]


class Scene:
    """A serving node that releases the exercise's reports to a partner's TAXII client."""

    def __init__(self, folder):
        self.node = Node(folder, "xa.police.ct", "XA")
        partner = Node(folder, "xb.police.ct", "XB", "http://127.0.0.1:9")
        third = Node(folder, "xc.police.ncb", "XC", "http://127.0.0.1:9")
        introduce([self.node, partner, third], COALITION)
        self.node.ask("order", "add", "--to", partner.agency, *PURPOSE)
        self.node.ask("import", "stix", SCENARIO / "records/xa-reports.json")
        self.user = partner.agency
        self.token = self.node.ask("member", "token", partner.agency)["token"]
        self.node.serve()
        self.address = self.node.address


@pytest.fixture(scope="package")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("scene"))
    yield made
    made.node.close()


def wait_until(holds, seconds=30):
    start = time.monotonic()
    while not holds():
        assert time.monotonic() - start < seconds, "it did not happen in time"
        time.sleep(0.05)


def fixture_contents():
    """A file for `entente taxii-fixture`: one root, an open collection, a read-only one."""
    kind = "application/stix+json;version=2.1"
    marks = [f"indicator--0f5b0a6e-57f5-4a3e-9a3c-5a1d5a2b7c{n:02x}" for n in range(7)]
    pattern = {"pattern": "[ipv4-addr:value = '198.51.100.1']", "pattern_type": "stix"}
    objects = [
        {"type": "indicator", "spec_version": "2.1", "id": mark, "name": mark, **pattern,
         "created": "2020-01-01T00:00:00.000Z", "modified": f"2020-01-0{n + 1}T00:00:00.000Z",
         "valid_from": "2020-01-01T00:00:00Z", "indicator_types": ["unknown"]}
        for n, mark in enumerate(marks)
    ]
    manifest = [
        {"id": one["id"], "date_added": f"2021-01-0{n + 1}T00:00:00.000000Z",
         "version": one["modified"], "media_type": kind}
        for n, one in enumerate(objects)
    ]
    rights = {"title": "t", "can_read": True, "media_types": [kind]}
    return {
        "users": {"admin": "Password0"},
        "taxii": {"max_page_size": 3},
        "/discovery": {"title": "s", "default": "/shelf/", "api_roots": ["/shelf/"]},
        "shelf": {
            "information": {"title": "r", "versions": ["application/taxii+json;version=2.1"],
                            "max_content_length": 1000000},
            "status": [],
            "collections": [
                {"id": OPEN, "can_write": True, **rights, "objects": objects, "manifest": manifest},
                {"id": READ_ONLY, "can_write": False, **rights, "objects": [], "manifest": []},
            ],
        },
    }


OPEN = "11111111-1111-4111-8111-111111111111"
READ_ONLY = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def fixture_server(tmp_path):
    file = tmp_path / "fixture.json"
    file.write_text(json.dumps(fixture_contents()))
    server = Server(["taxii-fixture", file, "--port", "0"])
    server.address = server.address.removesuffix("/taxii2")
    yield server
    server.close()

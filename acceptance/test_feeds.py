"""A node reads the reference server as a feed: drained once, and again what was added."""

import json
import subprocess
import sys

import pytest
import requests
from conftest import SCENARIO, free_port, run, wait_until

ADMIN = ("admin", "Password0")
SHELF = "11111111-1111-4111-8111-111111111111"
MEDIA = "application/taxii+json;version=2.1"


def identity(n):
    made = "2020-01-01T00:00:00.000Z"
    return {"type": "identity", "spec_version": "2.1", "created": made, "modified": made,
            "id": f"identity--0f5b0a6e-57f5-4a3e-9a3c-{n:012x}", "name": f"n {n}"}


def contents():
    shelf = {"id": SHELF, "title": "shelf", "can_read": True, "can_write": True,
             "media_types": ["application/stix+json;version=2.1"], "objects": [], "manifest": []}
    about = {"title": "r", "versions": [MEDIA], "max_content_length": 9_000_000}
    return {"/discovery": {"title": "s", "default": "/shelf/", "api_roots": ["/shelf/"]},
            "shelf": {"information": about, "status": [], "collections": [shelf]}}


@pytest.fixture
def reference(tmp_path):
    held = tmp_path / "held.json"
    held.write_text(json.dumps(contents()))
    settings = {"users": {ADMIN[0]: ADMIN[1]}, "taxii": {"max_page_size": 7},
                "backend": {"module": "medallion.backends.memory_backend",
                            "module_class": "MemoryBackend", "filename": str(held)}}
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings))
    port = free_port()
    words = [sys.executable, "-m", "medallion.scripts.run", "--port", str(port), str(config)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"

    def answers():
        try:
            return requests.get(f"{address}/taxii2/", timeout=5).status_code == 401
        except requests.ConnectionError:
            return False

    wait_until(answers)
    yield address
    process.kill()
    process.wait()


def post(address, numbers):
    said = requests.post(
        f"{address}/shelf/collections/{SHELF}/objects/",
        data=json.dumps({"objects": [identity(n) for n in numbers]}),
        headers={"content-type": MEDIA, "accept": MEDIA},
        auth=ADMIN,
        timeout=30,
    )
    assert said.status_code == 202, said.text


def test_the_reference_server_is_drained_and_read_on(reference, tmp_path):
    place, password = tmp_path / "xa", tmp_path / "password"
    run("init", place, "--agency", "xa.police.ct", "--party", "XA", check=False)
    run("--node", place, "--json", "vocabulary", SCENARIO / "vocabulary.json")
    password.write_text("Password0\n")
    post(reference, range(40))
    words = ["--node", place, "--json", "feed", "add", "ref", f"{reference}/taxii2/",
             "--plain-http", "--user", "admin", "--password-file", password]
    assert run(*words)["originator"] == "outside.ref"

    def poll():
        return run("--node", place, "--json", "feed", "poll", "ref")["polls"][0]

    assert poll()["stored"] == 40
    assert poll()["stored"] == 0
    post(reference, range(100, 123))
    assert poll()["stored"] == 23
    feed = run("--node", place, "--json", "feed", "show", "ref")["feed"]
    assert feed["progress"]["stored"] == 63
    assert feed["progress"]["cursor"]["phase"] == "rest"
    password.write_text("wrong\n")
    refused = run(*words, check=False)
    assert refused.returncode == 4 and "401" in refused.stderr
    assert run("--node", place, "--json", "list")["total"] == 63

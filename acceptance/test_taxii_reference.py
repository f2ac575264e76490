"""The fixture answers as medallion, the reference server, on the same file: reading, filters."""

import itertools
import json
import subprocess
import sys

import pytest
import requests
from conftest import Server, free_port, wait_until

ACCEPT = {"Accept": "application/taxii+json;version=2.1"}
ADMIN = ("admin", "Password0")
KIND = "application/stix+json;version="
INDICATOR = "indicator--0f5b0a6e-57f5-4a3e-9a3c-5a1d5a2b7c01"
MALWARE = "malware--0f5b0a6e-57f5-4a3e-9a3c-5a1d5a2b7c02"
MARKING = "marking-definition--0f5b0a6e-57f5-4a3e-9a3c-5a1d5a2b7c03"
IDS = ["1" * 8, "2" * 8, "3" * 8, "4" * 8]
IDS = [f"{part}-1111-4111-8111-111111111111" for part in IDS]


def thing(kind, name, modified, added, spec="2.1", **more):
    """An object and its line of the manifest."""
    stated = {"created": "2020-01-01T00:00:00.000Z", "modified": modified}
    if kind == "marking-definition":
        stated = {"created": modified}
    if spec == "2.1":
        stated["spec_version"] = spec
    line = {"id": name, "date_added": added, "version": modified, "media_type": KIND + spec}
    return {"type": kind, "id": name, **stated, **more}, line


def contents():
    held = [
        thing("indicator", INDICATOR, "2020-01-01T00:00:00.000Z", "2021-01-01T00:00:00.000000Z"),
        thing("indicator", INDICATOR, "2020-02-01T00:00:00.444Z", "2021-01-02T00:00:00.500000Z"),
        thing("marking-definition", MARKING, "2020-01-03T00:00:00.000Z",
              "2021-01-03T00:00:00.000000Z", definition_type="tlp", definition={"tlp": "green"}),
        thing("indicator", INDICATOR, "2020-03-01T00:00:00.000Z", "2021-01-04T00:00:00.000000Z"),
        thing("malware", MALWARE, "2020-01-05T00:00:00.000Z", "2021-01-05T00:00:00.000000Z"),
        thing("malware", MALWARE, "2020-06-01T00:00:00.000Z", "2021-01-06T00:00:00.000000Z", "2.0"),
    ]
    rights = [(True, True), (True, False), (False, True), (False, False)]
    shelves = [
        {"id": name, "title": "t", "can_read": read, "can_write": write,
         "media_types": [KIND + "2.1"], "objects": [], "manifest": []}
        for name, (read, write) in zip(IDS, rights)
    ]
    shelves[0]["objects"] = [one for one, _ in reversed(held)]
    shelves[0]["manifest"] = [line for _, line in held]
    about = {"title": "r", "versions": ["application/taxii+json;version=2.1"],
             "max_content_length": 1000000}
    return {
        "/discovery": {"title": "s", "default": "/shelf/", "api_roots": ["/shelf/", "/bare/"]},
        "shelf": {"information": about, "status": [{"id": "given", "status": "complete"}],
                  "collections": shelves},
        "bare": {"information": about, "status": [], "collections": []},
    }


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    held = folder / "held.json"
    held.write_text(json.dumps(contents()))
    settings = {
        "users": {ADMIN[0]: ADMIN[1]},
        "taxii": {"max_page_size": 4},
        "backend": {"module": "medallion.backends.memory_backend",
                    "module_class": "MemoryBackend", "filename": str(held)},
    }
    config = folder / "config.json"
    config.write_text(json.dumps(settings))
    ours = Server(["taxii-fixture", config, "--port", "0"])
    port = free_port()
    words = [sys.executable, "-m", "medallion.scripts.run", "--port", str(port), str(config)]
    theirs = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers():
        try:
            return requests.get(f"http://127.0.0.1:{port}/taxii2/", timeout=5).status_code == 401
        except requests.ConnectionError:
            return False

    wait_until(answers)
    yield ours.address.removesuffix("/taxii2"), f"http://127.0.0.1:{port}"
    theirs.kill()
    theirs.wait()
    ours.close()


def paths():
    shelf = f"/shelf/collections/{IDS[0]}/"
    versions = [None, "first", "last", "all", "last,first", "2020-02-01T00:00:00.444Z"]
    specs = [None, "2.0", "2.1", "2.0,2.1", "3.0"]
    narrow = [{}, {"match[type]": "malware,indicator"}, {"match[type]": "nothing"}]
    narrow += [{"match[id]": f"{MARKING},{MALWARE}"}, {"limit": "2"}]
    after = ["2021-01-01T00:00:00Z", "2021-01-02T00:00:00.500000Z", "2021-01-04T12:00:00.000Z"]
    narrow += [{"added_after": at} for at in after]
    found = ["/taxii2/", "/shelf/", "/bare/collections/", "/none/", "/shelf/collections/"]
    found += ["/shelf/status/given/", "/shelf/status/none/"]
    for name, rest in itertools.product(IDS + ["none"], ["", "manifest/", "objects/"]):
        found.append(f"/shelf/collections/{name}/{rest}")
    for rest in ("objects/", "manifest/", f"objects/{INDICATOR}/", f"objects/{MALWARE}/versions/"):
        for version, spec, more in itertools.product(versions, specs, narrow):
            asked = {"match[version]": version, "match[spec_version]": spec, **more}
            asked = "&".join(f"{name}={value}" for name, value in asked.items() if value)
            found.append(f"{shelf}{rest}?{asked}")
    return list(dict.fromkeys(found))


def told(address):
    """Status, content and dates; what is opaque or unordered by the text is evened out."""
    said = requests.get(address, auth=ADMIN, headers=ACCEPT)
    value = said.json() if said.status_code == 200 else None
    if value and "next" in value:
        value["next"] = "opaque"
    if value and "collections" in value:
        value["collections"].sort(key=lambda one: one["id"])
    if value and "versions" in value and "/versions/" in address:
        value["versions"].sort()
    dates = [said.headers.get(f"X-TAXII-Date-Added-{end}") for end in ("First", "Last")]
    return said.status_code, value, dates


def test_reading_is_answered_as_the_reference_server_does(both):
    ours, theirs = both
    asked = paths()
    assert len(asked) > 900
    for path in asked:
        assert told(ours + path) == told(theirs + path), path

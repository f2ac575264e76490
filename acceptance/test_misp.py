"""MISP events out and in against PyMISP: it reads what is written, and what it writes is read."""

import hashlib
import json
import pathlib

import pytest
from conftest import COALITION, ROOT, Node, introduce
from pymisp import MISPEvent

EVENTS = ROOT / "crates/wire/tests/data/misp/lantern.json"


@pytest.fixture
def alone(tmp_path):
    node = Node(tmp_path, "xa.police.ct", "XA")
    introduce([node], [])
    return node


def exported(node, *words):
    out = pathlib.Path(node.dir) / "out.json"
    node.ask_any("export", "misp", "--out", out, *words)
    return [event["Event"] for event in json.loads(out.read_text())["response"]]


def numbered(folder):
    """The events with the number MISP gives the group beside its UUID; PyMISP insists on it."""
    events = json.loads(EVENTS.read_text())
    events["response"][0]["Event"]["Attribute"][2]["sharing_group_id"] = "3"
    file = folder / "in.json"
    file.write_text(json.dumps(events))
    return file


def test_pymisp_reads_an_own_copy_and_its_form_of_it_is_the_same_records(alone):
    assert alone.ask_any("import", "misp", numbered(alone.dir))["stored"] == 9
    (event,) = exported(alone, "--own")
    read = MISPEvent()
    read.load(event)
    values = {a.value for a in read.attributes}
    assert values == {
        "pay.harrow.example|192.0.2.7", "XA02ENTE0000000001", "d41d8cd98f00b204e9800998ecf8427e"}
    assert int(read.distribution) == 2 and {t.name for t in read.tags} >= {"tlp:amber"}
    (person,) = read.objects
    assert [a.value for a in person.get_attributes_by_relation("full-name")] == ["Ivo Marsh"]
    assert [r.relationship_type for r in person.ObjectReference] == ["owner-of"]
    assert [r.name for r in read.event_reports] == ["Ledger"]
    again = alone.dir / "pymisp.json"
    again.write_text(json.dumps({"Event": json.loads(read.to_json())}))
    said = alone.ask_any("import", "misp", again)
    assert said["rejected"] == 0, said
    # PyMISP writes times of its own where an event states none; the values are the same.
    (twice,) = exported(alone, "--own")
    assert {a["value"] for a in twice["Attribute"]} == values
    assert twice["distribution"] in (2, "2")


def test_pymisp_reads_what_a_partner_gets(tmp_path):
    parties = (("xa.police.ct", "XA"), ("xb.police.ct", "XB"))
    nodes = [Node(tmp_path, agency, party) for agency, party in parties]
    introduce(nodes, COALITION)
    nodes[0].ask_any("import", "stix", ROOT / "scenarios/lantern/records/xa-reports.json")
    to = ["--to", "xb.police.ct", "--purpose", "ct.investigation", "--offence", "financing"]
    events = exported(nodes[0], *to)
    assert events
    for event in events:
        read = MISPEvent()
        read.load(event)
        assert int(read.distribution) == 0
        assert len(read.attributes) + len(read.objects) + len(read.event_reports) > 0


def test_pymisp_makes_the_same_feed_of_a_feeds_events(alone):
    assert alone.ask_any("import", "misp", numbered(alone.dir))["stored"] == 9
    folder = alone.dir / "feed"
    alone.ask_any("export", "misp", "--own", "--feed", folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    lines = (folder / "hashes.csv").read_text().split()
    assert manifest and lines
    for uuid, entry in manifest.items():
        read = MISPEvent()
        read.load_file(folder / f"{uuid}.json")
        theirs = read.to_feed(with_meta=True)["Event"]
        own = [line.split(",")[0] for line in lines if line.endswith(uuid)]
        assert set(own) == set(theirs["_hashes"]) and len(own) == len(set(own))
        summary = theirs["_manifest"][uuid]
        assert set(summary) == set(entry)
        for name in ("info", "date", "analysis", "threat_level_id", "timestamp"):
            assert str(entry[name]) == str(summary[name]), name
        assert entry["Orgc"]["uuid"] == summary["Orgc"]["uuid"]
        assert {t["name"] for t in entry["Tag"]} == {t["name"] for t in summary["Tag"]}
    digest = hashlib.md5(b"XA02ENTE0000000001").hexdigest()
    assert any(line.startswith(digest) for line in lines)

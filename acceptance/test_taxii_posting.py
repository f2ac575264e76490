"""Other people's TAXII clients post to a node: status, reading back, deletion, refusals."""

import json
import time
import uuid

import pytest
import requests
import stix2
from conftest import COALITION, SCENARIO, Node, introduce
from cytaxii2.cytaxii2 import cytaxii2
from taxii2client.exceptions import AccessError
from taxii2client.v21 import Server

AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
MERIDIAN = "urn:entente:agr:meridian"


def indicator(**more):
    made = "2026-01-01T00:00:00.000Z"
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid4()}",
        "created": made,
        "modified": made,
        "name": "a sign",
        "pattern": "[url:value = 'http://h.example/']",
        "pattern_type": "stix",
        "valid_from": made,
        "object_marking_refs": [AMBER],
        **more,
    }


def collections(scene, user=None, token=None):
    user, token = user or scene.user, token or scene.token
    server = Server(f"{scene.address}/taxii2/", user=user, password=token)
    return {one._raw.get("alias"): one for one in server.default.collections}


def test_taxii2_client_posts_reads_back_and_deletes(scene):
    inbox = collections(scene)["inbox"]
    assert inbox.can_read and inbox.can_write
    first = indicator()
    later = dict(first, modified="2026-02-01T00:00:00.000Z", name="a better sign")
    wrong = indicator(object_marking_refs=[f"marking-definition--{uuid.uuid4()}"])
    status = inbox.add_objects({"objects": [first, later, wrong]}, wait_for_completion=True)
    assert (status.status, status.total_count) == ("complete", 3)
    assert (status.success_count, status.failure_count, status.pending_count) == (2, 1, 0)
    assert status.failures[0]["id"] == wrong["id"] and "help: " in status.failures[0]["message"]
    assert inbox.get_object(first["id"])["objects"] == [later]
    assert inbox.get_object(first["id"], version="first")["objects"] == [first]
    versions = inbox.object_versions(first["id"])["versions"]
    assert versions == [first["modified"], later["modified"]]
    again = inbox.add_objects({"objects": [later]}, wait_for_completion=True)
    assert (again.success_count, again.failure_count) == (1, 0)
    assert inbox.object_versions(first["id"])["versions"] == versions
    inbox.delete_object(first["id"])
    with pytest.raises(requests.HTTPError, match="404"):
        inbox.get_object(first["id"])
    assert first["id"] not in str(inbox.get_manifest())


def test_stix2_writes_to_an_inbox_as_a_sink_and_reads_it_as_a_source(scene):
    inbox = collections(scene)["inbox"]
    made = stix2.v21.Identity(
        name="An agency", identity_class="organization", object_marking_refs=[AMBER]
    )
    stix2.TAXIICollectionSink(inbox).add(made)
    source = stix2.TAXIICollectionSource(inbox)
    assert source.get(made.id) == made
    assert source.query([stix2.Filter("type", "=", "identity")])


def test_cytaxii2_posts_to_a_community(scene):
    community = collections(scene)[MERIDIAN]
    client = cytaxii2(f"{scene.address}/taxii2/", scene.user, scene.token)
    client.api_root = scene.address + client.discovery_request()["response"]["default"]
    thing = indicator()
    done = client.inbox_request(community.id, json.dumps({"objects": [thing]}))
    assert (done["status_code"], done["response"]["success_count"]) == (202, 1)
    read = client.poll_request(community.id, object_id=thing["id"])["response"]
    assert read["objects"] == [thing]


def test_what_may_not_be_written_is_refused(scene):
    seen = collections(scene)
    with pytest.raises(AccessError):
        seen["outbox"].add_objects({"objects": [indicator()]})
    who = (scene.user, scene.token)
    kind = {"content-type": "application/taxii+json;version=2.1"}
    base = f"{scene.address}/taxii2/api/collections"
    body = {"objects": [indicator()]}
    for place, status in [("outbox", 403), ("inbox", 202), (str(uuid.uuid4()), 404)]:
        said = requests.post(f"{base}/{place}/objects/", auth=who, headers=kind, json=body)
        assert said.status_code == status, (place, said.text)
    said = requests.delete(f"{base}/inbox/objects/indicator--{uuid.uuid4()}/", auth=who)
    assert said.status_code == 404
    outbox = seen["outbox"].get_objects()["objects"][0]["id"]
    assert requests.delete(f"{base}/outbox/objects/{outbox}/", auth=who).status_code == 403


def test_an_agreement_that_ends_takes_its_community_along(tmp_path):
    """The agreement ends while its parties' clients are at work: the rights are gone at once."""
    end = time.time() + 25
    text = (SCENARIO / COALITION[0]).read_text()
    lines = text.splitlines()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
    at = next(i for i, line in enumerate(lines) if line.startswith("until"))
    lines[at] = f'until = "{stamp}"'
    (tmp_path / "short.toml").write_text("\n".join(lines) + "\n")
    node = Node(tmp_path, "xa.police.ct", "XA")
    others = [
        Node(tmp_path, "xb.police.ct", "XB", "http://127.0.0.1:9"),
        Node(tmp_path, "xc.police.ncb", "XC", "http://127.0.0.1:9"),
    ]
    introduce([node, *others], [tmp_path / "short.toml"])
    token = node.ask("member", "token", others[0].agency)["token"]
    node.serve()
    try:
        who = (others[0].agency, token)
        base = f"{node.address}/taxii2/api/collections/{MERIDIAN}"
        kind = {"content-type": "application/taxii+json;version=2.1"}
        body = {"objects": [indicator()]}

        def post():
            return requests.post(f"{base}/objects/", auth=who, headers=kind, json=body)

        assert post().status_code == 202
        time.sleep(max(0, end + 1 - time.time()))
        assert post().status_code == 404
        assert requests.get(f"{base}/objects/", auth=who).status_code == 404
        inbox = base.replace(MERIDIAN, "inbox")
        said = requests.post(f"{inbox}/objects/", auth=who, headers=kind, json=body)
        assert said.status_code == 403
    finally:
        node.close()

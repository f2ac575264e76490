"""Other people's TAXII clients read what a node releases to them."""

import json

import pytest
import requests
import stix2
from conftest import OPEN, READ_ONLY, fixture_contents
from cytaxii2.cytaxii2 import cytaxii2
from taxii2client.v21 import Collection, Server, as_pages

MARKS = [o["id"] for o in fixture_contents()["shelf"]["collections"][0]["objects"]]


def opened(scene):
    return Server(f"{scene.address}/taxii2/", user=scene.user, password=scene.token)


def test_taxii2_client_walks_from_discovery_to_objects(scene):
    collections = opened(scene).default.collections
    readable = [one for one in collections if one.can_read]
    assert readable, "the partner sees no collection it may read"
    whole = readable[0].get_objects()["objects"]
    assert len(whole) > 3
    pages = as_pages(readable[0].get_objects, per_request=2)
    assert [o for page in pages for o in page["objects"]] == whole
    listed = readable[0].get_manifest()["objects"]
    assert [entry["id"] for entry in listed] == [o["id"] for o in whole]
    assert readable[0].get_object(whole[0]["id"])["objects"] == [whole[0]]


def test_stix2_reads_a_collection_as_a_source(scene):
    readable = [one for one in opened(scene).default.collections if one.can_read]
    collection = Collection(readable[0].url, user=scene.user, password=scene.token)
    source = stix2.TAXIICollectionSource(collection)
    reports = source.query([stix2.Filter("type", "=", "report")])
    assert reports
    assert source.get(reports[0]["id"])["id"] == reports[0]["id"]


@pytest.mark.parametrize("user, password", [("xb.police.ct", "wrong"), ("nobody", "nothing")])
def test_a_wrong_sign_in_is_told_so(scene, user, password):
    with pytest.raises(Exception, match="401"):
        Server(f"{scene.address}/taxii2/", user=user, password=password).title


def test_taxii2_client_writes_reads_and_deletes(fixture_server):
    server = Server(f"{fixture_server.address}/taxii2/", user="admin", password="Password0")
    root = server.default
    collection = next(one for one in root.collections if one.id == OPEN)
    assert [o["id"] for o in collection.get_objects()["objects"]] == sorted(MARKS)[:3]
    for read, key in ((collection.get_objects, "id"), (collection.get_manifest, "id")):
        pages = list(as_pages(read, per_request=3))
        assert [o[key] for page in pages for o in page["objects"]] == sorted(MARKS)
        assert [page["more"] for page in pages] == [True, True, False]
    newer = dict(collection.get_object(MARKS[0])["objects"][0], modified="2022-01-01T00:00:00.000Z")
    status = collection.add_objects({"objects": [newer]}, wait_for_completion=True)
    assert (status.status, status.success_count, status.failure_count) == ("complete", 1, 0)
    assert root.get_status(status.id).total_count == 1
    assert collection.get_object(MARKS[0])["objects"] == [newer]
    versions = collection.object_versions(MARKS[0])["versions"]
    assert versions == ["2020-01-01T00:00:00.000Z", "2022-01-01T00:00:00.000Z"]
    first = collection.get_object(MARKS[0], version="first")["objects"][0]
    assert first["modified"] == versions[0]
    collection.delete_object(MARKS[0])
    with pytest.raises(requests.HTTPError, match="404"):
        collection.get_object(MARKS[0])


def test_stix2_writes_to_a_collection_as_a_store(fixture_server):
    url = f"{fixture_server.address}/shelf/collections/{OPEN}/"
    store = stix2.TAXIICollectionStore(Collection(url, user="admin", password="Password0"))
    made = stix2.v21.Identity(name="An agency", identity_class="organization")
    store.add(made)
    assert store.get(made.id) == made
    assert len(store.query([stix2.Filter("type", "=", "indicator")])) == len(MARKS)
    assert store.all_versions(MARKS[1])[0]["id"] == MARKS[1]


def test_cytaxii2_walks_polls_and_posts(fixture_server):
    client = cytaxii2(f"{fixture_server.address}/taxii2/", "admin", "Password0")
    # This client takes the default root as a whole address; the fixture says it without a host.
    client.api_root = fixture_server.address + client.discovery_request()["response"]["default"]
    assert client.root_discovery()["response"]["title"] == "r"
    assert len(client.collection_request()["response"]["collections"]) == 2
    seen, place = [], None
    while True:
        page = client.poll_request(OPEN, added_after="2021-01-01T00:00:00.000000Z", next=place)
        assert page["status_code"] == 200, page
        seen += [o["id"] for o in page["response"]["objects"]]
        place = page["response"].get("next")
        if not place:
            break
    assert seen == sorted(MARKS)[1:]
    one = client.poll_request(OPEN, object_id=MARKS[0])["response"]["objects"]
    posted = client.inbox_request(OPEN, json.dumps({"objects": one}))
    assert (posted["status_code"], posted["response"]["failure_count"]) == (202, 0)
    assert client.inbox_request(READ_ONLY, json.dumps({"objects": one}))["status_code"] == 403


def test_cytaxii2_reads_from_a_node(scene):
    client = cytaxii2(f"{scene.address}/taxii2/", scene.user, scene.token)
    client.api_root = scene.address + client.discovery_request()["response"]["default"]
    readable = [c for c in client.collection_request()["response"]["collections"] if c["can_read"]]
    assert len(client.poll_request(readable[0]["id"])["response"]["objects"]) > 3

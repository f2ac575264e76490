"""Other people's TAXII clients read what a node releases to them."""

import pytest
import stix2
from taxii2client.v21 import Collection, Server, as_pages


def opened(scene):
    return Server(f"{scene.address}/taxii2/", user=scene.user, password=scene.token)


def test_taxii2_client_walks_from_discovery_to_objects(scene):
    collections = opened(scene).default.collections
    readable = [one for one in collections if one.can_read]
    assert readable, "the partner sees no collection it may read"
    whole = readable[0].get_objects()["objects"]
    assert len(whole) > 3
    paged = [o for page in as_pages(readable[0].get_objects, per_request=2) for o in page["objects"]]
    assert paged == whole
    listed = readable[0].get_manifest()["objects"]
    assert [entry["id"] for entry in listed] == [o["id"] for o in whole]
    assert readable[0].get_object(whole[0]["id"])["objects"] == [whole[0]]


def test_stix2_reads_a_collection_as_a_source(scene):
    readable = [one for one in opened(scene).default.collections if one.can_read]
    source = stix2.TAXIICollectionSource(Collection(readable[0].url, user=scene.user, password=scene.token))
    reports = source.query([stix2.Filter("type", "=", "report")])
    assert reports
    assert source.get(reports[0]["id"])["id"] == reports[0]["id"]


@pytest.mark.parametrize("user, password", [("xb.police.ct", "wrong"), ("nobody", "nothing")])
def test_a_wrong_sign_in_is_told_so(scene, user, password):
    with pytest.raises(Exception, match="401"):
        Server(f"{scene.address}/taxii2/", user=user, password=password).title

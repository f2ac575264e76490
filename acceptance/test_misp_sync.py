"""PyMISP, as shipped, talks to a node: signs in, pushes events, pulls, searches, is refused."""

import json
import uuid

import pytest
import requests
from pymisp import MISPEvent, MISPSighting, PyMISP
from pymisp.exceptions import PyMISPError


@pytest.fixture(scope="module")
def misp(scene):
    return PyMISP(scene.address, scene.token, ssl=False)


def event():
    made = MISPEvent()
    made.info, made.distribution, made.threat_level_id, made.analysis = "Courier at Vell", 1, 2, 1
    made.uuid, made.date = str(uuid.uuid4()), "2026-03-01"
    made.add_tag("tlp:amber")
    made.add_attribute("ip-dst", "192.0.2.91", category="Network activity", to_ids=True)
    made.add_attribute("domain|ip", "vell.example|192.0.2.92", comment="seen in the ledger")
    return made


def ask(scene, path, body, **headers):
    headers = {"Authorization": scene.token, "Content-Type": "application/json", **headers}
    return requests.post(scene.address + path, data=body, headers=headers, timeout=60)


def test_the_constructor_learns_version_and_user(misp, scene):
    assert misp.misp_instance_version["perm_sync"] is True
    assert misp.recommended_pymisp_version["version"].startswith("2.5.")
    assert misp.get_user()["Organisation"]["name"] == scene.user


def test_a_wrong_key_opens_nothing(scene):
    with pytest.raises(PyMISPError, match="403"):
        PyMISP(scene.address, "0" * 40, ssl=False)


def test_what_was_released_is_listed_and_pulled(misp):
    index = misp.search_index(pythonify=True)
    short = misp.search_index(minimal=True)
    assert index and [one.uuid for one in index] == [one["uuid"] for one in short]
    for one in short:
        pulled = misp.get_event(one["uuid"], pythonify=True)
        assert pulled.uuid == one["uuid"] and pulled.published and pulled.distribution == 0
    first = misp.search(limit=1, page=1, pythonify=True)
    assert [one.uuid for one in first] == [short[0]["uuid"]]
    assert misp.search(org="nobody at all") == []
    attributes = misp.search(controller="attributes", limit=2, pythonify=True)
    assert attributes and all(one.value for one in attributes)


def test_an_event_is_pushed_read_back_edited_and_found(misp):
    made = event()
    assert not misp.event_exists(made.uuid)
    added = misp.add_event(made, pythonify=True)
    assert added.uuid == made.uuid and added.info == made.info
    assert sorted(one.value for one in added.attributes) == sorted(
        one.value for one in made.attributes
    )
    assert {one.name for one in added.tags} >= {"tlp:amber"}
    assert misp.event_exists(made.uuid)
    added.info = "Courier at Vell, second day"
    edited = misp.update_event(added, event_id=added.uuid, pythonify=True)
    assert isinstance(edited, MISPEvent) and edited.info == added.info, edited
    found = misp.search(value="vell.example|192.0.2.92", eventid=made.uuid, pythonify=True)
    assert [one.uuid for one in found] == [made.uuid]
    # One half of a pair is found, as in MISP.
    parts = misp.search(controller="attributes", value="192.0.2.92", eventid=made.uuid)
    assert [one["value"] for one in parts["Attribute"]] == ["vell.example|192.0.2.92"]
    assert misp.search(type_attribute="md5", eventid=made.uuid) == []
    assert misp.search(tags=["tlp:amber"], eventid=made.uuid) != []
    assert misp.search(tags=["!tlp:amber"], eventid=made.uuid) == []


def test_sightings_are_pushed_and_found(misp, scene):
    made = event()
    misp.add_event(made)
    part = made.attributes[0].uuid
    seen = MISPSighting()
    seen.from_dict(uuid=str(uuid.uuid4()), date_sighting=1772453000, type="0", attribute_uuid=part)
    path = f"/sightings/filterSightingUuidsForPush/{made.uuid}"
    assert ask(scene, path, json.dumps([seen.uuid])).json() == [seen.uuid]
    body = json.dumps([seen.to_dict()])
    said = ask(scene, f"/sightings/bulkSaveSightings/{made.uuid}", body)
    assert (said.status_code, said.json()["message"]) == (200, "1 sightings added."), said.text
    assert ask(scene, path, json.dumps([seen.uuid])).json() == []
    found = misp.search_sightings(context="event", context_id=made.uuid, pythonify=True)
    assert [one["sighting"].uuid for one in found] == [seen.uuid]


def test_requests_in_the_wrong_form_are_refused(misp, scene):
    path = "/events/restSearch"
    assert ask(scene, path, "{}", **{"Content-Type": "text/csv"}).status_code == 415
    assert ask(scene, path, "{").status_code == 400
    assert ask(scene, "/events/add", b" " * (33 << 20)).status_code == 413
    status, said = misp.search(colour="red")["errors"]
    assert status == 400 and "`colour`" in said["message"]
    status, said = misp.get_event(str(uuid.uuid4()))["errors"]
    assert status == 404 and said["saved"] is False

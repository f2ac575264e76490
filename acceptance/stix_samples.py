"""STIX objects of every type, by seed: what tests of the formats import, redact and compare."""

import json
import random
import uuid

OWN = "extension-definition--a8e2d1f0-5c3b-4e7a-9d64-1b2f7c90e6a3"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
IDENTITY = "identity--0c7f7b9e-3a52-4f0e-9c1c-2f3f5d2a7a01"
MALWARE = "malware--0c7f7b9e-3a52-4f0e-9c1c-2f3f5d2a7a02"
ADDRESS = "ipv4-addr--0c7f7b9e-3a52-5f0e-9c1c-2f3f5d2a7a04"
AT = "2026-01-01T00:00:00Z"
KILL = [{"kill_chain_name": "k", "phase_name": "p"}]
LINK = [{"source_name": "s", "url": "https://e.example/r", "description": "d"}]

DOMAIN = {
    "attack-pattern": {"name": "a", "description": "d", "kill_chain_phases": KILL},
    "campaign": {"name": "a", "aliases": ["b"], "first_seen": AT, "objective": "o"},
    "course-of-action": {"name": "a", "description": "d"},
    "grouping": {"name": "a", "context": "suspicious-activity", "object_refs": [IDENTITY, MALWARE]},
    "identity": {"name": "a", "identity_class": "group", "roles": ["r"], "sectors": ["defense"]},
    "incident": {"name": "a", "description": "d"},
    "indicator": {"name": "a", "description": "d", "indicator_types": ["benign"], "valid_from": AT,
                  "pattern": "[file:name = 'a']", "pattern_type": "stix"},
    "infrastructure": {"name": "a", "infrastructure_types": ["botnet"], "aliases": ["b"]},
    "intrusion-set": {"name": "a", "goals": ["g"], "resource_level": "team"},
    "location": {"name": "a", "region": "western-europe", "country": "AT", "city": "c"},
    "malware": {"name": "a", "is_family": False, "malware_types": ["worm"], "aliases": ["b"]},
    "malware-analysis": {"product": "p", "version": "1", "result": "benign", "modules": ["m"]},
    "note": {"abstract": "a", "content": "c", "authors": ["x"], "object_refs": [IDENTITY]},
    "observed-data": {"first_observed": AT, "last_observed": AT, "number_observed": 1,
                      "object_refs": ["url--0c7f7b9e-3a52-5f0e-9c1c-2f3f5d2a7a03"]},
    "opinion": {"explanation": "e", "opinion": "agree", "object_refs": [IDENTITY]},
    "relationship": {"relationship_type": "uses", "source_ref": MALWARE, "target_ref": MALWARE,
                     "description": "d", "start_time": AT},
    "report": {"name": "a", "description": "d", "report_types": ["malware"], "published": AT,
               "object_refs": [IDENTITY, MALWARE]},
    "sighting": {"sighting_of_ref": MALWARE, "count": 3, "summary": True, "first_seen": AT},
    "threat-actor": {"name": "a", "aliases": ["b"], "threat_actor_types": ["spy"], "goals": ["g"]},
    "tool": {"name": "a", "tool_types": ["remote-access"], "tool_version": "1"},
    "vulnerability": {"name": "CVE-2026-0001", "description": "d"},
}

OBSERVABLE = {
    "artifact": {"mime_type": "text/plain", "payload_bin": "YWJj"},
    "autonomous-system": {"number": 15139, "name": "a", "rir": "RIPE"},
    "directory": {"path": "/tmp", "ctime": AT},
    "domain-name": {"value": "a.example"},
    "email-addr": {"value": "a@b.example", "display_name": "A"},
    "email-message": {"is_multipart": False, "subject": "s", "body": "b", "date": AT},
    "file": {"name": "a.exe", "size": 25, "hashes": {"SHA-256": "e3" * 32, "MD5": "d4" * 16}},
    "ipv4-addr": {"value": "198.51.100.3"},
    "ipv6-addr": {"value": "2001:db8::1"},
    "mac-addr": {"value": "d2:fb:49:24:37:18"},
    "mutex": {"name": "m"},
    "network-traffic": {"src_ref": ADDRESS, "src_port": 80, "protocols": ["ipv4", "tcp"]},
    "process": {"pid": 1221, "command_line": "x", "created_time": AT},
    "software": {"name": "s", "vendor": "v", "version": "1.2"},
    "url": {"value": "https://a.example/b?c=d"},
    "user-account": {"user_id": "1001", "account_login": "l", "account_type": "unix"},
    "windows-registry-key": {"key": "hkey_local_machine\\a", "values": [{"name": "n"}]},
    "x509-certificate": {"serial_number": "02:08:87", "issuer": "C=AT", "subject": "C=AT"},
}


def chance_id(kind, chance):
    return f"{kind}--{uuid.UUID(int=chance.getrandbits(128), version=4)}"


def frame(kind, chance):
    made = {"type": kind, "spec_version": "2.1", "id": chance_id(kind, chance)}
    if kind in DOMAIN:
        made |= {"created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-02T00:00:00.000Z"}
    return made


def samples():
    return {**DOMAIN, **OBSERVABLE}


def withheld_one_by_one(seed=7):
    """For each property of each type an object in which only that one is marked TLP:RED."""
    chance, made = random.Random(seed), []
    own = {"extension_type": "property-extension", "record_type": "report", "subject": "none",
           "operation": "LANTERN", "grade": "A1", "class": {"scheme": "LEVEL", "label": "1"}}
    for kind, content in samples().items():
        for field in content:
            one = frame(kind, chance) | json.loads(json.dumps(content))
            if kind in DOMAIN:
                one["external_references"] = LINK
            one["object_marking_refs"] = [GREEN]
            one["granular_markings"] = [{"marking_ref": RED, "selectors": [field]}]
            one["extensions"] = {OWN: own}
            made.append(one)
    return made


def delicate(count, seed=11):
    """Objects that a careless reader changes: numbers, escapes, fractions, unknown parts."""
    chance, lines = random.Random(seed), []
    numbers = ["123456789012345678901234567890", "-0.0", "1E+2", "0.1", "48.200000000000003",
               "18446744073709551616", "5.0", "-7"]
    words = ["caf\\u00e9", "\\ud83d\\ude00", "\\/", "a\u2028b", "\u202ereversed", "\\\"", ""]
    kinds = list(samples())
    while len(lines) < count:
        kind = chance.choice(kinds)
        one = frame(kind, chance)
        if kind in DOMAIN:
            digits = "".join(str(chance.randrange(10)) for _ in range(chance.randint(1, 9)))
            one["modified"] = f"2026-01-02T00:00:00.{digits}Z"
        one |= samples()[kind]
        field = chance.choice(list(samples()[kind]))
        one["granular_markings"] = [{"marking_ref": GREEN, "selectors": [field]},
                                    {"lang": "de", "selectors": [field]}]
        # An extension for every third, an unknown property for all.
        if len(lines) % 3 == 0:
            name = chance_id("extension-definition", chance)
            one["extensions"] = {name: {"extension_type": "property-extension", "rank": 5}}
        text = json.dumps(one, ensure_ascii=False)[:-1]
        number, word = chance.choice(numbers), chance.choice(words)
        more = f'"x_number": {number}, "x_word": "{word}", "x_deep": [[], {{"a": null}}]'
        lines.append(f"{text}, {more}}}")
    return lines


def same_meaning(line):
    """A value in which numbers keep their digits and the order of members does not count."""
    digits = {"parse_int": lambda t: ("number", t), "parse_float": lambda t: ("number", t)}
    return json.loads(line, **digits)

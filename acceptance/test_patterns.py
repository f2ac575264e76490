"""Patterns against the validator and the matcher of OASIS, on patterns made by seed.

ENTENTE_PATTERN_SEEDS says how many seeds (300 patterns each); two by default.
"""

import json
import os
import random

import pytest
from conftest import run
from stix2matcher.matcher import match
from stix2patterns.validator import validate

SEEDS = range(1, 1 + int(os.environ.get("ENTENTE_PATTERN_SEEDS", "2")))
FROM = "2026-01-01T00:00:00Z"
CONSTANTS = ["'alice'", "'bob'", "1", "3", "2.5", "'zoe'", "h'616263'", "'abc'"]
PATHS = [":name", ":age", ":f_ref.name", ":f_refs[*].name", ":f_refs[0].age", ":r[*]", ":r[1]",
         ":none", ":ip", ":b_hex"]
TESTS = ["IN ('alice','zoe')", "IN (1,2,3)", "LIKE '%o%'", "LIKE 'a_ice'", "MATCHES '^[ab]'",
         "MATCHES 'o'"]
# From the standard's own chapter on patterns, and what its readers get wrong.
KNOWN = [
    "[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
    "[a:b = 1] FOLLOWEDBY [c:d = 2] WITHIN 5 SECONDS", "[a:b = t'2026-01-01T00:00:00Z']",
    "[a:b = 1 AND a:c = 2 OR a:d = 3]", "([a:b = 1] AND [c:d = 2]) REPEATS 5 TIMES",
    "[a:b ISSUBSET '10.0.0.0/8']", "[EXISTS a:b]", "[a:b.'c d'[*].e != b'AAEC']", "[a:b NOT = 1]",
    "[a:b = 1] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'",
    "[a:b = true]", "[a:b = 'it\\'s']", "[a:b=1]AND[a:c=2]", "[a:b = -1.5]", "[a:b = +1]",
    "[a:b == 1]", "[a:b = 1", "a:b = 1", "[]", "[a:b = 'x] ", "[a:b = 1] WITHIN SECONDS", "[a = 1]",
    "[a:b = 1] REPEATS 0 TIMES", "[a:b = 1] WITHIN 0 SECONDS", "[a:b = t'2026-13-01T00:00:00Z']",
    "[a:b = h'0']", "[a:b = b'A']", "[a:b IN ()]", "[a:b LIKE 1]", "[1:b = 1]", "[a:[0] = 1]",
]


class Maker:
    def __init__(self, seed):
        self.chance = random.Random(seed)

    def observed(self):
        pick, out = self.chance.choice, []
        for at in range(6):
            first = self.chance.randint(0, 300)
            last = first + pick([0, 0, 5, 60])
            instant = lambda second: f"2026-01-01T00:{second // 60:02d}:{second % 60:02d}Z"
            name = lambda kind, last: f"{kind}--{at:08d}-0000-4000-8000-00000000000{last}"
            seen, p, f = name("observed-data", 0), name("x-p", 1), name("x-f", 2)
            out += [
                {"type": "observed-data", "spec_version": "2.1", "id": seen, "created": FROM,
                 "modified": FROM, "first_observed": instant(first), "last_observed": instant(last),
                 "number_observed": pick([1, 1, 2]), "object_refs": [p, f]},
                {"type": "x-p", "spec_version": "2.1", "id": p,
                 "name": pick(["alice", "bob", "carol"]),
                 "age": self.chance.randint(1, 5), "f_ref": f, "f_refs": [f, p], "r": [1, 2.5, "x"],
                 "ip": f"10.0.{at % 2}.{at}", "b_hex": "616263"},
                {"type": "x-f", "spec_version": "2.1", "id": f, "name": pick(["zoe", "yan"]),
                 "age": self.chance.randint(1, 5)},
            ]
        bundle = "bundle--00000000-0000-4000-8000-000000000000"
        return {"type": "bundle", "id": bundle, "objects": out}

    def test(self):
        pick = self.chance.choice
        path = pick(PATHS)
        test = pick([*TESTS, *(f"{sign} {pick(CONSTANTS)}" for sign in ("=", "!=", "<", ">="))])
        if path == ":ip":
            test = pick(["ISSUBSET '10.0.1.0/24'", "= '10.0.0.0'"])
        return f"{pick(['x-p', 'x-f'])}{path} {pick(['', '', 'NOT '])}{test}"

    def tests(self, depth):
        if depth == 0 or self.chance.random() < 0.5:
            return self.test()
        word = self.chance.choice([" AND ", " OR "])
        return f"({self.tests(depth - 1)}{word}{self.tests(depth - 1)})"

    def pattern(self, depth=2):
        if depth == 0 or self.chance.random() < 0.3:
            text = f"[{self.tests(2)}]"
        else:
            word = self.chance.choice([" AND ", " OR ", " FOLLOWEDBY "])
            text = f"({self.pattern(depth - 1)}{word}{self.pattern(depth - 1)})"
        dice = self.chance.random()
        if dice < 0.15:
            text += f" REPEATS {self.chance.randint(1, 3)} TIMES"
        elif dice < 0.3:
            text += f" WITHIN {self.chance.choice([1, 30, 120])} SECONDS"
        elif dice < 0.4:
            text += " START t'2026-01-01T00:00:00Z' STOP t'2026-01-01T00:03:00Z'"
        return text

    def broken(self, pattern):
        letters = list(pattern)
        for _ in range(self.chance.randint(1, 2)):
            at = self.chance.randrange(len(letters))
            if self.chance.random() < 0.5:
                letters[at] = self.chance.choice(" '[]().:=<>-1aA*,\\t")
            else:
                del letters[at]
        return "".join(letters)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_matcher_of_oasis_finds_the_same(seed, tmp_path):
    maker = Maker(seed)
    bundle = maker.observed()
    patterns = [maker.pattern() for _ in range(300)]
    (tmp_path / "observed.json").write_text(json.dumps(bundle))
    (tmp_path / "patterns.txt").write_text("\n".join(patterns) + "\n")
    said = said_by("match", tmp_path / "patterns.txt", tmp_path / "observed.json")
    matched = 0
    for pattern, answer in zip(patterns, said, strict=True):
        wanted = bool(match(pattern, [bundle], stix_version="2.1"))
        assert answer.get("matched", answer.get("fault")) == wanted, pattern
        matched += wanted
        if wanted:
            bound = {binding["observation"] for binding in answer["bindings"]}
            kept = [one for one in bundle["objects"]
                    if one["type"] != "observed-data" or one["id"] in bound]
            assert match(pattern, [bundle | {"objects": kept}], stix_version="2.1"), pattern
    assert 30 < matched < 270, f"{matched} of 300 match, which tells little"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_validator_of_oasis_takes_the_same(seed, tmp_path):
    maker = Maker(seed)
    patterns = KNOWN + [maker.broken(maker.pattern()) for _ in range(300)]
    patterns = [p.strip() for p in patterns if p.strip() and not p.strip().startswith("#")]
    (tmp_path / "patterns.txt").write_text("\n".join(patterns) + "\n")
    said = said_by("check", tmp_path / "patterns.txt")
    valid = 0
    for pattern, answer in zip(patterns, said, strict=True):
        wanted = validate(pattern, stix_version="2.1")
        assert answer["valid"] == wanted, (pattern, answer)
        valid += wanted
    assert 20 < valid < 300, f"{valid} are valid, which tells little"


def said_by(verb, *files):
    answer = run("--json", "pattern", verb, *files, check=False)
    return answer["patterns"]

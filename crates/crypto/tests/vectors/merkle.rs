//! Published vectors: merkle.

use crate::{base64, folder, json, json_files};
use crypto::Digest;
use crypto::merkle::*;
use serde_json::Value;

/// A digest; the few roots that are not 32 bytes stand for "some other value" and are padded.
fn root(value: &Value) -> Digest {
    let mut bytes = base64(value);
    assert!(bytes.len() <= 32);
    bytes.resize(32, 0);
    Digest(bytes.try_into().unwrap())
}

/// A leaf hash or root that must be one: anything but 32 bytes is refused on reading.
fn hash(value: &Value) -> Option<Digest> {
    base64(value).try_into().ok().map(Digest)
}

/// A proof; one with an element that is no hash cannot be written and is refused before checking.
fn proof(value: &Value) -> Option<Vec<Digest>> {
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    list.iter().map(hash).collect()
}

/// Runs one folder of transparency-dev/merkle: (cases, refused).
fn run(kind: &str, check: impl Fn(&Value, &[Digest]) -> bool) -> Option<(usize, usize)> {
    let files = json_files(&folder(&format!("merkle/testdata/{kind}"))?);
    let mut refused = 0;
    for file in &files {
        let case = json(file);
        let ok = proof(&case["proof"]).is_some_and(|proof| check(&case, &proof));
        assert_eq!(!ok, case["wantErr"].as_bool().unwrap(), "{}", file.display());
        refused += usize::from(!ok);
    }
    Some((files.len(), refused))
}

#[test]
fn transparency_dev_proofs_get_the_expected_verdict_518_of_518() {
    let number = |case: &Value, key: &str| case[key].as_u64().unwrap();
    let inclusion = run("inclusion", |c, proof| {
        let (index, size) = (number(c, "leafIdx"), number(c, "treeSize"));
        let (Some(leaf), Some(top)) = (hash(&c["leafHash"]), hash(&c["root"])) else {
            return false;
        };
        verify_inclusion(index, size, &leaf, proof, &top).is_ok()
    });
    let consistency = run("consistency", |c, proof| {
        let (old, new) = (number(c, "size1"), number(c, "size2"));
        verify_consistency(old, new, proof, &root(&c["root1"]), &root(&c["root2"])).is_ok()
    });
    let subtree_inclusion = run("subtreeinclusion", |c, proof| {
        let range = number(c, "start")..number(c, "end");
        let (Some(leaf), Some(top)) = (hash(&c["leafHash"]), hash(&c["root"])) else {
            return false;
        };
        verify_subtree_inclusion(number(c, "leafIdx"), range, &leaf, proof, &top).is_ok()
    });
    let subtree_consistency = run("subtreeconsistency", |c, proof| {
        let (range, size) = (number(c, "start")..number(c, "end"), number(c, "size"));
        let (part, whole) = (root(&c["root1"]), root(&c["root2"]));
        verify_subtree_consistency(range, size, proof, &part, &whole).is_ok()
    });
    let all = [inclusion, consistency, subtree_inclusion, subtree_consistency];
    let Some(all) = all.into_iter().collect::<Option<Vec<_>>>() else { return };
    assert_eq!(all.iter().map(|(cases, _)| *cases).collect::<Vec<_>>(), [98, 98, 204, 118]);
    assert_eq!(all.iter().map(|(_, refused)| refused).sum::<usize>(), 482);
}

#[test]
fn sigsum_inclusion_proofs_4_good_4_groups_bad() {
    let Some(folder) = folder("sigsum-merkle") else { return };
    let verdict = |c: &Value| {
        let (index, size) = (c["leaf_index"].as_u64().unwrap(), c["tree_size"].as_u64().unwrap());
        let proof = proof(&c["inclusion_path"]).unwrap();
        let (leaf, top) = (root(&c["leaf_hash"]), root(&c["root_hash"]));
        verify_inclusion(index, size, &leaf, &proof, &top).is_ok()
    };
    for (file, want, count) in [("valid", true, VALID_GROUPS), ("invalid", false, INVALID_GROUPS)] {
        let groups = json(&folder.join(format!("inclusion-{file}.json")));
        let groups = groups.as_array().unwrap();
        assert_eq!(groups.iter().map(|g| verdict(g) == want).filter(|ok| *ok).count(), count);
        assert_eq!(groups.len(), count);
    }
}

const VALID_GROUPS: usize = 4;
const INVALID_GROUPS: usize = 4;

#[test]
fn proofs_of_a_real_certificate_log_verify() {
    let Some(folder) = folder("ct-google-http_get") else { return };
    let head = json(&folder.join("get-sth"));
    let (size, top) = (head["tree_size"].as_u64().unwrap(), root(&head["sha256_root_hash"]));
    let entries = json(&folder.join("get-entries-start-10000-end-10000"));
    let leaf = leaf_hash(&base64(&entries["entries"][0]["leaf_input"]));
    let name = "get-proof-by-hash-tree-size-961984011-hash-\
                nCs3mfIydh9x4CKyQ-2Bu2xtmpxmFggA5MLymHwNQSlLg-3D";
    let audit = json(&folder.join(name));
    let index = audit["leaf_index"].as_u64().unwrap();
    let path = proof(&audit["audit_path"]).unwrap();
    assert_eq!(verify_inclusion(index, size, &leaf, &path, &top), Ok(()));
    assert!(verify_inclusion(index + 1, size, &leaf, &path, &top).is_err());

    // The old root is not in the set: rebuild it from the proof and let the new root decide.
    let answer = json(&folder.join("get-sth-consistency-first-3654490-second-961984011"));
    let path = proof(&answer["consistency"]).unwrap();
    let old_root = prefix_root(3_654_490, size, &path);
    assert_eq!(verify_consistency(3_654_490, size, &path, &old_root, &top), Ok(()));
    let mut bent = path.clone();
    bent[5].0[0] ^= 1;
    let bent_root = prefix_root(3_654_490, size, &bent);
    assert!(verify_consistency(3_654_490, size, &bent, &bent_root, &top).is_err());
}

/// The old root a consistency proof implies (RFC 9162 section 2.1.4.2), written independently.
fn prefix_root(old: u64, new: u64, proof: &[Digest]) -> Digest {
    assert!(!old.is_power_of_two());
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let mut hash = proof[0];
    for sibling in &proof[1..] {
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        }
        (at, last) = (at >> 1, last >> 1);
    }
    hash
}

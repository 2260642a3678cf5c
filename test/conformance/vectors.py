"""Checks every vector of packages/tlog/vectors; README.md there says what a line of each file means."""

import os
from hashlib import sha256

import ed25519
from encoding import FormatError, canonical, decode_base64, encode_base64, need, parse_json
from entry import STATES, decode_openings, hash_of_item, opening_of, read_activity, read_item, rebuild
from notes import LOG, WITNESS, Key, format_key, parse_checkpoint, parse_key, parse_note, parse_policy
from tree import H, Tree, extends, includes, root_of


def check_vectors(directory):
    """(file, lines, [failures]) of each file."""
    results = []
    for name, check in CHECKS.items():
        with open(os.path.join(directory, name), "rb") as file:
            lines = [parse_json(line) for line in file]
        failures = []
        for at, line in enumerate(lines):
            try:
                check(line, lines)
            except FormatError as error:
                failures.append(f"line {at + 1}: {error}")
        results.append((name, len(lines), failures))
    return results


def leaf(index):
    return H(b"\0", b"entry %d" % index)


_roots = {}


def root(size):
    if not _roots:
        tree = Tree()
        for index in range(70_001):
            _roots[index] = tree.root()
            tree.append(leaf(index))
    return _roots[size]


def proof_of(line):
    return [decode_base64(hash, 32) for hash in line["proof"]]


def check_canonical(line, _):
    need(canonical(line["value"]).decode() == line["canonical"], "another canonical text")


def check_tree(line, _):
    need(encode_base64(root(line["size"])) == line["root"], "another root")


def check_inclusion(line, _):
    index, size, proof = line["index"], line["size"], proof_of(line)
    need(includes(root(size), size, index, leaf(index), proof), "the proof does not hold")
    need(not includes(root(size), size, index, leaf(index + 1), proof), "the proof holds for another leaf")
    need(not includes(root(size), size, index, leaf(index), proof + [leaf(0)]), "a longer proof holds")


def check_consistency(line, _):
    old, new, proof = line["from"], line["to"], proof_of(line)
    need(extends(root(old), old, root(new), new, proof), "the proof does not hold")
    need(not extends(root(old - 1), old, root(new), new, proof), "the proof holds for another root")
    need(not extends(root(old), old, root(new), new, proof + [leaf(0)]), "a longer proof holds")


def check_tile(line, _):
    """A resource of tlog-tiles: tile/<level>/<index>[.p/<width>], of hashes or of entries."""
    _, level, *path = line["path"].split("/")
    width = int(path.pop()) if ".p/" in line["path"] else 256
    index = int("".join(part.removeprefix("x").removesuffix(".p") for part in path))
    if level == "entries":
        texts = [b"entry %d" % i for i in range(index * 256, index * 256 + width)]
        data = b"".join(len(text).to_bytes(2, "big") + text for text in texts)
    else:
        span = 256 ** int(level)
        starts = range(index * 256 * span, (index * 256 + width) * span, span)
        data = b"".join(root_of(map(leaf, range(start, start + span))) for start in starts)
    need(encode_base64(sha256(data).digest()) == line["sha256"], "another tile")


def check_signature(line, lines):
    keys = [parse_key(other["verifierKey"]) for other in lines if other["kind"] == "key"]
    if line["kind"] == "key":
        seed, public = decode_base64(line["seed"], 32), decode_base64(line["publicKey"], 32)
        need(ed25519.public_key(seed) == public, "another public key")
        algorithm = {"ed25519": LOG, "cosignature": WITNESS}[line["type"]]
        need(format_key(Key(line["name"], algorithm, public)) == line["verifierKey"], "another verifier key")
    elif line["kind"] == "policy":
        policy = parse_policy(line["file"].encode())
        need(set(policy.logs) | set(policy.witnesses.values()) == set(keys), "another policy")
    elif line["kind"] == "proof file":
        check_proof_file(line, keys)
    else:
        need(len(parse_note(line["note"]).signed_by(keys)) == SIGNERS[line["kind"]], "a signer is missing")
        if line["kind"] != "note":
            checkpoint = parse_checkpoint(line["note"])
            need(checkpoint.root == root(checkpoint.size), "a checkpoint of another tree")


SIGNERS = {"note": 1, "checkpoint": 1, "cosigned checkpoint": 3}


def check_proof_file(line, keys):
    head, _, note = line["file"].partition("\n\n")
    version, extra, index, *hashes = head.split("\n")
    need(version == "c2sp.org/tlog-proof@v1" and extra.startswith("extra "), "another kind of file")
    need(index == f"index {line['index']}", "another index")
    checkpoint = parse_checkpoint(note)
    need(len(checkpoint.note.signed_by(keys)) == 3, "a signer is missing")
    proof = [decode_base64(hash, 32) for hash in hashes]
    leaf_hash = leaf(line["index"])
    need(includes(checkpoint.root, checkpoint.size, line["index"], leaf_hash, proof), "the proof does not hold")


def entry_of(line):
    record = dict(line["record"])
    own = record.pop("own", False)
    return rebuild(read_activity(record, place=()), own, **opening_of(line))


def check_record(line, lines):
    if "root" in line:
        leaves = [decode_base64(other["leaf"], 32) for other in lines if "leaf" in other]
        need(encode_base64(root_of(leaves)) == line["root"], "another root")
        return
    entry = entry_of(line)
    need(encode_base64(entry.data) == line["entry"], "another entry")
    need(encode_base64(entry.leaf) == line["leaf"], "another leaf")
    need(len(entry.slots) == len(line["slots"]), "another number of slots")
    for (number, _, salt, value, commitment), said in zip(entry.slots, line["slots"]):
        need(number == said["number"] and value.decode() == said["value"], f"another value in slot {number}")
        need(encode_base64(salt) == said["salt"], f"another salt of slot {number}")
        need(encode_base64(commitment) == said["commitment"], f"another commitment of slot {number}")


def check_erasure(line, _):
    entry = entry_of(line)
    states = {str(number): STATES[state] for number, state, *_ in entry.slots}
    need(encode_base64(entry.leaf) == line["leaf"], "another leaf")
    need(states == line["states"], "other states of slots")
    if "restValue" in line:
        need(entry.rest_value.decode() == line["restValue"], "another value of the rest")
        need(encode_base64(entry.rest) == line["rest"], "another rest")
    if "slots" in line:
        need(encode_base64(decode_openings(decode_base64(line["openings"])).erased()) == line["slots"], "other slots")


def check_manifest(line, lines):
    salt = decode_base64(line["salt"], 16)
    if "item" in line:
        item = read_item(line["kind"], line["item"])
        need(encode_base64(hash_of_item(item, salt)) == line["hash"], "another hash")
        return
    said = [other for other in lines if other.get("item") and other["kind"] == line["kind"]]
    hashes = [decode_base64(other["hash"], 32) for other in said] if line is not lines[-1] else []
    need(encode_base64(root_of(hashes)) == line["root"], "another root")


CHECKS = {
    "canonical.ndjson": check_canonical,
    "trees.ndjson": check_tree,
    "inclusion.ndjson": check_inclusion,
    "consistency.ndjson": check_consistency,
    "tiles.ndjson": check_tile,
    "signatures.ndjson": check_signature,
    "records.ndjson": check_record,
    "erasures.ndjson": check_erasure,
    "manifests.ndjson": check_manifest,
}

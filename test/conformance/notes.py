"""Signed notes, checkpoints, verifier keys and policies (C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy)."""

import re
from dataclasses import dataclass

import ed25519
from encoding import FormatError, MAX_INTEGER, decode_base64, encode_base64, need, utf8
from tree import H

LOG, WITNESS = 1, 4
MAX_NOTE = MAX_POLICY = 1_000_000
MAX_LISTED = 256
MAX_SIGNATURES = 100
DASH = "\u2014 "
# Blanks of Unicode (White_Space), and the plus: what a key name does not have.
NOT_IN_NAME = re.compile(r"[+\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
DECIMAL = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True)
class Key:
    """A public key under a name, of a log or of a witness."""

    name: str
    algorithm: int
    public: bytes

    @property
    def id(self):
        return H(self.name.encode(), b"\n", bytes([self.algorithm]), self.public)[:4]

    def verifies(self, text, signature):
        """Whether the bytes behind the id in a signature line are a signature of the text."""
        if self.algorithm == LOG:
            return ed25519.verify(self.public, text, signature)
        time = int.from_bytes(signature[:8], "big")
        return len(signature) == 72 and time <= MAX_INTEGER and ed25519.verify(self.public, b"cosignature/v1\ntime %d\n" % time + text, signature[8:])


def key_name(name):
    utf8(name)
    need(name and not NOT_IN_NAME.search(name) and not any(c < " " for c in name), "not a key name")
    return name


def parse_key(source):
    """A verifier key: name+id+base64."""
    parts = source.split("+", 2)
    need(len(parts) == 3, "not a verifier key")
    need(re.fullmatch("[0-9a-f]{8}", parts[1]), "not the id of a key")
    data = decode_base64(parts[2], 33)
    need(data[0] in (LOG, WITNESS), "a verifier key of an unknown algorithm")
    key = Key(key_name(parts[0]), data[0], data[1:])
    need(key.id.hex() == parts[1], "a verifier key with another id than its own")
    return key


def format_key(key):
    return f"{key.name}+{key.id.hex()}+{encode_base64(bytes([key.algorithm]) + key.public)}"


@dataclass(frozen=True)
class Note:
    text: bytes
    signatures: tuple  # of (key name, id, signature)

    def signed_by(self, keys):
        """Those of the keys that signed. A signature of one of them that does not hold is a FormatError."""
        known = {}
        for key in keys:
            known.setdefault((key.name, key.id), key)
        signers = []
        for name, key_id, signature in self.signatures:
            key = known.get((name, key_id))
            if key is not None:
                need(key.verifies(self.text, signature), f"the signature of {name} does not hold")
                signers.append(key)
        return signers


def parse_note(source):
    """A note of a str: text, a blank line, signature lines."""
    need(len(source.encode("utf-8", "surrogatepass")) <= MAX_NOTE, "a note of more than 1 MB")
    need(not any(c < " " and c != "\n" for c in source), "a note with a control character")
    text, blank, lines = source.rpartition("\n\n")
    need(blank and lines.endswith("\n"), "not a signed note")
    lines = lines[:-1].split("\n")
    need(len(lines) <= MAX_SIGNATURES, f"a note with more than {MAX_SIGNATURES} signatures")
    signatures = []
    for line in lines:
        need(line.startswith(DASH), "not a signature line")
        name, blank, data = line[len(DASH) :].partition(" ")
        data = decode_base64(data)
        need(blank and len(data) > 4, "not a signature line")
        signatures.append((key_name(name), data[:4], data[4:]))
    try:
        return Note((text + "\n").encode("utf-8"), tuple(signatures))
    except UnicodeEncodeError:
        raise FormatError("a note with a lone surrogate") from None


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes
    note: Note


def parse_checkpoint(source):
    """A checkpoint. Lines behind the third mean nothing."""
    note = parse_note(source)
    lines = note.text.decode().split("\n")
    need(len(lines) >= 4 and all(lines[:-1]), "the text of a checkpoint is three lines")
    need(DECIMAL.fullmatch(lines[1]) and int(lines[1]) <= MAX_INTEGER, "not the size of a log")
    return Checkpoint(lines[0], int(lines[1]), decode_base64(lines[2], 32), note)


@dataclass(frozen=True)
class Policy:
    logs: tuple  # of Key
    witnesses: dict  # Key by its name in the policy
    groups: dict  # (threshold, members) by name
    quorum: str  # the name of a witness or a group, or "none"

    def satisfied_by(self, signers):
        """Whether cosignatures by these keys make the quorum."""
        signed = {name for name, key in self.witnesses.items() if key in signers}
        # In the order of the file, each group after its members.
        for name, (threshold, group) in self.groups.items():
            if sum(member in signed for member in group) >= threshold:
                signed.add(name)
        return self.quorum == "none" or self.quorum in signed


def parse_policy(source):
    """A policy file, of bytes. Names are opaque: bytes beyond ASCII stay what they are."""
    need(len(source) <= MAX_POLICY, "a policy of more than 1 MB")
    need(all(c in b"\t\n" or c >= 0x20 and c != 0x7F for c in source), "a policy with a control character")
    need(not source or source.endswith(b"\n"), "the last line of a policy ends in a newline too")
    reader = _PolicyReader()
    for line in source.decode("utf-8", "surrogateescape").split("\n"):
        words = re.split("[ \t]+", line.strip(" \t"))
        if words != [""] and not words[0].startswith("#"):
            reader.read(words)
    need(reader.quorum is not None, "a policy without a quorum")
    for listed in (reader.logs, reader.witnesses, reader.groups):
        need(len(listed) <= MAX_LISTED, f"more than {MAX_LISTED} logs, witnesses or groups")
    return Policy(tuple(reader.logs), reader.witnesses, reader.groups, reader.quorum)


class _PolicyReader:
    def __init__(self):
        self.logs, self.witnesses, self.groups, self.quorum = [], {}, {}, None
        self.members = set()

    def read(self, words):
        keyword, *words = words
        if keyword == "log" and 1 <= len(words) <= 2:
            self.log(words[0])
        elif keyword == "witness" and 2 <= len(words) <= 3:
            self.witness(words[0], words[1])
        elif keyword == "group" and len(words) >= 3:
            self.group(words[0], words[1], words[2:])
        elif keyword == "quorum" and len(words) == 1:
            need(self.quorum is None, "a policy with two quorums")
            need(words[0] == "none" or self.defined(words[0]), "a quorum that is not defined before")
            self.quorum = words[0]
        else:
            raise FormatError(f"a line of a policy that begins with {ascii(keyword)}")

    def defined(self, name):
        return name in self.witnesses or name in self.groups

    def define(self, name):
        need(name != "none" and not self.defined(name), f"the name {ascii(name)} is taken")
        return name

    def log(self, source):
        key = parse_key(source)
        need(all(key.public != other.public for other in self.logs), "a log key that is listed twice")
        self.logs.append(key)

    def witness(self, name, source):
        key = parse_key(source)
        need(key.algorithm == WITNESS, "a key of a witness is of algorithm 4")
        need(all(key.public != other.public for other in self.witnesses.values()), "a witness that is listed twice")
        self.witnesses[self.define(name)] = key

    def group(self, name, threshold, group):
        for member in group:
            need(self.defined(member), f"a group with {ascii(member)}, which is not defined before")
            need(member not in self.members, f"{ascii(member)} is in two groups")
            self.members.add(member)
        if threshold in ("all", "any"):
            least = len(group) if threshold == "all" else 1
        else:
            need(DECIMAL.fullmatch(threshold), "a group's threshold is all, any or a number")
            least = int(threshold)
        need(1 <= least <= len(group), "a group's threshold is from 1 to the number of its members")
        self.groups[self.define(name)] = (least, group)

"""Activities, their slots and openings, entries, leaves, rests and manifests: docs/format.md from "Activity" to "Manifest"."""

from dataclasses import dataclass
from hashlib import sha256
from struct import pack, unpack_from

from encoding import FormatError, canonical, decode_base64, integer, members, milliseconds, need
from encoding import sorted_keys, text, utf8, uuid
from tree import H, root_of

class Mismatch(FormatError):
    """An activity and its seed or openings do not belong together."""


OPEN, GONE, REPLACED, WITHHELD = 0, 1, 2, 3
STATES = ("open", "gone", "replaced", "withheld")
TAGS, METADATA, DETAILS = 17, 256, 512
MAX_KEYS = 256
MAX_SLOTS = 530
MAX_OPENINGS = 17_500
MAX_RECORDED_AT = 8_640_000_000_000_000

# The slots 1 to 16, by the members of an activity that they are.
TEXT_SLOTS = (
    ("actor", "id"),
    ("actor", "label"),
    ("subject", "id"),
    ("target", "id"),
    ("target", "label"),
    ("scopeId",),
    ("channel",),
    ("source",),
    ("message",),
    ("reason",),
    ("context", "ip"),
    ("context", "userAgent"),
    ("context", "requestId"),
    ("context", "sessionId"),
    ("context", "traceId"),
    ("context", "spanId"),
)
SLOT_NAMES = ("core", *(".".join(path) for path in TEXT_SLOTS), "tags")
CONTEXT = tuple(path[1] for path in TEXT_SLOTS if path[0] == "context")
VOCABULARY = ("action", "kind", "severity", "outcome", "visibility")
TEXTS = ("operation", "scopeId", "channel", "source", "message", "reason")
# A caller gives these two to a record of the vectors, which comes without them.
PLACE = ("tenantId", "occurredAt")


def read_activity(record, place=PLACE):
    """Checks the form of an activity: its members and their types."""
    required = ("id", "recordedAt", *place, *VOCABULARY, "actor", "tags", "metadata")
    members(record, required, (*TEXTS, "subject", "target", "context", "details", "erased"))
    uuid(record["id"])
    for name in ("recordedAt", *place[1:]):
        milliseconds(record[name])
    for name in (*VOCABULARY, *TEXTS, *place):
        need(isinstance(record.get(name, ""), str), f"{name} is no text")
    _texts(record["actor"], ("type",), ("id", "label"))
    _texts(record.get("subject", {}), (), ("id",))
    if "target" in record:
        _texts(record["target"], ("type",), ("id", "label"))
    _texts(record.get("context", {}), (), CONTEXT)
    for name in ("tags", "erased"):
        need(isinstance(record.get(name, []), list), f"{name} is no list")
        need(all(isinstance(item, str) for item in record.get(name, [])), f"{name} is no list of texts")
    for name in ("metadata", "details"):
        need(isinstance(record.get(name, {}), dict), f"{name} is no object")
    return record


def _texts(value, required, optional):
    for item in members(value, required, optional).values():
        need(isinstance(item, str), "not a text")


def shown_slots(record):
    """What an activity shows, below the keys: (number, value, what the rest holds of it)."""
    core = {name: record[name] for name in VOCABULARY}
    core["actorType"] = record["actor"]["type"]
    if "operation" in record:
        core["operation"] = record["operation"]
    if "type" in record.get("target", {}):
        core["targetType"] = record["target"]["type"]
    shown = [(0, canonical(core), None)]
    for number, path in enumerate(TEXT_SLOTS, 1):
        value = record
        for name in path:
            value = value.get(name) if value else None
        if value is not None:
            shown.append((number, utf8(value), value))
    if record.get("tags"):
        shown.append((TAGS, canonical(record["tags"]), record["tags"]))
    return shown


def salts_of(seed, count):
    salts = []
    for k in range(0, count, 2):
        block = H(b"annals/salt/1\0", pack(">H", k // 2), seed)
        salts += [block[:16], block[16:]]
    return salts[:count]


def commitment(number, salt, value):
    return sha256(b"annals/slot/1\0" + pack(">H", number) + salt + value).digest()


@dataclass
class Openings:
    bitmap: int
    metadata: int
    details: int
    slots: list  # of (state, 16 bytes of salt or 32 of commitment)
    rest_salt: bytes | None

    def numbers(self):
        """The numbers of the entry's slots, in order."""
        fixed = [number for number in range(TAGS + 1) if self.bitmap >> number & 1]
        return fixed + [METADATA + n for n in range(self.metadata)] + [DETAILS + n for n in range(self.details)]

    def erased(self):
        """The bitmap of erased slots."""
        bits = bytearray((len(self.slots) + 7) // 8)
        for k, (state, _) in enumerate(self.slots):
            if state in (GONE, REPLACED):
                bits[k // 8] |= 1 << k % 8
        return bytes(bits)


def decode_openings(data):
    need(12 <= len(data) <= MAX_OPENINGS, "openings of another length")
    version, has_rest, bitmap, metadata, details = unpack_from(">BBIHH", data)
    need(version == 1, "openings of an unknown version")
    need(has_rest in (0, 1), "neither with a rest nor without")
    need(bitmap & 1 and bitmap < 1 << TAGS + 1, "a bitmap with other slots")
    need(metadata <= MAX_KEYS and details <= MAX_KEYS, f"more than {MAX_KEYS} keys")
    result = Openings(bitmap, metadata, details, [], None)
    at = 10
    for _ in result.numbers():
        need(at < len(data) and data[at] <= WITHHELD, "not a state of a slot")
        end = at + (17 if data[at] == OPEN else 33)
        need(end <= len(data), "openings that end too early")
        result.slots.append((data[at], data[at + 1 : end]))
        at = end
    need(result.slots[0][0] == OPEN, "slot 0 is always open")
    if has_rest:
        result.rest_salt, at = data[at : at + 16], at + 16
    need(at == len(data), "openings of another length")
    return result


@dataclass
class Entry:
    """What follows from an activity and its seed or openings."""

    leaf: bytes
    data: bytes
    slots: list  # of (number, state, salt or None, value or None, commitment)
    erased: bytes | None  # the bitmap of erased slots, where there is a salt of the rest
    rest: bytes | None
    rest_value: bytes | None
    open_names: frozenset  # of slots whose value the leaf commits to: names below 256, else ("metadata", key)
    unproven: bool  # whether something is shown in a slot that is not open

    def withheld(self):
        return any(state == WITHHELD for _, state, *_ in self.slots)


def rebuild(record, own, seed=None, openings=None):
    """The entry of an activity that has been read, with its seed of 16 bytes or decoded openings."""
    shown = shown_slots(record)
    keys = {name: sorted_keys(record.get(name, {})) for name in ("metadata", "details")}
    need(len(keys["metadata"]) <= MAX_KEYS and len(keys["details"]) <= MAX_KEYS, f"more than {MAX_KEYS} keys")
    if openings is None:
        fit(not record.get("erased"), "an activity with its seed says that something was erased")
        openings = _whole(shown, keys, seed)
    slots, names, unproven = _align(record, openings, shown, keys)
    recorded_at = milliseconds(record["recordedAt"])
    need(0 <= recorded_at <= MAX_RECORDED_AT, "received before 1970")
    header = pack(
        ">BBHIHHQ", 1, 2 if own else 1, 1, openings.bitmap, openings.metadata, openings.details, recorded_at,
    )  # fmt: skip
    data = header + bytes.fromhex(record["id"].replace("-", "")) + b"".join(slot[4] for slot in slots)
    erased = rest = rest_value = None
    if openings.rest_salt is not None:
        erased = openings.erased()
        rest_value = canonical({"erased": record.get("erased", []), "values": _rest_values(record, slots, names)})
        rest = H(b"annals/rest/1\0\0\0", openings.rest_salt, rest_value)
    known = frozenset(name for name, slot in zip(names, slots) if slot[1] == OPEN)
    return Entry(H(b"\0", data), data, slots, erased, rest, rest_value, known, unproven)


def fit(condition, what):
    if not condition:
        raise Mismatch(what)


def _whole(shown, keys, seed):
    bitmap = sum(1 << number for number, *_ in shown)
    metadata, details = len(keys["metadata"]), len(keys["details"])
    salts = salts_of(seed, len(shown) + metadata + details)
    return Openings(bitmap, metadata, details, [(OPEN, salt) for salt in salts], None)


def _align(record, openings, shown, keys):
    """Which value belongs to which slot: the slots, and their names."""
    slots, names, unproven = [], [], False
    waiting = {number: (value, what) for number, value, what in shown}
    left = {name: list(reversed(keys[name])) for name in keys}
    for number, (state, data) in zip(openings.numbers(), openings.slots):
        value = None
        if number < METADATA:
            name = SLOT_NAMES[number]
            found = waiting.pop(number, None)
            fit(found or state in (GONE, WITHHELD), f"nothing in slot {number}")
            fit(not found or state != GONE, f"something in slot {number}, which is gone")
            value = found[0] if found and state == OPEN else None
            unproven |= bool(found) and state != OPEN
        elif state == GONE:
            name = None
        else:
            part = "metadata" if number < DETAILS else "details"
            fit(left[part], f"no key of {part} is left for slot {number}")
            key = left[part].pop()
            name = (part, key)
            unproven |= state != OPEN
            value = canonical({key: record[part][key]}) if state == OPEN else None
        salt = data if state == OPEN else None
        slots.append((number, state, salt, value, commitment(number, data, value) if state == OPEN else data))
        names.append(name)
    fit(not waiting and not left["metadata"] and not left["details"], "it shows more than its entry has slots")
    return slots, names, unproven


def _rest_values(record, slots, names):
    values = {}
    for (number, state, *_), name in zip(slots, names):
        if state != REPLACED:
            continue
        if number < METADATA:
            value = record
            for part in name.split("."):
                value = value[part]
            values[name] = value
        else:
            part, key = name
            values.setdefault(part, {})[key] = record[part][key]
    return values


@dataclass(frozen=True)
class ErasureItem:
    epoch: int
    start: int
    slot_count: int
    slots: bytes
    rest: bytes

    @property
    def end(self):
        return self.start + 1

    def data(self):
        return pack(">BIQH", 1, self.epoch, self.start, self.slot_count) + self.slots + self.rest


@dataclass(frozen=True)
class PurgeItem:
    epoch: int
    start: int
    end: int

    def data(self):
        return pack(">BIQQ", 2, self.epoch, self.start, self.end)


def read_item(kind, item):
    """An item of a manifest of that kind, from its JSON."""
    epoch = ("epoch",)
    if kind == "erasure":
        members(item, ("epoch", "index", "slotCount", "slots", "rest"))
        count = integer(item["slotCount"], 1, MAX_SLOTS)
        slots = decode_base64(item["slots"], (count + 7) // 8)
        need(count % 8 == 0 or slots[-1] >> count % 8 == 0, "bits behind the last slot")
        rest = decode_base64(item["rest"], 32)
        return ErasureItem(read_epoch(item), integer(item["index"]), count, slots, rest)
    members(item, ("epoch", "start", "end"))
    start = integer(item["start"])
    return PurgeItem(read_epoch(item), start, integer(item["end"], start + 1))


def read_epoch(value):
    return integer(value["epoch"], 1, 2**32 - 1)


def hash_of_item(item, salt):
    return H(b"\0", salt, item.data())


def manifest_root(items, salt):
    return root_of(hash_of_item(item, salt) for item in items)


def opening_of(value):
    """The seed or the openings that come with an activity, as keywords for `rebuild`."""
    need(("seed" in value) != ("openings" in value), "not either a seed or openings")
    if "seed" in value:
        return {"seed": decode_base64(value["seed"], 16)}
    return {"openings": decode_openings(decode_base64(value["openings"]))}

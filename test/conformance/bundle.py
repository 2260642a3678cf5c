"""The lines of a bundle in their order: docs/format.md, "Bundle". Whoever reads them gets what has the right form."""

import gzip
import re
import zlib
from dataclasses import dataclass, field
from urllib.parse import quote

from encoding import FormatError, decode_base64, integer, members, milliseconds, need, parse_json, text, utf8
from entry import read_epoch, read_item

TILE = 256
MAX_LINE = 4 * 1024 * 1024
MAX_TILE_BYTES = 64 * 1024 * 1024
MAX_EPOCHS, MAX_MANIFESTS, MAX_CHECKPOINTS, MAX_ITEMS = 1_000, 100_000, 10_000, 10_000
TYPE = re.compile(rb'\{"type":"([a-z]+)",')


class BundleError(Exception):
    """A line that is not as the page says. Nothing behind it was read."""

    def __init__(self, code, line, what):
        super().__init__(f"line {line}: {what}")
        self.code, self.line = code, line


@dataclass
class Log:
    epoch: int
    origin: str
    size: int
    checkpoints: list = field(default_factory=list)


@dataclass
class Manifest:
    id: str
    kind: str
    salt: bytes
    head: tuple
    items: list = field(default_factory=list)


def escaped(tenant):
    """A tenant's id as it stands in an origin."""
    return quote(utf8(tenant), safe="-_.!~*'()")


def base_of(origin, tenant, epoch):
    """The origin of epoch 1 of the logs of which this is the origin of an epoch."""
    suffix = "" if epoch == 1 else f"/e{epoch}"
    need(origin.endswith(suffix), "an origin of another epoch")
    base = origin[: len(origin) - len(suffix)]
    name, _, rest = base.partition("/")
    need(name and rest == escaped(tenant), "an origin of another tenant")
    return base


def origin_of(base, epoch):
    return base if epoch == 1 else f"{base}/e{epoch}"


def lines_of(path):
    """The lines of a file, or of what is compressed in it, each without its newline."""
    with open(path, "rb") as plain:
        start = plain.read(2)
        plain.seek(0)
        source = gzip.GzipFile(fileobj=plain) if start == b"\x1f\x8b" else plain
        count = 0
        while True:
            try:
                line = source.readline(MAX_LINE + 2)
            except EOFError:
                raise BundleError("bundle_malformed", count + 1, "the compressed file ends too early") from None
            except (OSError, zlib.error) as error:
                raise BundleError("bundle_malformed", count + 1, f"the compressed file is damaged: {error}") from None
            if not line:
                return
            count += 1
            if not line.endswith(b"\n"):
                if len(line) > MAX_LINE:
                    raise BundleError("bundle_malformed", count, "a line of more than 4 MiB")
                raise BundleError("bundle_malformed", count, "the last line has no end")
            yield line[:-1]


class Bundle:
    """Reads a bundle: first its head, then `tiles()`."""

    def __init__(self, path):
        self.lines = lines_of(path)
        self.at = 0
        self.logs, self.manifests = [], {}
        self.form(self.read_head)

    def form(self, read, *values):
        """What is wrong in the form of a line, with the line's number."""
        try:
            return read(*values)
        except FormatError as error:
            raise BundleError("bundle_malformed", self.at, error) from None

    def next(self):
        line = next(self.lines, None)
        self.at += 1
        if line is None:
            raise BundleError("bundle_truncated", self.at, "there is no last line")
        found = TYPE.match(line)
        need(found, "not a line of a bundle")
        value = parse_json(line)
        need(value["type"] == found.group(1).decode(), "a line of two types")
        del value["type"]
        return found.group(1).decode(), value, len(line)

    def read_head(self):
        kind, value, _ = self.next()
        need(kind == "bundle", "the first line is no head of a bundle")
        members(value, ("version", "tenantId", "madeAt", "logs"))
        need(integer(value["version"]) == 1, "a bundle of an unknown version")
        self.tenant = text(value["tenantId"])
        milliseconds(value["madeAt"])
        need(isinstance(value["logs"], list) and len(value["logs"]) <= MAX_EPOCHS, f"no list of {MAX_EPOCHS} logs")
        for log in value["logs"]:
            members(log, ("epoch", "origin", "size"))
            self.logs.append(Log(read_epoch(log), text(log["origin"]), integer(log["size"], 1)))
        epochs = [log.epoch for log in self.logs]
        need(epochs, "no log")
        self.base = base_of(self.logs[0].origin, self.tenant, epochs[0])
        need(all(log.origin == origin_of(self.base, log.epoch) for log in self.logs), "logs of several names")
        need(all(a < b for a, b in zip(epochs, epochs[1:])), "epochs do not ascend")
        self.read_preamble({log.epoch: log for log in self.logs})

    def read_preamble(self, logs):
        policies, last = 0, None
        while True:
            kind, value, size = self.next()
            if kind == "policy":
                members(value, ("text",))
                text(value["text"])
                policies += 1
                need(policies == 1, "a second policy")
            elif kind == "checkpoint":
                members(value, ("epoch", "note"))
                need(read_epoch(value) in logs, "a checkpoint of no log")
                log = logs[value["epoch"]]
                log.checkpoints.append(text(value["note"]))
                need(len(log.checkpoints) <= MAX_CHECKPOINTS, f"more than {MAX_CHECKPOINTS} checkpoints of a log")
            elif kind == "manifest":
                last = self.read_manifest(value, last)
            else:
                self.waiting = (kind, value, size)
                return

    def read_manifest(self, value, last):
        members(value, ("id", "kind", "salt", "sealed", "openedAt", "items"))
        need(value["kind"] in ("erasure", "purge"), "a manifest of an unknown kind")
        need(isinstance(value["sealed"], bool), "not a boolean")
        milliseconds(value["openedAt"])
        need(isinstance(value["items"], list) and len(value["items"]) <= MAX_ITEMS, f"no list of {MAX_ITEMS} items")
        head = tuple(value[name] for name in ("kind", "salt", "sealed", "openedAt"))
        manifest = self.manifests.get(text(value["id"]))
        if manifest is None:
            manifest = Manifest(value["id"], value["kind"], decode_base64(value["salt"], 16), head)
            self.manifests[manifest.id] = manifest
            need(len(self.manifests) <= MAX_MANIFESTS, f"more than {MAX_MANIFESTS} manifests")
        else:
            need(manifest is last and manifest.head == head, "no next part of that manifest")
        for source in value["items"]:
            item = read_item(manifest.kind, source)
            before = manifest.items[-1] if manifest.items else None
            need(before is None or (before.epoch, before.end) <= (item.epoch, item.start), "items out of order")
            manifest.items.append(item)
        return manifest

    def tiles(self):
        """(log, index of the first leaf, leaves, [records]) in order; the last line is checked behind them."""
        records = 0
        for log in self.logs:
            for start in range(0, log.size, TILE):
                leaves = self.form(self.read_tile, log, start)
                found = list(self.form(self.read_records, log, start, len(leaves)))
                records += len(found)
                yield log, start, leaves, found
        self.form(self.read_end, records)

    def read_tile(self, log, start):
        kind, value, self.tile_bytes = self.waiting
        need(kind == "tile", "a tile is missing")
        members(value, ("epoch", "index", "hashes"))
        need(read_epoch(value) == log.epoch and integer(value["index"]) == start // TILE, "not the next tile")
        count = min(TILE, log.size - start)
        hashes = decode_base64(value["hashes"], 32 * count)
        return [hashes[at : at + 32] for at in range(0, len(hashes), 32)]

    def read_records(self, log, start, count):
        found, last = [], start
        while True:
            self.waiting = self.next()
            kind, value, size = self.waiting
            if kind != "record":
                return found
            self.tile_bytes += size + 1
            need(self.tile_bytes <= MAX_TILE_BYTES, "a tile of more than 64 MiB")
            # What is in the last three is the record's own fault: it is reported there.
            members(value, ("epoch", "index", "own"), ("record", "seed", "openings"))
            need(not ("seed" in value and "openings" in value), "both a seed and openings")
            need(read_epoch(value) == log.epoch, "a record of another epoch")
            last = integer(value["index"], last, start + count - 1)
            need(isinstance(value["own"], bool), "not a boolean")
            found.append(value)

    def read_end(self, records):
        kind, value, _ = self.waiting
        need(kind == "end", "neither a tile nor the end")
        members(value, ("records",))
        need(integer(value["records"]) == records, "another number of records")
        self.at += 1
        need(next(self.lines, None) is None, "something stands behind the last line")

"""Verification of a bundle, step by step as docs/format.md, "Verifying a bundle", has it."""

from dataclasses import dataclass, field

from bundle import Bundle, BundleError
from encoding import FormatError, encode_base64, milliseconds, need, uuid_time
from entry import GONE, REPLACED, Mismatch, PurgeItem, manifest_root, opening_of, read_activity, rebuild
from notes import LOG, Key, parse_checkpoint, parse_key
from tree import Tree

OVERDUE = 48 * 3600 * 1000
RECEIPT_DELAY = 60 * 1000
PENDING = ("manifest_open", "quorum_awaited", "receipt_newer")
NOTICES = ("entries_lost",)
REQUESTED = {"erasure": "erasure.requested", "purge": "retention.requested"}
ENDED = {
    "erasure": ("erasure.completed", "erasure.cancelled"),
    "purge": ("retention.applied", "retention.cancelled"),
}
STATES = ("disclosed", "erased", "purged", "pending", "unexplained")


@dataclass
class Report:
    findings: list = field(default_factory=list)
    counts: dict = field(default_factory=lambda: dict.fromkeys(STATES, 0))

    def find(self, code, what, **where):
        self.findings.append({"code": code, **where, "what": str(what)})

    def verdict(self):
        codes = {finding["code"] for finding in self.findings} - set(NOTICES)
        return "invalid" if codes - set(PENDING) else "pending" if codes else "valid"


@dataclass
class Own:
    """An own record that stands in the log. Only what its leaf commits to is in it."""

    epoch: int
    index: int
    action: str
    recorded_at: int
    target: str | None
    metadata: dict


def verify_bundle(path, policy, now, kept=(), receipts=()):
    """The report on a bundle. `kept` are checkpoints, `now` is in milliseconds since 1970."""
    report = Report()
    try:
        Verification(policy, now, report).run(path, kept, receipts)
    except BundleError as error:
        report.find(error.code, error, line=error.line)
    return report


class Verification:
    def __init__(self, policy, now, report):
        self.policy, self.now, self.report = policy, now, report
        self.own = []
        self.ids, self.newest = {}, None
        self.leaves, self.roots = set(), {}
        self.explained = {}  # by id of a manifest: ("erased" or "purged", epoch, index) of what it explains

    def run(self, path, kept, receipts):
        self.bundle = Bundle(path)  # step 1
        self.trusted = self.trusted_keys()
        self.checkpoints = {log.epoch: self.read_checkpoints(log) for log in self.bundle.logs}
        self.collect_items()
        sizes = self.sizes_of_interest(kept)
        for log in self.bundle.logs:
            self.roots[log.epoch, 0] = Tree().root()
        tree = None
        for log, start, leaves, records in self.bundle.tiles():
            tree = Tree() if start == 0 else tree
            for leaf in leaves:
                tree.append(leaf)
                if tree.size in sizes[log.epoch]:
                    self.roots[log.epoch, tree.size] = tree.root()
            self.leaves.update(leaves)
            self.check_records(log.epoch, start, leaves, records)
        self.check_checkpoints()
        self.check_kept(kept)
        self.check_manifests()
        self.check_epochs()
        self.check_receipts(receipts)

    # Step 2

    def trusted_keys(self):
        """(algorithm, public key) of the log keys of the policy that are named for an epoch of these logs."""
        return [(key.algorithm, key.public) for key in self.policy.logs if is_epoch_of(key.name, self.bundle.base)]

    def known_keys(self, log):
        keys = [Key(log.origin, algorithm, public) for algorithm, public in self.trusted]
        return keys, [*keys, *self.policy.witnesses.values()]

    # Step 3

    def read_checkpoints(self, log):
        found = []
        for note in log.checkpoints:
            try:
                checkpoint = parse_checkpoint(note)
            except FormatError as error:
                self.report.find("checkpoint_untrusted", error, epoch=log.epoch)
                continue
            if checkpoint.origin == log.origin:
                found.append(checkpoint)
            else:
                self.report.find("checkpoint_mismatch", "a checkpoint of another log", epoch=log.epoch)
        return found

    def check_checkpoints(self):
        announced = self.announcements()
        for log in self.bundle.logs:
            size, trusted = 0, []
            for checkpoint in self.checkpoints[log.epoch]:
                where = {"epoch": log.epoch, "size": checkpoint.size}
                if trusted and checkpoint.size <= size:
                    self.report.find("checkpoint_mismatch", "checkpoints do not ascend", **where)
                size = checkpoint.size
                if self.roots.get((log.epoch, size)) != checkpoint.root:
                    self.report.find("checkpoint_mismatch", "the tree has another root", **where)
                trusted.append(self.is_trusted(log, checkpoint, announced, where))
            self.check_newest(log, size, trusted)

    def is_trusted(self, log, checkpoint, announced, where):
        """Who vouches for a checkpoint: None, "announced", "policy" or "quorum"."""
        keys, known = self.known_keys(log)
        try:
            signers = set(checkpoint.note.signed_by(known))
        except FormatError as error:
            self.report.find("checkpoint_untrusted", error, **where)
            return None
        by = [key.public for key in keys if key in signers]
        vouches = "policy" if by else None
        if not by:
            by = self.announced_signers(log, checkpoint, announced)
            vouches = "announced" if by else None
        if not vouches:
            self.report.find("checkpoint_untrusted", "no key of the policy signed it", **where)
        for public in by:
            first = announced.get(public)
            if first is not None and (log.epoch, checkpoint.size) <= first:
                self.report.find("key_unannounced", "a key signed it that the log announces later", **where)
        return "quorum" if vouches == "policy" and self.policy.satisfied_by(signers) else vouches

    def announced_signers(self, log, checkpoint, announced):
        try:
            return [key.public for key in checkpoint.note.signed_by(Key(log.origin, LOG, public) for public in announced)]
        except FormatError:
            return []

    def check_newest(self, log, size, trusted):
        where = {"epoch": log.epoch}
        if not trusted or size != log.size:
            self.report.find("checkpoint_missing", "no checkpoint of the size of the log", **where)
        elif trusted[-1] in (None, "announced"):
            self.report.find("checkpoint_untrusted", "no key of the policy signed the newest", **where)
        elif trusted[-1] == "policy":
            code = "quorum_awaited" if "quorum" in trusted else "quorum_missing"
            self.report.find(code, "no quorum cosigned the newest checkpoint", **where)

    def announcements(self):
        """Public keys that the logs name, with the (epoch, index) of the first record that announces each as new."""
        named = {}
        for record in self.own:
            if record.action != "annals.log_key_rotated":
                continue
            old, new = (key_or_none(record.metadata.get(member)) for member in ("oldKey", "newKey"))
            if new is None:
                continue
            if named.get(new.public) is None:
                named[new.public] = (record.epoch, record.index)
            if old is not None:
                named.setdefault(old.public, None)
        return named

    # Step 4

    def sizes_of_interest(self, kept):
        return {
            log.epoch: {log.size, *(checkpoint.size for checkpoint in [*self.checkpoints[log.epoch], *kept])}
            for log in self.bundle.logs
        }

    def check_kept(self, kept):
        for checkpoint in kept:
            log = next((log for log in self.bundle.logs if log.origin == checkpoint.origin), None)
            if log is None:
                self.report.find("held_checkpoint_unknown", f"the bundle has no log {checkpoint.origin}")
                continue
            where = {"epoch": log.epoch, "size": checkpoint.size}
            keys, known = self.known_keys(log)
            try:
                need(set(keys) & set(checkpoint.note.signed_by(known)), "no key of the policy signed it")
            except FormatError as error:
                self.report.find("held_checkpoint_untrusted", error, **where)
                continue
            if checkpoint.size > log.size:
                self.report.find("held_checkpoint_beyond", "the log is shorter", **where)
            elif self.roots[log.epoch, checkpoint.size] != checkpoint.root:
                self.report.find("held_checkpoint_mismatch", "the tree had another root", **where)

    # Steps 5 and 6

    def collect_items(self):
        """By epoch: the last item of an erasure for each index, and the ranges of purges in the order of the file."""
        self.items = {log.epoch: {} for log in self.bundle.logs}
        self.ranges = {log.epoch: [] for log in self.bundle.logs}
        for manifest in self.bundle.manifests.values():
            for item in manifest.items:
                if item.epoch not in self.items:
                    continue
                if isinstance(item, PurgeItem):
                    self.ranges[item.epoch].append((item.start, item.end, manifest))
                else:
                    self.items[item.epoch][item.start] = (item, manifest)

    def purges_of(self, epoch, start, count):
        """For the indexes of a tile: the last manifest that lists each as purged."""
        found = {}
        for first, end, manifest in self.ranges[epoch]:
            for index in range(max(first, start), min(end, start + count)):
                found[index] = manifest
        return found

    def check_records(self, epoch, start, leaves, records):
        purges = self.purges_of(epoch, start, len(leaves))
        by_index = {}
        for value in records:
            by_index.setdefault(value["index"], []).append(value)
        for index in range(start, start + len(leaves)):
            where = {"epoch": epoch, "index": index}
            values = by_index.get(index)
            if values:
                entry = self.check_record(values, leaves[index - start], where)
                explained = entry and self.check_item(entry, self.items[epoch].get(index), purges.get(index), where)
            else:
                explained = self.check_gap(purges.get(index), where)
            self.count(explained, where)

    def check_record(self, values, leaf, where):
        """The entry of the record at an index, if nothing is wrong with it."""
        if len(values) > 1:
            self.report.find("record_repeated", "an index with several records", **where)
        entries = [self.read_record(value, where) for value in values]
        if len(values) > 1 or entries[0] is None:
            return None
        entry, record = entries[0], values[0]["record"]
        if entry.leaf != leaf:
            self.report.find("record_mismatch", "its leaf is not the one at its index", **where)
            return None
        if values[0]["own"]:
            self.own.append(own_record(record, entry, where))
        return entry

    def read_record(self, value, where):
        record = value.get("record")
        try:
            read_activity(record)
            self.ids.setdefault(record["id"], where)
            entry = rebuild(record, value["own"], **opening_of(value))
        except FormatError as error:
            code = "record_mismatch" if isinstance(error, Mismatch) else "record_malformed"
            self.report.find(code, error, **where)
            return None
        recorded_at = milliseconds(record["recordedAt"])
        self.newest = recorded_at if self.newest is None else max(self.newest, recorded_at)
        try:
            self.check_claims(record, entry)
        except FormatError as error:
            self.report.find("record_contradicts", error, **where)
            return None
        return entry

    def check_claims(self, record, entry):
        need(record["tenantId"] == self.bundle.tenant, "it is of another tenant")
        need(milliseconds(record["occurredAt"]) == uuid_time(record["id"]), "it occurred at another time than its id says")
        need(not entry.withheld(), "something is withheld")
        something = "erased" in record or any(slot[1] in (GONE, REPLACED) for slot in entry.slots)
        need(entry.rest is not None or not something, "something was erased, and there is no salt of the rest")

    def check_item(self, entry, item, purge, where):
        """What explains a record that is there: ("disclosed", None), or "erased" and the manifest; None if nothing."""
        if purge:
            self.report.find("purge_not_done", "a manifest lists as purged what is there", **where)
        elif item is None and entry.rest is None:
            return "disclosed", None
        elif item is None:
            self.report.find("erasure_unexplained", "no manifest lists what was erased", **where)
        elif entry.rest is None:
            self.report.find("erasure_not_done", "a manifest lists as erased what is whole", **where)
        elif (item[0].slot_count, item[0].slots, item[0].rest) != (len(entry.slots), entry.erased, entry.rest):
            self.report.find("erasure_mismatch", "what was erased, or what is left, is not what a manifest lists", **where)
        else:
            return "erased", item[1]
        return None

    def check_gap(self, purge, where):
        if purge:
            return "purged", purge
        self.report.find("index_unexplained", "neither a record nor purged", **where)
        return None

    def count(self, explained, where):
        state, manifest = explained or ("unexplained", None)
        if manifest is None:
            self.report.counts[state] += 1
        else:
            self.explained.setdefault(manifest.id, []).append((state, where))

    # Steps 7 and 8

    def check_manifests(self):
        seals = {}
        for record in self.own:
            if record.action != "annals.manifest_sealed":
                continue
            where = {"epoch": record.epoch, "index": record.index}
            manifest = self.bundle.manifests.get(record.target)
            if manifest is None:
                self.report.find("manifest_missing", "a manifest that the log seals is not there", **where)
                continue
            holds = is_sealed_as(record.metadata, manifest)
            if not holds or manifest.id in seals:
                self.report.find("manifest_mismatch", "not the manifest that the log seals", **where)
            seals.setdefault(manifest.id, (where, holds))
        self.check_order(seals)
        for id, manifest in self.bundle.manifests.items():
            self.settle(manifest, self.explained.get(id, []), seals.get(id))

    def check_order(self, seals):
        last = (0, 0)
        for id in self.bundle.manifests:
            where = seals[id][0] if id in seals else None
            place = (where["epoch"], where["index"]) if where else (2**32, 0)
            if where and place < last:
                self.report.find("manifest_order", "a manifest stands behind one that was sealed later, or is open", **where)
            last = place

    def settle(self, manifest, explained, seal):
        """Counts what a manifest explains, and says what is to be said of one that the log does not seal."""
        if seal:
            for state, _ in explained:
                self.report.counts[state if seal[1] else "unexplained"] += 1
        elif explained:
            excused = self.is_requested(manifest.kind)
            self.report.counts["pending" if excused else "unexplained"] += len(explained)
            code = "manifest_open" if excused else "request_missing"
            self.report.find(code, f"the manifest {ascii(manifest.id)} is not sealed", **explained[0][1])

    def is_requested(self, kind):
        requests = [record for record in self.own if record.action == REQUESTED[kind]]
        ends = [record for record in self.own if record.action in ENDED[kind]]
        ended = {record.target for record in ends} | {None}
        lately = any(record.recorded_at > self.now - OVERDUE for record in requests + ends)
        return lately or any(record.target not in ended for record in requests)

    # Step 9

    def check_epochs(self):
        before = None
        for log in self.bundle.logs:
            if log.epoch != 1:
                record = next((own for own in self.own if (own.epoch, own.index) == (log.epoch, 0)), None)
                self.check_epoch(log, before, record)
            before = log

    def check_epoch(self, log, before, record):
        where = {"epoch": log.epoch, "index": 0}
        try:
            need(record and record.action == "annals.epoch_opened", "it does not begin with what opens an epoch")
            cited = record.metadata.get("checkpoint")
            if before is None:
                need("checkpoint" not in record.metadata, "it cites a log that is not there")
            else:
                need(isinstance(cited, str), "it cites no checkpoint of the log before it")
                checkpoint = parse_checkpoint(cited)
                end = (before.origin, before.size, self.roots[before.epoch, before.size])
                need((checkpoint.origin, checkpoint.size, checkpoint.root) == end, "it cites another end of the log before it")
        except FormatError as error:
            self.report.find("epoch_unlinked", error, **where)
            return
        epoch, size = record.metadata.get("signedEpoch"), record.metadata.get("signedSize")
        kept = next((log.size for log in self.bundle.logs if log.epoch == epoch), 0)
        if is_number(epoch) and is_number(size) and size > kept:
            self.report.find("entries_lost", f"{size} entries of epoch {epoch} had been signed", **where)

    # Step 10

    def check_receipts(self, receipts):
        for receipt in receipts:
            if receipt["tenantId"] != self.bundle.tenant or receipt["leaf"] in self.leaves:
                continue
            place = self.ids.get(receipt["id"])
            newest = float("-inf") if self.newest is None else self.newest
            if place is not None:
                self.report.find("receipt_mismatch", f"{receipt['id']} is there with another leaf", **place)
            elif uuid_time(receipt["batchId"]) > newest - RECEIPT_DELAY:
                self.report.find("receipt_newer", f"{receipt['id']} is newer than the bundle")
            else:
                self.report.find("receipt_missing", f"{receipt['id']} was acknowledged and is not there")


def is_epoch_of(name, base):
    """Whether a key's name is the origin of an epoch of the logs whose first has the origin `base`."""
    suffix = name.removeprefix(base)
    if name == base or not name.startswith(base) or not suffix.startswith("/e"):
        return name == base
    digits = suffix[2:]
    return digits.isascii() and digits.isdecimal() and digits[0] != "0" and len(digits) <= 10 and 2 <= int(digits) < 2**32


def key_or_none(value):
    try:
        return parse_key(value) if isinstance(value, str) else None
    except FormatError:
        return None


def is_sealed_as(said, manifest):
    root = encode_base64(manifest_root(manifest.items, manifest.salt))
    count = said.get("items")
    is_count = is_number(count) and count == len(manifest.items)
    return said.get("kind") == manifest.kind and is_count and said.get("root") == root


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def own_record(record, entry, where):
    metadata = {key: value for key, value in record["metadata"].items() if ("metadata", key) in entry.open_names}
    target = record["target"].get("id") if "target.id" in entry.open_names else None
    return Own(where["epoch"], where["index"], record["action"], milliseconds(record["recordedAt"]), target, metadata)

"""Verification of a bundle, step by step as docs/format.md, "Verifying a bundle", has it."""

from dataclasses import dataclass, field

from bundle import Bundle, BundleError, base_of
from encoding import FormatError, encode_base64, milliseconds, need, uuid_time
from entry import PurgeItem, manifest_root, opening_of, read_activity, rebuild
from notes import LOG, Key, parse_checkpoint, parse_key
from tree import Tree

OVERDUE = 48 * 3600 * 1000
RECEIPT_DELAY = 60 * 1000
PENDING = ("manifest_open", "quorum_awaited", "receipt_newer")
NOTICES = ("entries_lost",)
ENDED = {
    "erasure": ("erasure.completed", "erasure.cancelled"),
    "purge": ("retention.applied", "retention.cancelled"),
}
REQUESTED = {"erasure": "erasure.requested", "purge": "retention.requested"}


@dataclass
class Report:
    findings: list = field(default_factory=list)
    counts: dict = field(default_factory=lambda: dict.fromkeys(("disclosed", "erased", "purged", "pending", "unexplained"), 0))

    def find(self, code, what, **where):
        self.findings.append({"code": code, **where, "what": str(what)})

    def verdict(self):
        codes = {finding["code"] for finding in self.findings} - set(NOTICES)
        return "invalid" if codes - set(PENDING) else "pending" if codes else "valid"


@dataclass
class Own:
    """An own record whose leaf is the one at its index. Only what its leaf commits to is in it."""

    epoch: int
    index: int
    id: str
    action: str
    recorded_at: str
    target: str | None
    metadata: dict


@dataclass
class Item:
    """What a manifest says of an index."""

    manifest: object
    item: object


def verify_bundle(path, policy, now, kept=(), receipts=()):
    """The report on a bundle. `kept` are checkpoints, `now` is in milliseconds since 1970."""
    verification = Verification(policy, now, Report())
    try:
        verification.run(path, kept, receipts)
    except BundleError as error:
        verification.report.find(error.code, error, line=error.line)
    return verification.report


class Verification:
    def __init__(self, policy, now, report):
        self.policy, self.now, self.report = policy, now, report
        self.own = []
        self.ids, self.newest = set(), ""
        self.leaves, self.roots = set(), {}
        self.explaining = set()  # ids of manifests that are all that explains an index

    def run(self, path, kept, receipts):
        self.bundle = Bundle(path)
        if not self.check_origins():
            return
        self.collect_items()
        sizes = self.sizes_of_interest(kept)
        trees = {log.epoch: Tree() for log in self.bundle.logs}
        self.undecided = []
        self.opened = {}
        for log, start, leaves, records in self.bundle.tiles():
            self.leaves.update(leaves)
            for leaf in leaves:
                trees[log.epoch].append(leaf)
                if trees[log.epoch].size in sizes[log.epoch]:
                    self.roots[log.epoch, trees[log.epoch].size] = trees[log.epoch].root()
            self.check_records(log, start, leaves, records)
        self.check_checkpoints()
        self.check_kept(kept)
        self.check_manifests()
        self.check_epochs()
        self.check_receipts(receipts)

    # Step 1

    def check_origins(self):
        self.base = None
        for log in self.bundle.logs:
            try:
                base = base_of(log.origin, self.bundle.tenant, log.epoch)
                need(self.base in (None, base), "another log than that of the epoch before")
                self.base = base
            except FormatError as error:
                self.report.find("bundle_malformed", error, epoch=log.epoch)
                return False
        return True

    # Step 2

    def trusted_keys(self):
        """The public keys of the policy that are named for an epoch of these logs."""
        return [key.public for key in self.policy.logs if self.is_ours(key.name)]

    def is_ours(self, name):
        suffix = name[len(self.base) :] if self.base is not None and name.startswith(self.base) else None
        return suffix == "" or suffix is not None and suffix.startswith("/e") and is_epoch(suffix[2:])

    # Step 3

    def check_checkpoints(self):
        announced = self.announcements()
        trusted = self.trusted_keys()
        others = [public for public in announced if public not in trusted]
        for log in self.bundle.logs:
            cosigned, size = [], 0
            for checkpoint in log.checkpoints:
                last = checkpoint is log.checkpoints[-1]
                where = {"epoch": log.epoch, "size": checkpoint.size}
                if checkpoint.origin != log.origin or checkpoint.size <= size and size or checkpoint.size > log.size:
                    self.report.find("checkpoint_mismatch", "a checkpoint of another log, or out of order", **where)
                size = checkpoint.size
                self.check_signatures(log, checkpoint, (trusted, others, announced), last)
                cosigned.append(self.is_cosigned(checkpoint, where))
                root = self.roots.get((log.epoch, checkpoint.size))
                if checkpoint.origin == log.origin and root is not None and root != checkpoint.root:
                    self.report.find("checkpoint_mismatch", "the tree has another root", **where)
            if size != log.size:
                self.report.find("checkpoint_missing", "no checkpoint of the size of the log", epoch=log.epoch)
            elif not cosigned[-1]:
                code = "quorum_awaited" if any(cosigned) else "quorum_missing"
                self.report.find(code, "no quorum cosigned the newest checkpoint", epoch=log.epoch, size=size)

    def check_signatures(self, log, checkpoint, keys, last):
        trusted, others, announced = keys
        where = {"epoch": log.epoch, "size": checkpoint.size}
        try:
            known = [Key(log.origin, LOG, public) for public in trusted + others]
            signers = [key.public for key in checkpoint.note.signed_by(known)]
        except FormatError as error:
            self.report.find("checkpoint_untrusted", error, **where)
            return
        if not any(public in trusted or public in others and not last for public in signers):
            self.report.find("checkpoint_untrusted", "no key of the policy signed it", **where)
        for public in signers:
            if announced.get(public) is not None and (log.epoch, checkpoint.size) <= announced[public]:
                self.report.find("key_unannounced", "a key signed it that the log announces later", **where)

    def announcements(self):
        """Public keys that the logs name, with the (epoch, index) of the first record that announces each as new."""
        named = {}
        for record in self.own:
            if record.action != "annals.log_key_rotated":
                continue
            for member in ("oldKey", "newKey"):
                try:
                    key = parse_key(str(record.metadata.get(member)))
                    need(key.algorithm == LOG and self.is_ours(key.name), "a key of another log")
                except FormatError:
                    continue
                named.setdefault(key.public, None)
                if member == "newKey" and named[key.public] is None:
                    named[key.public] = (record.epoch, record.index)
        return named

    def is_cosigned(self, checkpoint, where):
        try:
            return self.policy.satisfied_by(checkpoint.note.signed_by(self.policy.witnesses.values()))
        except FormatError as error:
            self.report.find("checkpoint_untrusted", error, **where)
            return False

    # Step 4

    def sizes_of_interest(self, kept):
        sizes = {log.epoch: {log.size, *(checkpoint.size for checkpoint in log.checkpoints)} for log in self.bundle.logs}
        for checkpoint in kept:
            for log in self.bundle.logs:
                if log.origin == checkpoint.origin:
                    sizes[log.epoch].add(checkpoint.size)
        for log in self.bundle.logs:
            self.roots[log.epoch, 0] = Tree().root()
        return sizes

    def check_kept(self, kept):
        for at, checkpoint in enumerate(kept):
            log = next((log for log in self.bundle.logs if log.origin == checkpoint.origin), None)
            where = {"kept": at, "size": checkpoint.size}
            if log is None:
                self.report.find("held_checkpoint_unknown", f"the bundle has no log {checkpoint.origin}", **where)
                continue
            where["epoch"] = log.epoch
            try:
                keys = [Key(log.origin, LOG, public) for public in self.trusted_keys()]
                need(checkpoint.note.signed_by(keys), "no key of the policy signed it")
            except FormatError as error:
                self.report.find("held_checkpoint_untrusted", error, **where)
                continue
            if checkpoint.size > log.size:
                self.report.find("held_checkpoint_beyond", "the log is shorter", **where)
            elif self.roots[log.epoch, checkpoint.size] != checkpoint.root:
                self.report.find("held_checkpoint_mismatch", "the tree had another root", **where)

    # Steps 5 and 6

    def collect_items(self):
        """By epoch: the last item of an erasure for an index, and the ranges of purges."""
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
        """For the indexes of a tile: the manifests of purges that hold them."""
        found = [[] for _ in range(count)]
        for first, end, manifest in self.ranges[epoch]:
            for index in range(max(first, start), min(end, start + count)):
                found[index - start].append(manifest)
        return found

    def check_records(self, log, start, leaves, records):
        purges = self.purges_of(log.epoch, start, len(leaves))
        seen = set()
        for value in records:
            index = value["index"]
            if index in seen:
                self.report.find("record_repeated", "an index with two records", epoch=log.epoch, index=index)
                continue
            seen.add(index)
            where = {"epoch": log.epoch, "index": index}
            entry = self.check_record(value, leaves[index - start], where)
            item = self.items[log.epoch].get(index)
            state = entry and self.check_item(entry, item, where)
            if entry and purges[index - start]:
                self.report.find("purge_not_done", "a record that a manifest lists as purged", **where)
                state = None
            self.count(state, item and item[1], log.epoch, index)
        for index in range(start, start + len(leaves)):
            if index in seen:
                continue
            if purges[index - start]:
                self.count("purged", purges[index - start], log.epoch, index)
            else:
                self.report.find("index_unexplained", "neither a record nor purged", epoch=log.epoch, index=index)
                self.count(None, None, log.epoch, index)

    def check_record(self, value, leaf, where):
        """The entry of a record whose leaf is the one at its index, else None."""
        record = value["record"]
        if isinstance(record, dict) and isinstance(record.get("id"), str):
            self.ids.add(record["id"])
        try:
            read_activity(record)
            need("seed" in value or "openings" in value, "neither a seed nor openings")
            entry = rebuild(record, value["own"], **opening_of(value))
            need(not entry.withheld(), "something is withheld")
            something = "erased" in record or any(slot[1] for slot in entry.slots)
            need(entry.rest is not None or not something, "erased, and no salt of the rest")
        except FormatError as error:
            self.report.find("record_malformed", error, **where)
            return None
        self.newest = max(self.newest, record["recordedAt"])
        if entry.leaf != leaf:
            self.report.find("record_mismatch", "its leaf is not the one at its index", **where)
            return None
        contradiction = self.contradiction(record)
        if contradiction:
            self.report.find("record_contradicts", contradiction, **where)
        if value["own"]:
            self.own.append(own_record(record, entry, where))
        return entry

    def contradiction(self, record):
        if record["tenantId"] != self.bundle.tenant:
            return "it is of another tenant"
        try:
            if milliseconds(record["occurredAt"]) != uuid_time(record["id"]):
                return "it occurred at another time than its id says"
        except FormatError as error:
            return f"occurredAt is {error}"
        return None

    def check_item(self, entry, item, where):
        if item is None and entry.rest is None:
            return "disclosed"
        if item is None:
            self.report.find("erasure_unexplained", "no manifest lists what was erased", **where)
        elif entry.rest is None:
            self.report.find("erasure_not_done", "a manifest lists what is there", **where)
        elif item[0].slot_count != len(entry.slots) or item[0].slots != entry.erased:
            self.report.find("erasure_mismatch", "other slots were erased than a manifest lists", **where)
        elif item[0].rest != entry.rest:
            self.report.find("erasure_mismatch", "what was left is not what a manifest lists", **where)
        else:
            return "erased"
        return None

    def count(self, state, manifests, epoch, index):
        """Counted at the end, when it is known which manifests the log seals."""
        if state in (None, "disclosed"):
            self.report.counts[state or "unexplained"] += 1
        else:
            self.undecided.append((state, manifests if isinstance(manifests, list) else [manifests]))

    # Steps 7 and 8

    def check_manifests(self):
        places = {id: at for at, id in enumerate(self.bundle.manifests)}
        sealed, last = set(), -1
        for record in self.own:
            if record.action != "annals.manifest_sealed":
                continue
            where = {"epoch": record.epoch, "index": record.index}
            manifest = self.bundle.manifests.get(record.target)
            if manifest is None:
                self.report.find("manifest_missing", "a manifest that the log seals is not there", **where)
                continue
            said = record.metadata
            root = encode_base64(manifest_root(manifest.items, manifest.salt))
            what = (said.get("kind"), said.get("items"), said.get("root"))
            if manifest.id in sealed or what != (manifest.kind, len(manifest.items), root):
                self.report.find("manifest_mismatch", "not the manifest that the log seals", **where)
            elif places[manifest.id] < last:
                self.report.find("manifest_order", "manifests stand in another order than the log seals them", **where)
            last = max(last, places[manifest.id])
            sealed.add(manifest.id)
        open_before = [id for id, at in places.items() if id not in sealed and at < last]
        if open_before:
            self.report.find("manifest_order", "a manifest that the log does not seal stands before one that it does")
        self.check_open(sealed)

    def check_open(self, sealed):
        excused = {kind: self.is_requested(kind) for kind in REQUESTED}
        awaited = {}
        for state, manifests in self.undecided:
            if any(manifest.id in sealed for manifest in manifests):
                self.report.counts[state] += 1
                continue
            kind = manifests[0].kind
            self.report.counts["pending" if excused[kind] else "unexplained"] += 1
            awaited[manifests[0].id] = kind
        for id, kind in awaited.items():
            code = "manifest_open" if excused[kind] else "request_missing"
            self.report.find(code, f"manifest {id} is not sealed", manifest=id)

    def is_requested(self, kind):
        ended = {record.target for record in self.own if record.action in ENDED[kind]}
        for record in self.own:
            if record.action == REQUESTED[kind]:
                if milliseconds(record.recorded_at) > self.now - OVERDUE:
                    return True
                if record.target is not None and record.target not in ended:
                    return True
        return False

    # Step 9

    def check_epochs(self):
        sizes = {log.epoch: log.size for log in self.bundle.logs}
        before = None
        for log in self.bundle.logs:
            if log.epoch != 1:
                record = next((own for own in self.own if (own.epoch, own.index) == (log.epoch, 0)), None)
                self.check_epoch(log, before, record, sizes)
            before = log

    def check_epoch(self, log, before, record, sizes):
        where = {"epoch": log.epoch, "index": 0}
        try:
            need(record and record.action == "annals.epoch_opened", "it does not begin with what opens an epoch")
            cited = record.metadata.get("checkpoint")
            if before is None:
                need(cited is None, "it cites a log that is not there")
            else:
                need(isinstance(cited, str), "it cites no checkpoint of the log before it")
                checkpoint = parse_checkpoint(cited)
                need(checkpoint.origin == before.origin, "it cites another log")
                need(checkpoint.size == before.size, "it cites another size than that of the log before it")
                need(checkpoint.root == self.roots[before.epoch, before.size], "it cites another root")
        except FormatError as error:
            self.report.find("epoch_unlinked", error, **where)
            return
        epoch, size = record.metadata.get("signedEpoch"), record.metadata.get("signedSize")
        if isinstance(epoch, int) and isinstance(size, int) and size > sizes.get(epoch, 0):
            self.report.find("entries_lost", f"{size} entries of epoch {epoch} had been signed", **where)

    # Step 10

    def check_receipts(self, receipts):
        newest = milliseconds(self.newest) if self.newest else 0
        for at, receipt in enumerate(receipts):
            if receipt["tenantId"] != self.bundle.tenant or receipt["leaf"] in self.leaves:
                continue
            where = {"receipt": at, "id": receipt["id"]}
            if receipt["id"] in self.ids:
                self.report.find("receipt_mismatch", "the record is there with another leaf", **where)
            elif uuid_time(receipt["batchId"]) > newest - RECEIPT_DELAY:
                self.report.find("receipt_newer", "newer than the bundle", **where)
            else:
                self.report.find("receipt_missing", "what was acknowledged is not there", **where)


def own_record(record, entry, where):
    metadata = {key: value for key, value in record.get("metadata", {}).items() if ("metadata", key) in entry.open_names}
    target = record.get("target", {}).get("id") if "target.id" in entry.open_names else None
    return Own(where["epoch"], where["index"], record["id"], record["action"], record["recordedAt"], target, metadata)


def is_epoch(digits):
    return digits.isascii() and digits.isdecimal() and digits[0] != "0" and 2 <= int(digits[:11]) < 2**32 and len(digits) < 11

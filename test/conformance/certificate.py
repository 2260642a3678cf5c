"""Verification of a certificate: docs/format.md, "Certificate"."""

from bundle import escaped, origin_of
from encoding import FormatError, canonical, decode_base64, integer, members, milliseconds, need, parse_json
from encoding import ecmascript, text, utf8, uuid_time
from entry import opening_of, read_activity, read_epoch, rebuild
from notes import Key, format_key, parse_checkpoint, parse_policy
from tree import includes
from verifier import is_epoch_of

MAX_CHARACTERS, MAX_MANIFESTS, MAX_HASHES = 4_000_000, 1_000, 64
ENDED = {
    False: {"completed": "erasure.completed", "cancelled": "erasure.cancelled"},
    True: {"completed": "retention.applied", "cancelled": "retention.cancelled"},
}


def verify_certificate(source, policy):
    """(findings, verdict) on a certificate, of bytes. The time does not matter to it."""
    findings = []
    try:
        certificate = Certificate(read_certificate(source), policy, findings)
        certificate.check()
    except FormatError as error:
        findings.append({"code": "certificate_malformed", "what": str(error)})
    if any(finding["code"] not in PENDING for finding in findings):
        return findings, "invalid"
    return findings, "pending" if findings else "valid"


# What no run reaches, by whether it is a purge.
EVERYWHERE = (
    ("dead_rows", "Replaced and removed rows stay in the files of the database until it has vacuumed and overwritten them."),
    ("wal", "The write-ahead log of the database and its archive hold what was written until they are recycled."),
    ("backups", "Backups made before hold everything; after one is restored, the run must be repeated."),
    ("replicas", "Replicas of the database follow by themselves, each with its own files."),
    ("exports", "Exports, bundles, receipts and copies in other systems are outside the log."),
    ("recipients", "Whoever kept a value with its salt or seed can still show that it stood in the log."),
)
OF_ERASURES = ("linkage", "That a record exists, its time, action and outcome, and the values that were not erased stay.")
OF_PURGES = ("leaves", "The hash of each purged record stays in the log; it tells nothing of its content.")
OUT_OF_REACH = {
    purge: [{"code": code, "text": text} for code, text in (*EVERYWHERE, last)]
    for purge, last in ((False, OF_ERASURES), (True, OF_PURGES))
}
PENDING = ("manifest_open", "proof_awaited", "quorum_awaited")


def read_certificate(source):
    need(len(source) <= 3 * MAX_CHARACTERS, "a certificate of too many characters")
    value = parse_json(source)
    shown = source.decode("utf-8")
    need(len(shown.encode("utf-16-le")) <= 2 * MAX_CHARACTERS, "a certificate of too many characters")
    need(shown in (ecmascript(value), ecmascript(value, 0) + "\n"), "not spelled as a certificate is")
    members(value, ("version", "tenantId", "job", "account", "outOfReach", "requested", "completed", "manifests", "policy"))
    need(integer(value["version"]) == 1, "a certificate of an unknown version")
    text(value["tenantId"])
    job = members(value["job"], ("id", "kind", "mode", "status"))
    text(job["id"])
    need(job["kind"] in ("anonymize", "redact", "retention"), "an unknown kind of job")
    modes = ("anonymize", "pseudonymize") if job["kind"] == "anonymize" else (job["kind"],)
    need(job["mode"] in modes, "an unknown mode of a job")
    need(job["status"] in ("completed", "cancelled"), "an unknown status of a job")
    need(isinstance(value["account"], dict), "an account that is no object")
    need(isinstance(value["outOfReach"], list), "outOfReach is no list")
    need(isinstance(value["manifests"], list) and len(value["manifests"]) <= MAX_MANIFESTS, "no list of manifests")
    for manifest in value["manifests"]:
        members(manifest, ("id",), ("sealed", "dueAt"))
        text(manifest["id"])
        need(("sealed" in manifest) != ("dueAt" in manifest), "a manifest is either sealed or due")
        if "dueAt" in manifest:
            milliseconds(manifest["dueAt"])
    text(value["policy"])
    return value


class Certificate:
    def __init__(self, value, policy, findings):
        self.value, self.policy, self.findings = value, policy, findings
        self.tenant, self.job = value["tenantId"], value["job"]
        try:
            self.own_policy = parse_policy(utf8(value["policy"]))
        except FormatError as error:
            raise FormatError(f"policy: {error}") from None
        plain = "".join(f"log {format_key(key)}\n" for key in self.own_policy.logs) + "quorum none\n"
        need(value["policy"] == plain, "its policy says more than the keys of the log")

    def find(self, code, what, **where):
        self.findings.append({"code": code, **where, "what": str(what)})

    def check(self):
        value, job = self.value, self.job
        purge = job["kind"] == "retention"
        requested = self.record("requested", value["requested"])
        completed = self.record("completed", value["completed"])
        ids = [manifest["id"] for manifest in value["manifests"]]
        if requested:
            need(requested["action"] == ("retention.requested" if purge else "erasure.requested"), "another request")
            self.check_job(requested)
        if completed:
            need(completed["action"] == ENDED[purge][job["status"]], "another end")
            self.check_job(completed)
            metadata = completed.get("metadata", {})
            need(same(metadata.get("manifests"), ids), "other manifests than the record says")
            need(same(value["account"], account_of(metadata, purge)), "another account than the record says")
        need(same(value["outOfReach"], OUT_OF_REACH[purge]), "another list of what is out of reach")
        for manifest in value["manifests"]:
            self.check_manifest(manifest, purge)

    def check_job(self, record):
        metadata = record.get("metadata", {})
        need(metadata.get("jobId") == self.job["id"] and metadata.get("mode") == self.job["mode"], "of another job")

    def check_manifest(self, manifest, purge):
        if "dueAt" in manifest:
            self.find("manifest_open", "a manifest is not sealed", manifest=manifest["id"])
            return
        sealed = self.record("sealed", manifest["sealed"])
        if sealed:
            need(sealed["action"] == "annals.manifest_sealed", "another record than one that seals")
            need(same(sealed.get("target"), {"type": "manifest", "id": manifest["id"]}), "it seals another manifest")
            need(sealed.get("metadata", {}).get("kind") == ("purge" if purge else "erasure"), "a manifest of another kind")

    def record(self, name, value):
        """Steps 1 and 2: the activity, in which nothing is left that its leaf does not commit to."""
        members(value, ("record",), ("seed", "openings", "proof"))
        record = read_activity(value["record"])
        need("erased" not in record, f"{name}: something was erased")
        entry = rebuild(record, True, **opening_of(value))
        need(entry.rest is None, f"{name}: a salt of a rest")
        need(record["tenantId"] == self.tenant, f"{name}: of another tenant")
        need(milliseconds(record["occurredAt"]) == uuid_time(record["id"]), f"{name}: at another time than its id says")
        need(not entry.unproven, f"{name}: it shows what its leaf does not commit to")
        if "proof" in value:
            self.check_proof(name, entry.leaf, value["proof"])
        else:
            self.find("proof_awaited", f"{name}: no checkpoint covers it yet")
        return record

    def check_proof(self, name, leaf, proof):
        members(proof, ("epoch", "index", "hashes", "note"))
        need(isinstance(proof["hashes"], list) and len(proof["hashes"]) <= MAX_HASHES, f"no list of {MAX_HASHES} hashes")
        hashes = [decode_base64(hash, 32) for hash in proof["hashes"]]
        checkpoint = parse_checkpoint(text(proof["note"]))
        epoch, index = read_epoch(proof), integer(proof["index"])
        log_name = checkpoint.origin.partition("/")[0]
        base = f"{log_name}/{escaped(self.tenant)}"
        need(log_name and checkpoint.origin == origin_of(base, epoch), f"{name}: a checkpoint of another log")
        need(includes(checkpoint.root, checkpoint.size, index, leaf, hashes), f"{name}: its proof does not hold")
        for policy in (self.policy, self.own_policy):
            keys = [Key(checkpoint.origin, key.algorithm, key.public) for key in policy.logs if is_epoch_of(key.name, base)]
            need(checkpoint.note.signed_by(keys), f"{name}: no key of the policy signed its checkpoint")
            signers = checkpoint.note.signed_by(policy.witnesses.values())
            if not policy.satisfied_by(signers):
                self.find("quorum_awaited", f"{name}: no quorum cosigned its checkpoint")


def account_of(metadata, purge):
    account = {"tables": {"activity": {"removed" if purge else "changed": metadata.get("changed", 0)}}}
    account["held"] = metadata.get("held", 0)
    for name in ("fields", "policies", "partitionsDropped", "residual"):
        if name in metadata:
            account[name] = metadata[name]
    return account


def same(one, other):
    return canonical(one) == canonical(other)

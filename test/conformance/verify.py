#!/usr/bin/env python3
"""A second verifier of bundles and certificates, written from docs/format.md. Python 3.10 or later, no other packages.

    verify.py BUNDLE --policy FILE [--old-checkpoint FILE]... [--receipts FILE] [--now TIME]
    verify.py --certificate FILE --policy FILE
    verify.py --vectors DIRECTORY
    verify.py --batch FILE

Prints a JSON line for each finding and one with the verdict. The exit code is 0: valid, 7: invalid, 8: valid so far
but something is pending, 2: a file or an option cannot be used.

A batch is a JSON line for each bundle or certificate: {"bundle" or "certificate", "policy"} and where wanted
"oldCheckpoints": [], "receipts" and "now". It prints one line for each, and its exit code is 0.
"""

import argparse
import json
import sys
import time

from certificate import verify_certificate
from encoding import FormatError, milliseconds
from notes import parse_checkpoint, parse_policy
from receipts import parse_receipts
from vectors import check_vectors
from verifier import verify_bundle

EXIT = {"valid": 0, "invalid": 7, "pending": 8}


class Unusable(Exception):
    """A file or an option that cannot be used."""


def read(path, parse):
    try:
        with open(path, "rb") as file:
            return parse(file.read())
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from None
    except FormatError as error:
        raise Unusable(f"{path}: {error}") from None


def policy_of(source):
    policy = parse_policy(source)
    if not policy.logs:
        raise FormatError("a policy without a log")
    return policy


def checkpoint_of(source):
    try:
        return parse_checkpoint(source.decode("utf-8"))
    except UnicodeDecodeError:
        raise FormatError("not UTF-8") from None


def now_of(value):
    try:
        return milliseconds(value) if value else time.time_ns() // 1_000_000
    except FormatError as error:
        raise Unusable(f"--now: {error}") from None


def verify(case):
    """The findings and the last line on a bundle or a certificate."""
    policy = read(case["policy"], policy_of)
    if "certificate" in case:
        findings, verdict = read(case["certificate"], lambda source: verify_certificate(source, policy))
        return findings, {"verdict": verdict, "exit": EXIT[verdict]}
    kept = [read(path, checkpoint_of) for path in case.get("oldCheckpoints", [])]
    receipts = read(case["receipts"], parse_receipts) if case.get("receipts") else []
    try:
        report = verify_bundle(case["bundle"], policy, now_of(case.get("now")), kept, receipts)
    except OSError as error:
        raise Unusable(f"{case['bundle']}: {error.strerror}") from None
    verdict = report.verdict()
    return report.findings, {"verdict": verdict, "exit": EXIT[verdict], "counts": report.counts}


def run_batch(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            try:
                findings, last = verify(json.loads(line))
                print(json.dumps({**last, "findings": findings}))
            except Unusable as error:
                print(json.dumps({"exit": 2, "what": str(error)}))
    return 0


def run_vectors(directory):
    code = 0
    for name, lines, failures in check_vectors(directory):
        print(json.dumps({"vectors": name, "lines": lines, "failures": failures}))
        code = 7 if failures else code
    return code


def run_one(options):
    what = {"certificate": options.certificate} if options.certificate else {"bundle": options.bundle}
    files = {"policy": options.policy, "oldCheckpoints": options.old_checkpoint, "receipts": options.receipts}
    findings, last = verify({**what, **files, "now": options.now})
    for line in [*findings, last]:
        print(json.dumps(line))
    return last["exit"]


def parse_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("bundle", nargs="?")
    for name in ("--certificate", "--vectors", "--batch"):
        what.add_argument(name)
    parser.add_argument("--policy")
    parser.add_argument("--old-checkpoint", action="append", default=[])
    parser.add_argument("--receipts")
    parser.add_argument("--now")
    options = parser.parse_args(arguments)
    if (options.bundle or options.certificate) and not options.policy:
        parser.error("--policy is needed")
    return options


def main(arguments):
    options = parse_options(arguments)
    try:
        if options.batch:
            return run_batch(options.batch)
        return run_vectors(options.vectors) if options.vectors else run_one(options)
    except (Unusable, OSError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

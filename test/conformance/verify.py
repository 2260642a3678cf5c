#!/usr/bin/env python3
"""A second verifier of bundles and certificates, written from docs/format.md. Python 3.10 or later, no other packages.

    verify.py BUNDLE... --policy FILE [--old-checkpoint FILE]... [--receipts FILE] [--now TIME]
    verify.py --certificate FILE --policy FILE
    verify.py --vectors DIRECTORY

Prints a JSON line for each finding and one with the verdict. The exit code is 0: valid, 7: invalid, 8: valid so far
but something is pending, 2: a file or an option cannot be used. Of several bundles, each line names its file and the
code is the worst of all.
"""

import argparse
import json
import sys
import time

from encoding import FormatError, milliseconds
from notes import parse_checkpoint, parse_policy
from receipts import parse_receipts
from vectors import check_vectors
from verifier import verify_bundle

EXIT = {"valid": 0, "invalid": 7, "pending": 8}
SEVERITY = (0, 8, 7)


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


def checkpoint_of(source):
    try:
        return parse_checkpoint(source.decode("utf-8"))
    except UnicodeDecodeError:
        raise FormatError("not UTF-8") from None


def say(value):
    print(json.dumps(value))


def vectors(directory):
    code = 0
    for name, lines, failures in check_vectors(directory):
        say({"vectors": name, "lines": lines, "failures": failures})
        code = 7 if failures else code
    return code


def bundles(options):
    policy = read(options.policy, parse_policy)
    kept = [read(path, checkpoint_of) for path in options.old_checkpoint]
    receipts = read(options.receipts, parse_receipts) if options.receipts else []
    worst = 0
    for path in options.bundle:
        try:
            report = verify_bundle(path, policy, options.now, kept, receipts)
        except OSError as error:
            raise Unusable(f"{path}: {error.strerror}") from None
        verdict = report.verdict()
        for finding in report.findings:
            say({"file": path, **finding})
        say({"file": path, "verdict": verdict, "exit": EXIT[verdict], "counts": report.counts})
        worst = max(worst, EXIT[verdict], key=SEVERITY.index)
    return worst


def parse_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", nargs="*")
    parser.add_argument("--policy")
    parser.add_argument("--old-checkpoint", action="append", default=[])
    parser.add_argument("--receipts")
    parser.add_argument("--now")
    parser.add_argument("--certificate")
    parser.add_argument("--vectors")
    options = parser.parse_args(arguments)
    if options.vectors is None and not options.policy:
        parser.error("--policy is needed")
    if (options.vectors is not None) + (options.certificate is not None) + bool(options.bundle) != 1:
        parser.error("either bundles, a certificate or vectors")
    try:
        options.now = milliseconds(options.now) if options.now else time.time_ns() // 1_000_000
    except FormatError as error:
        parser.error(f"--now: {error}")
    return options


def main(arguments):
    options = parse_options(arguments)
    try:
        return vectors(options.vectors) if options.vectors is not None else bundles(options)
    except Unusable as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Receipts: a JSON line for each activity that the log took."""

from encoding import FormatError, decode_base64, integer, need, parse_json, text, uuid


def parse_receipts(source):
    receipts = []
    for at, line in enumerate(source.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            value = parse_json(line)
            need(isinstance(value, dict), "not an object")
            need({"tenantId", "id", "batchId", "position", "leaf"} <= value.keys(), "a member is missing")
            text(value["tenantId"])
            uuid(value["id"])
            uuid(value["batchId"])
            integer(value["position"])
            receipts.append({**value, "leaf": decode_base64(value["leaf"], 32)})
        except FormatError as error:
            raise FormatError(f"line {at} is no receipt: {error}") from None
    return receipts

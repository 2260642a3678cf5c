"""Texts, numbers, times and bytes as docs/format.md writes them. What is not spelled as it says is a FormatError."""

import base64
import json
import re
from datetime import datetime, timedelta, timezone

MAX_INTEGER = 2**53 - 1
MAX_LEVELS = 100
MAX_LINE_LEVELS = 200
EPOCH_START = datetime(1970, 1, 1, tzinfo=timezone.utc)
BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", re.ASCII)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
NESTING = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')
ARRAY_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class FormatError(Exception):
    """Something is not written as the page says."""


def need(condition, what):
    if not condition:
        raise FormatError(what)


def decode_base64(text, length=None):
    """Bytes of base64 in its one spelling: padded, no blanks, unused bits 0."""
    need(isinstance(text, str) and BASE64.fullmatch(text), "not base64")
    data = base64.b64decode(text)
    need(base64.b64encode(data).decode() == text, "not the one spelling of its base64")
    need(length is None or len(data) == length, f"not {length} bytes")
    return data


def encode_base64(data):
    return base64.b64encode(data).decode()


def integer(value, low=0, high=MAX_INTEGER):
    """A number that is a whole one, however it is spelled: 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    need(type(value) is int and low <= value <= high, f"not an integer from {low} to {high}")
    return value


def text(value):
    need(isinstance(value, str), "not a text")
    utf8(value)
    return value


def utf8(value):
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise FormatError("a text with a lone surrogate") from None


def uuid(value):
    need(isinstance(value, str) and UUID.fullmatch(value), "not a UUID in lowercase")
    return value


def milliseconds(value):
    """Milliseconds since 1970, or before, of a time in its one spelling."""
    need(isinstance(value, str) and TIME.fullmatch(value), "not a time")
    try:
        time = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise FormatError("no such time") from None
    return (time - EPOCH_START) // timedelta(milliseconds=1)


def uuid_time(value):
    """Milliseconds since 1970: the first 48 bits of a UUID of version 7."""
    return int(value[:8] + value[9:13], 16)


def members(value, required, optional=()):
    """Checks that an object has the members that it must have, and none but these and the optional ones."""
    need(isinstance(value, dict), "not an object")
    missing = [name for name in required if name not in value]
    need(not missing, f"without {', '.join(missing)}")
    others = [name for name in value if name not in required and name not in optional]
    need(not others, f"a member that it does not have: {ascii(others[:1])}")
    return value


def _integer_of(digits):
    """Whole numbers up to 16 digits as they are; others, and -0, as the double that they are in an activity."""
    return int(digits) if len(digits) <= 16 and digits != "-0" else float(digits)


def _no_constant(name):
    raise FormatError(f"{name} is not JSON")


def _check_levels(source):
    """Refuses what nests too deep before it is parsed; brackets within strings do not count."""
    level = 0
    for mark in NESTING.findall(source):
        level += {"{": 1, "[": 1, "}": -1, "]": -1}.get(mark, 0)
        need(level <= MAX_LINE_LEVELS, f"more than {MAX_LINE_LEVELS} levels")


def _object(pairs):
    result = dict(pairs)
    need(len(result) == len(pairs), "an object with one name twice")
    return result


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer_of, parse_constant=_no_constant)


def parse_json(source):
    """The value of JSON in UTF-8 or a str. Objects with one name twice, NaN and Infinity are refused."""
    try:
        source = source.decode("utf-8") if isinstance(source, bytes) else source
    except UnicodeDecodeError:
        raise FormatError("not UTF-8") from None
    if source.count("[") + source.count("{") > MAX_LINE_LEVELS:
        _check_levels(source)
    try:
        return _decoder.decode(source)
    except ValueError:
        raise FormatError("not JSON") from None


def canonical(value):
    """JCS (RFC 8785) of a value, as UTF-8."""
    parts = []
    _write(value, parts, 1)
    return utf8("".join(parts))


def _write(value, parts, level):
    need(level <= MAX_LEVELS or not isinstance(value, (dict, list)), f"more than {MAX_LEVELS} levels")
    if isinstance(value, str):
        parts.append(_quoted(value))
    elif value is None or value is True or value is False:
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, (int, float)):
        parts.append(number(value))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            parts.append("," if i else "[")
            _write(item, parts, level + 1)
        parts.append("]" if value else "[]")
    else:
        for i, key in enumerate(sorted_keys(value)):
            parts.append(("," if i else "{") + _quoted(key) + ":")
            _write(value[key], parts, level + 1)
        parts.append("}" if value else "{}")


def _quoted(value):
    # What json escapes is what the page lists, but for U+007F and beyond, which ensure_ascii=False leaves alone.
    return json.dumps(value, ensure_ascii=False)


def sorted_keys(value):
    """The keys of an object by their UTF-16 code units."""
    try:
        return sorted(value, key=lambda key: key.encode("utf-16-be"))
    except UnicodeEncodeError:
        raise FormatError("a key with a lone surrogate") from None


def number(value):
    """A number as ECMAScript's Number::toString writes its double.

    Python's repr has the same digits, the shortest that give the same double; only where the point stands differs.
    """
    double = float(value)
    need(double - double == 0, "a number that is no finite double")
    if double == 0:
        return "0"
    sign = "-" if double < 0 else ""
    mantissa, _, exponent = repr(abs(double)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The value is 0.digits * 10^point.
    point = int(exponent or 0) + len(whole) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if 0 < point <= 21:
        if len(digits) <= point:
            return sign + digits.ljust(point, "0")
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    shown = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{sign}{shown}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def ecmascript(value, depth=None):
    """JSON as ECMAScript's JSON.stringify writes it: without blanks, or indented by two where a depth is given."""
    if not isinstance(value, (dict, list)) or not value:
        return canonical(value).decode()
    inner = None if depth is None else depth + 1
    if isinstance(value, list):
        parts = [ecmascript(item, inner) for item in value]
        start, end = "[]"
    else:
        colon = ":" if depth is None else ": "
        parts = [_quoted(key) + colon + ecmascript(value[key], inner) for key in in_order(value)]
        start, end = "{}"
    if depth is None:
        return start + ",".join(parts) + end
    line = "\n" + "  " * depth
    return start + ",".join(line + "  " + part for part in parts) + line + end


def in_order(value):
    """The keys of an object as ECMAScript keeps them: those that are array indexes ascend before the others."""
    indexes = [key for key in value if ARRAY_INDEX.fullmatch(key) and int(key) < 2**32 - 1]
    others = set(indexes)
    return sorted(indexes, key=int) + [key for key in value if key not in others]

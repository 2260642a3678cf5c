"""Verification of Ed25519 signatures (RFC 8032, section 5.1.7), on Python's integers.

As docs/format.md asks: S is below the order of the group, and neither the key nor R is of small order.

Points are in extended homogeneous coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z; the formulas are
those of RFC 8032, section 5.1.4. Nothing here is secret, so nothing takes constant time.
"""

from functools import lru_cache
from hashlib import sha512

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1, 1, 0)


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def decode(data):
    """The point that 32 bytes encode, or None. One point has one encoding: y is below P, and x = 0 is not negative."""
    y = int.from_bytes(data, "little")
    negative, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and negative):
        return None
    if x & 1 != negative:
        x = P - x
    return (x, y, 1, x * y % P)


def encode(point):
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def negate(point):
    return (-point[0] % P, point[1], point[2], -point[3] % P)


def is_small_order(point):
    """Whether eight times the point is the identity: of eight points, and a signature by one proves nothing."""
    for _ in range(3):
        point = add(point, point)
    return point[0] == 0 and point[1] == point[2]


def multiples(point):
    """Of a point, row i holds its multiples by 0, 1, .. 15 times 16^i: a product is then one addition a row."""
    rows = []
    for _ in range(64):
        row = [IDENTITY]
        for _ in range(15):
            row.append(add(row[-1], point))
        rows.append(row)
        point = add(row[-1], point)
    return rows


def times(scalar, rows):
    total = IDENTITY
    for row in rows:
        total = add(total, row[scalar & 15])
        scalar >>= 4
    return total


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
BASE_ROWS = multiples(BASE)


@lru_cache(maxsize=256)
def rows_of_key(key):
    """The multiples of minus the point of a public key; None for what is no key, or one of small order."""
    point = decode(key)
    return None if point is None or is_small_order(point) else multiples(negate(point))


def verify(key, message, signature):
    """Whether a signature of 64 bytes is one of the message by the key: R = S*B - k*A."""
    if len(key) != 32 or len(signature) != 64:
        return False
    rows = rows_of_key(bytes(key))
    s = int.from_bytes(signature[32:], "little")
    if rows is None or s >= ORDER:
        return False
    k = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % ORDER
    r = add(times(s, BASE_ROWS), times(k, rows))
    return encode(r) == signature[:32] and not is_small_order(r)


def public_key(seed):
    """The public key of a seed of 32 bytes (RFC 8032, section 5.1.5). For vectors only: it is not constant in time."""
    scalar = int.from_bytes(sha512(seed).digest()[:32], "little")
    scalar = scalar & (2**254 - 8) | 2**254
    return encode(times(scalar, BASE_ROWS))

"""The Merkle tree of RFC 6962, section 2.1, and its proofs (checked as RFC 9162, sections 2.1.3.2 and 2.1.4.2 say)."""

from hashlib import sha256


def H(*parts):
    return sha256(b"".join(parts)).digest()


def node(left, right):
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """Grows leaf by leaf; `root()` is that of the leaves so far. Holds one hash for each bit that is set in the size."""

    def __init__(self):
        self.size = 0
        self.peaks = []

    def append(self, leaf):
        size = self.size
        while size & 1:
            leaf = node(self.peaks.pop(), leaf)
            size >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self):
        if not self.peaks:
            return H()
        result = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            result = node(peak, result)
        return result


def root_of(leaves):
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def includes(root, size, index, leaf, proof):
    """Whether the proof leads from the leaf at an index to the root of a tree of that size."""
    if not 0 <= index < size:
        return False
    at, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            result = node(sibling, result)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            result = node(result, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and result == root


def extends(old_root, old_size, new_root, new_size, proof):
    """Whether the proof shows that a tree of a size and root is the beginning of another."""
    if not 0 < old_size <= new_size or (old_size == new_size) == bool(proof):
        return False
    if old_size == new_size:
        return old_root == new_root
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node(sibling, old), node(sibling, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node(new, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root

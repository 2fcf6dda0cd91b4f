#!/usr/bin/env python3
"""Checks a file that `boxd ledger export` wrote: everything that left a box for the cloud.

    egress.py FILE [--ca CA.pem] [--witness KEPT]

It shares nothing with Branchline and needs nothing but Python 3.9: chain, contents, checkpoints (RFC 9162 section 2.1.1),
the box's signatures, the cloud's counter-signatures and the box's certificate are computed here anew. `--ca` is the
organisation's CA as you know it; without it the one in the file is believed. `--witness` is what your own sink has kept.
Ends with 0 when everything holds, with 1 and the place when something does not, with 2 when it cannot be read.
"""

import argparse
import base64
import hashlib
import json
import sys
from datetime import datetime, timezone

# NIST P-256 (FIPS 186-5, SP 800-186).
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


class Wrong(Exception):
    """Something does not hold."""


class Unreadable(Exception):
    """The file is not what it should be."""


def add(a, b):
    if a is None or b is None:
        return a or b
    (x1, y1), (x2, y2) = a, b
    if x1 == x2:
        if (y1 + y2) % P == 0:
            return None
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P)
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def times(k, point):
    result = None
    while k:
        if k & 1:
            result = add(result, point)
        point = add(point, point)
        k >>= 1
    return result


def der(data, want=None):
    """One element of DER: its tag, what is in it, and what follows."""
    if len(data) < 2:
        raise Unreadable("a DER element is cut short")
    tag, length, at = data[0], data[1], 2
    if length & 0x80:
        count = length & 0x7F
        length, at = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
    if at + length > len(data):
        raise Unreadable("a DER element is cut short")
    if want is not None and tag != want:
        raise Unreadable(f"DER tag {tag:#x} where {want:#x} belongs")
    return tag, data[at : at + length], data[at + length :]


def verifies(key, message, signature):
    """ECDSA with SHA-256 over P-256, the signature in ASN.1 (RFC 3279 section 2.2.3)."""
    try:
        _, pair, rest = der(signature, 0x30)
        _, r, after = der(pair, 0x02)
        _, s, end = der(after, 0x02)
    except Unreadable:
        return False
    r, s = int.from_bytes(r, "big"), int.from_bytes(s, "big")
    if rest or end or not (0 < r < N and 0 < s < N):
        return False
    e = int.from_bytes(hashlib.sha256(message).digest(), "big")
    w = pow(s, -1, N)
    point = add(times(e * w % N, G), times(r * w % N, key))
    return point is not None and point[0] % N == r


class Certificate:
    """As much of X.509 (RFC 5280) as is needed here."""

    def __init__(self, data):
        _, whole, _ = der(data, 0x30)
        _, signed, rest = der(whole, 0x30)
        self.signed = whole[: len(whole) - len(rest)]
        _, _, rest = der(rest, 0x30)
        self.signature = der(rest, 0x03)[1][1:]
        fields, rest = [], signed
        while rest:
            before = rest
            tag, inside, rest = der(rest)
            fields.append((tag, inside, before[: len(before) - len(rest)]))
        if fields and fields[0][0] == 0xA0:
            fields.pop(0)
        # serial, algorithm, issuer, validity, subject, key
        _, _, after = der(fields[5][1], 0x30)
        point = der(after, 0x03)[1][1:]
        if len(point) != 65 or point[0] != 4:
            raise Unreadable("the certificate's key is not of P-256")
        self.key = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
        x, y = self.key
        if (y * y - x * x * x + 3 * x - B) % P:
            raise Unreadable("the certificate's key is no point of the curve")
        self.all = data

    def is_signed_by(self, issuer):
        return verifies(issuer.key, self.signed, self.signature)


def root(leaves):
    """RFC 9162 section 2.1.1, as it is written there."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + root(leaves[:split]) + root(leaves[split:])).digest()


def number(value, size=8):
    return int(value).to_bytes(size, "big", signed=value < 0)


def read(path):
    """The header, the lines and the checkpoints."""
    header, lines, checkpoints = None, [], []
    with open(path, encoding="utf-8") as file:
        for at, text in enumerate(file, 1):
            try:
                entry = json.loads(text)
            except ValueError:
                raise Unreadable(f"line {at} of the file is not JSON") from None
            if header is None:
                if entry.get("format") != "branchline egress 1":
                    raise Unreadable("not a file of `boxd ledger export`")
                header = entry
            elif "checkpoint" in entry:
                checkpoints.append(entry)
            else:
                lines.append(entry)
    if header is None:
        raise Unreadable("an empty file")
    return header, lines, checkpoints


def chain(header, lines):
    """Follows it from its first line; the hashes of all lines."""
    before, hashes, read_bodies = bytes.fromhex(header["origin"]), [], 0
    for at, entry in enumerate(lines):
        if entry["line"] != at:
            raise Wrong(f"line {at} is missing: {entry['line']} stands there")
        sha = bytes.fromhex(entry["sha256"])
        if entry.get("body") is not None:
            body = base64.b64decode(entry["body"])
            if hashlib.sha256(body).digest() != sha or len(body) != entry["bytes"]:
                raise Wrong(f"line {at}: the contents are not those that left")
            read_bodies += 1
        said = (
            b"branchline egress line 1"
            + number(at)
            + number(entry["at"])
            + bytes([entry["class"]])
            + number(entry["bytes"])
            + sha
            + before
        )
        before = hashlib.sha256(said).digest()
        if before.hex() != entry["hash"]:
            raise Wrong(f"line {at} is not the one that was written")
        hashes.append(before)
    return hashes, read_bodies


def covered(header, hashes, checkpoints, box, ca):
    """Checks each checkpoint and who signed it; the last line that each of the two vouches for."""
    signed = seen = None
    next_line = 0
    for entry in checkpoints:
        first, count = entry["checkpoint"], entry["count"]
        if first != next_line:
            raise Wrong(f"a checkpoint is missing: the next one begins at line {first}, not {next_line}")
        next_line = first + count
        leaves = hashes[first:next_line]
        if len(leaves) != count:
            raise Wrong(f"the list ends at line {len(hashes)}, a checkpoint covers lines {first} to {next_line - 1}")
        if root(leaves).hex() != entry["root"]:
            raise Wrong(f"the checkpoint at line {first} is not over these lines")
        statement = (
            b"branchline egress checkpoint 1"
            + bytes.fromhex(header["box"])
            + bytes.fromhex(header["origin"])
            + number(first)
            + number(count)
            + number(entry["at"])
            + bytes.fromhex(entry["root"])
        )
        if entry.get("signature"):
            if not verifies(box.key, statement, bytes.fromhex(entry["signature"])):
                raise Wrong(f"the box did not sign the checkpoint at line {first}")
            signed = next_line - 1
        if entry.get("witness"):
            word = b"branchline egress witness 1" + statement + number(entry["seen"])
            if not verifies(ca.key, word, bytes.fromhex(entry["witness"])):
                raise Wrong(f"the cloud did not counter-sign the checkpoint at line {first}")
            seen = next_line - 1
    return signed, seen


def witnessed(path, header, checkpoints):
    """How many checkpoints a witness of the customer's has kept of this list."""
    held = {entry["checkpoint"]: (entry["count"], entry["root"]) for entry in checkpoints}
    kept = 0
    with open(path, encoding="utf-8") as file:
        for text in file:
            start = text.find("{")
            if start < 0:
                continue
            said = json.loads(text[start:])
            if said["box"] != header["box"] or said["origin"] != header["origin"]:
                continue
            if held.get(said["first"]) != (said["count"], said["root"]):
                raise Wrong(f"from line {said['first']} on another list was witnessed than this one")
            kept += 1
    return kept


def pem(path):
    with open(path, encoding="ascii") as file:
        text = file.read()
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    if begin not in text or end not in text:
        raise Unreadable(f"{path} is no certificate")
    return base64.b64decode(text.split(begin)[1].split(end)[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file")
    parser.add_argument("--ca")
    parser.add_argument("--witness")
    args = parser.parse_args()
    header, lines, checkpoints = read(args.file)
    ca = Certificate(pem(args.ca) if args.ca else base64.b64decode(header["ca"]))
    box = Certificate(base64.b64decode(header["certificate"]))
    if not box.is_signed_by(ca):
        raise Wrong("the box's certificate is not signed by this CA")
    if f"urn:branchline:box:{header['box']}:site:{header['site']}".encode() not in box.all:
        raise Wrong("the box's certificate names another box")
    hashes, bodies = chain(header, lines)
    signed, seen = covered(header, hashes, checkpoints, box, ca)
    print(f"box {header['box']} at {header['site']}: {len(lines)} lines, each where it was written")
    print(f"contents of {bodies} of them are here, and are what left")
    for who, line in (("the box", signed), ("the cloud", seen)):
        print(f"signed by {who}: " + ("nothing" if line is None else f"up to line {line}"))
    if args.witness:
        print(f"as your witness saw it: {witnessed(args.witness, header, checkpoints)} checkpoints")
    sums = {}
    for entry in lines:
        count, size = sums.get(entry["is"], (0, 0))
        sums[entry["is"]] = count + 1, size + entry["bytes"]
    for name, (count, size) in sorted(sums.items()):
        print(f"  {name:<16} {count:>8} lines {size:>12} bytes")
    if lines:
        first, last = (datetime.fromtimestamp(lines[at]["at"] / 1000, timezone.utc) for at in (0, -1))
        print(f"from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC")


if __name__ == "__main__":
    try:
        main()
    except Wrong as wrong:
        sys.exit(f"DOES NOT HOLD: {wrong}")
    except (Unreadable, OSError, KeyError, ValueError, IndexError, TypeError) as error:
        print(f"cannot be read: {error!r}", file=sys.stderr)
        sys.exit(2)

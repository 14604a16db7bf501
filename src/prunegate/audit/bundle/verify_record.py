"""Check a bundle of prunegate evidence with Python (3.9+) and the package cryptography alone.

It shares no code with prunegate, so that two programs have to agree. Each line that it prints says
proved, not proved or WRONG. Exit code 0: all that is there holds; 6: something is wrong; 2: usage.
Keys from inside the bundle show that its parts belong together, not who made them: compare them
with what you were told, or give those that you know (--key, --log-key).
"""

import argparse
import base64
import hashlib
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from unicodedata import normalize

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

PAYLOAD, STATEMENT = "application/vnd.in-toto+json", "https://in-toto.io/Statement/v1"
PURPOSE, KIND = "prunegate-signoff", "urn:prunegate:%s:v1"  # what people sign for; our entries
BROKEN = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError,
          OSError, EOFError, zipfile.BadZipFile, zlib.error, UnsupportedAlgorithm)
SPOT = ("rule", "slice", "check", "class_label")  # which finding a waiver is for
RESTS_ON = ("task", "slices", "group", "evidence", "cost")  # with its rule: what makes it itself
NAMES = r"""(manifest|record|decision|test-result\.intoto)\.json|decision\.tlog-proof|report\.html|
    (older-)?checkpoint|consistency|trust\.policy|allowed_signers|verify_record\.py|README\.txt|entries/
    [a-z]+-[0-9a-z]+\.(json|tlog-proof)|keys/[0-9a-f]{64}\.pub|predictions/\d+\.?\w*"""  # no other
README = "f0f6a66b5978e07ec15742ee0b0273a5bab56e2d3acee19fabd9ffa01eb5fd8a"
OPEN = "?"  # begins what a check says that it could not prove
Files = dict[str, bytes]
NoteKey = tuple[str, bytes, int, Any]  # name, key id, type of signature, Ed25519 public key
class Wrong(ValueError):
    """Something does not hold; the text says what and where."""
def need(holds: Any, words: str) -> None:
    if not holds:
        raise Wrong(words)
def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
def b64(text: str) -> bytes:
    content = base64.b64decode(text.encode("ascii"), validate=True)
    need(base64.b64encode(content).decode() == text, "base64 in another than its only spelling")
    return content
# ---- JSON in its only spelling (RFC 8785)
def number(value: float) -> str:  # as ECMAScript prints it: the shortest digits that read back
    need(abs(value) < float("inf"), "NaN or an infinity is no JSON number")
    shown = Decimal(repr(abs(value))).as_tuple()
    digits = "".join(map(str, shown.digits)).rstrip("0") or "0"
    point = len(shown.digits) + int(shown.exponent) if value else 1
    if 0 < point <= 21:
        text = digits[:point].ljust(point, "0") + "." * (len(digits) > point) + digits[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        text = digits[0] + "." * (len(digits) > 1) + digits[1:] + f"e{point - 1:+d}"
    return "-" + text if value < 0 else text
def spelled(value: Any) -> str:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(spelled(key) + ":" + spelled(value[key]) for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(spelled, value)) + "]"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        need(abs(value) < 1 << 53, "a number that JSON cannot hold exactly")
    return json.dumps(value, ensure_ascii=False)
def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    need(len(dict(pairs)) == len(pairs), "a key of an object occurs twice")
    return dict(pairs)
def strict(content: bytes) -> Any:
    value = json.loads(content.decode("utf-8"), object_pairs_hook=unique)
    need(spelled(value).encode("utf-8") == content, "its bytes are not canonical JSON (RFC 8785)")
    return value
def read_bundle(path: Path) -> Files:  # nothing is unpacked, and no link is followed
    if path.is_dir():
        found = [p for p in sorted(path.rglob("*")) if p.is_symlink() or not p.is_dir()]
        need(all(p.is_file() and not p.is_symlink() for p in found), "it holds links or devices")
        return {p.relative_to(path).as_posix(): p.read_bytes() for p in found}
    with zipfile.ZipFile(path) as held:
        every = held.infolist()
        size, kinds = sum(i.file_size for i in every), {i.compress_type for i in every}
        need(size <= 1 << 30 and kinds <= {0, 8}, "too large, or packed in a way that is not read")
        need(len({i.filename for i in every}) == len(every), "a name twice")
        first, end = min(i.header_offset for i in every), path.read_bytes()[-22:-18]
        need(first == 0 and end == b"PK\5\6", "bytes before or after the zip")
        return {i.filename: held.read(i) for i in every}
def check_manifest(files: Files, given: Any) -> Iterator[str]:
    listed = {i["path"]: (i["size"], i["sha256"]) for i in strict(files["manifest.json"])}
    for name in sorted({*files, *listed} - {"manifest.json"}):
        need(re.fullmatch(NAMES, name, re.ASCII | re.VERBOSE), f"{name!r} is no file of a bundle")
        need(name[-11:] != ".tlog-proof" or name[:-10] + "json" in files, f"{name} proves nothing")
        need(name in listed and name in files, f"{name!r} is missing, or is not listed")
        need(name != "README.txt" or sha(files[name]) == README, "README.txt is another one")
        need(listed[name] == (len(files[name]), sha(files[name])), name + " was changed")
    yield f"the {len(listed)} files are those that it lists"
def check_record(files: Files, given: Any) -> Iterator[str]:
    record = strict(files["record.json"])
    need(record["format"] == KIND % "record", "not a record of version 1")
    yield f"canonical, sha256 {sha(files['record.json'])}"
    blocking = {f["status"] for f in record["findings"] if f["severity"] == "block"}
    absent = any(s["declared"] and not s["rows"] for s in record["slices"])
    follows = ("reject", 3) if "fail" in blocking else ("inconclusive", 4)
    if {"pass"} <= blocking <= {"pass", "waived"} and not absent:  # what is open holds it back
        follows = ("approve", 0)
    need((record["outcome"], record["exit_code"]) == follows, f"its findings give {follows}")
    yield f"{follows[0]} follows from its {len(record['findings'])} findings"
def check_page(files: Files, given: Any) -> Iterator[str]:
    page = files["report.html"].decode("utf-8")
    carried = re.findall('<template id="record">(.*?)(</template>|<template)', page, re.DOTALL)
    need(page.count('<template id="record">') == len(carried) == 1, "it does not carry one record")
    record = json.loads(carried[0][0], object_pairs_hook=unique)
    need(spelled(record).encode() == files["record.json"], "it carries another record")
    pictures = re.findall(r'src="data:image/[a-z]+;base64,([^"]*)"', page)
    for place, text in enumerate(pictures, start=1):
        need(sha(b64(text)) in record["pictures"].values(), f"the record names no picture {place}")
    yield f"it carries this very record, and {len(pictures)} pictures that the record names"
# ---- entries: in-toto statements in DSSE envelopes
def statement_of(entry: bytes) -> tuple[str, Any, dict[str, str]]:  # kind, predicate, subjects
    envelope = strict(entry)
    need(set(envelope) == {"payload", "payloadType", "signatures"}, "not a DSSE envelope")
    statement = strict(b64(envelope["payload"]))
    need(envelope["payloadType"] == PAYLOAD and statement["_type"] == STATEMENT, "not in-toto")
    named = unique([(s["name"], s["digest"]["sha256"]) for s in statement["subject"]])
    return statement["predicateType"], statement["predicate"], named
def signed(key: Any, signature: bytes, message: bytes, who: str) -> None:
    try:
        key.verify(signature, message, *[ec.ECDSA(hashes.SHA256())] * hasattr(key, "curve"))
    except InvalidSignature:
        raise Wrong(f"{who} did not sign this") from None
def read_key(content: bytes) -> tuple[str, Any]:  # by the sha256 of its SubjectPublicKeyInfo
    load = ser.load_pem_public_key if content[:5] == b"-----" else ser.load_ssh_public_key
    key: Any = load(content.strip())
    need(isinstance(key, ed25519.Ed25519PublicKey) or key.curve.name == "secp256r1", "not P-256")
    return sha(key.public_bytes(ser.Encoding.DER, ser.PublicFormat.SubjectPublicKeyInfo)), key
def signers(entry: bytes, files: Files, given: Any) -> list[str]:
    """Known keys that signed an entry; one that is named and did not sign it makes it wrong."""
    inside = [files[name] for name in sorted(files) if name.startswith("keys/")]
    keys, envelope, found = dict(map(read_key, given.key or inside)), json.loads(entry), []
    payload = b64(envelope["payload"])
    message = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)
    for one in (one for one in envelope["signatures"] if one["keyid"] in keys):
        signed(keys[one["keyid"]], b64(one["sig"]), message, f"the key {one['keyid']}")
        found.append(one["keyid"])
    return found
def check_decision(files: Files, given: Any) -> Iterator[str]:
    record, entry = json.loads(files["record.json"]), files["decision.json"]
    kind, said, named = statement_of(entry)
    need(kind == KIND % "decision", f"not a decision, but {kind}")
    need(said["record"] == sha(files["record.json"]), "it is about another record")
    record["waivers"] = [one["entry"] for one in record.get("waivers", [])]
    for part in ("outcome", "exit_code", "created", "waivers"):
        need(spelled(said.get(part, [])) == spelled(record[part]), f"its {part} is another")
    own = {name: sha(files[name]) for name in ("record.json", "report.html")}
    own |= {m["role"]: m["digest"] for m in record.get("models", [])}
    own |= {m: record[m]["digest"] for m in ("baseline", "candidate") if record[m]}
    for name, digest in {**own, "policy": record["policy"]["sha256"]}.items():
        need(named.pop(name, None) == digest, f"it names another {name}")
    inputs = {item["sha256"] for item in record["inputs"]}
    need(set(named.values()) <= inputs, "it names files that the record does not")
    for name in (name for name in files if name.startswith("predictions/")):
        need(sha(files[name]) in inputs, f"{name!r} is none of the files that the record names")
    for item in said.get("evidence", []):  # record, page, and the twin for other policy engines
        need(sha(files[item["name"]]) == item["digest"]["sha256"], f"another {item['name']}")
    yield "it names record, page, policy, models and inputs as they are here"
    found = signers(entry, files, given)
    need(found or not given.key, "none of the keys that you gave signed it")
    unknown = OPEN + "who decided: it is unsigned, or its key is not in the bundle (--key)"
    yield from [f"signed by the key {name}" for name in found] or [unknown]
# ---- the log: signed notes, checkpoints and proofs (C2SP) over a Merkle tree (RFC 6962)
def vkey(text: str) -> NoteKey:
    name, ident, encoded = text.split("+", 2)
    content = b64(encoded)
    need(len(content) == 33 and content[0] in (1, 4), name + ": a type of key not known here")
    need(sha(name.encode() + b"\n" + content)[:8] == ident, name + ": its id is not its own")
    public = ed25519.Ed25519PublicKey.from_public_bytes(content[1:])
    return name, bytes.fromhex(ident), content[0], public
def note_signers(note: str, keys: list[NoteKey]) -> list[NoteKey]:  # or one of them is wrong
    (text, _, lines), found = note.rpartition("\n\n"), []
    need(lines.endswith("\n"), "a signed note that is cut off")
    for line in lines[:-1].split("\n"):
        dash, name, encoded = line.split(" ")
        content = b64(encoded) if dash == "\u2014" else b""
        for key in (key for key in keys if key[:2] == (name, content[:4])):
            told, signature = text + "\n", content[4:]
            if key[2] == 4:  # a cosignature, which carries its time
                time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
                told = f"cosignature/v1\ntime {time}\n{told}"
            signed(key[3], signature, told.encode(), name)
            found.append(key)
    return found
def tree_of(note: str) -> tuple[str, int, bytes]:
    origin, size, root = note.partition("\n\n")[0].split("\n")[:3]
    return origin, int(size), b64(root)
def parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
def included(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    if size <= 1:  # the root that a leaf and its proof give (RFC 6962, section 2.1.1)
        need(not path and index == 0, "a proof that is too long")
        return leaf
    split, (*rest, sibling) = 1 << (size - 1).bit_length() - 1, path
    if index < split:
        return parent(included(leaf, index, split, rest), sibling)
    return parent(sibling, included(leaf, index - split, size - split, rest))
def grown(old: int, new: int, path: list[bytes], before: list[bytes]) -> tuple[bytes, bytes]:
    if old == new:  # the roots that a consistency proof gives (RFC 6962, section 2.1.2)
        (root,) = before + path  # the old tree whole, or a part that the proof names
        return root, root
    split, (*rest, sibling) = 1 << (new - 1).bit_length() - 1, path
    if old <= split:
        one, two = grown(old, split, rest, before)
        return one, parent(two, sibling)
    one, two = grown(old - split, new - split, rest, [])
    return parent(sibling, one), parent(sibling, two)
def trusted(files: Files, given: Any) -> tuple[list[NoteKey], dict[str, NoteKey]]:
    trust = [line.split() for line in files["trust.policy"].decode().split("\n") if line]
    logs = given.log_key or [vkey(line[1]) for line in trust if line[0] == "log"]
    return logs, {line[1]: vkey(line[2]) for line in trust if line[0] == "witness"}
def check_log(files: Files, given: Any) -> Iterator[str]:
    if "checkpoint" not in files:
        yield OPEN + "the decision is in no log, as far as this bundle shows"
        return
    note = files["checkpoint"].decode()
    origin, size, root = tree_of(note)
    logs, witnesses = trusted(files, given)
    known = note_signers(note, [*logs, *witnesses.values()])
    held = [key for key in known if key in logs and key[0] == origin and key[2] == 1]
    need(held, "its checkpoint is not signed by the key of the log")
    yield f"{size} entries, signed by {origin} with the key {held[0][1].hex()}"
    by = [name for name, key in witnesses.items() if key in known] or "nobody"
    yield f"cosigned by {by} (trust.policy says who has to)"
    for name in entries_of(files):
        proof = files.get(name[:-4] + "tlog-proof")
        if proof is None:
            yield OPEN + f"{name}: its proof is not in the bundle"
            continue
        head, _, tree = proof.decode().partition("\n\n")
        title, index, *path = head.split("\n")
        need(title == "c2sp.org/tlog-proof@v1" and tree == note, f"{name}: of another checkpoint")
        need(re.fullmatch("index (0|[1-9][0-9]*)", index), f"{name}: its proof has no index")
        leaf, hashed = hashlib.sha256(b"\0" + files[name]).digest(), [b64(one) for one in path]
        need(included(leaf, int(index[6:]), size, hashed) == root, f"{name}: of another entry")
        yield f"{name} is its entry {index[6:]}"
def check_growth(files: Files, given: Any) -> Iterator[str]:
    start, gap, tail = files.get("consistency", b"").partition(b"\n\n")
    need(tail == files["checkpoint"] if gap else not start, "consistency is of another checkpoint")
    if "older-checkpoint" not in files:
        need(not gap, "consistency starts from no checkpoint that is here")
        yield OPEN + "nothing was rewritten before the checkpoint: give one that you kept earlier"
        return
    note = files["older-checkpoint"].decode()
    held, (origin, old, before) = note_signers(note, trusted(files, given)[0]), tree_of(note)
    need(any(key[0] == origin for key in held), "the older one is not signed by the log's key")
    name, new, after = tree_of(files["checkpoint"].decode())
    need(origin == name and old <= new, "the older one is of another log, or of a longer one")
    first, *path = start.decode().split("\n")
    if first != f"old {old}":
        need(given.checkpoint or not gap, "consistency starts from another checkpoint")
        if 0 < old < new:
            yield OPEN + f"it grew from {old} entries: the bundle has no proof from there"
            return
        path = []
    both = grown(old, new, [b64(one) for one in path], [before]) if old else (before, after)
    need(both == (before, after) and (old or (before.hex() == sha(b"") and not path)), "rewritten")
    yield f"the log of {old} entries only grew to {new}"
def ssh_strings(content: bytes) -> list[bytes]:  # ---- approvals: as PROTOCOL.sshsig says
    size = 4 + int.from_bytes(content[:4], "big")
    need(not content or len(content) >= size, "an SSH signature that is cut off")
    return [content[4:size], *ssh_strings(content[size:])] if content else []
def ssh_signer(armored: str, message: bytes) -> bytes:  # the key, in SSH's encoding
    blob = b64("".join(armored.split()[3:-3]))
    need(blob[:10] == b"SSHSIG\0\0\0\1", "not an SSH signature")
    key, space, reserved, hashed, inner = ssh_strings(blob[10:])
    fits = (space, reserved) == (PURPOSE.encode(), b"") and hashed in (b"sha256", b"sha512")
    need(fits, "signed for another purpose, or by way of another hash")
    told = [space, b"", hashed, hashlib.new(hashed.decode(), message).digest()]
    data = b"SSHSIG" + b"".join(len(one).to_bytes(4, "big") + one for one in told)
    (algorithm, signature), kind = ssh_strings(inner), ssh_strings(key)[0]
    need(algorithm == kind, "signed with another algorithm than its key's")
    _, public = read_key(kind + b" " + base64.b64encode(key))
    if hasattr(public, "curve"):
        r, s = (int.from_bytes(one, "big") for one in ssh_strings(signature))
        signature = utils.encode_dss_signature(r, s)
    signed(public, signature, data, "the key in the signature")
    return key
def moment(text: str) -> datetime:  # 2026-11-28 (its end), a time, or ssh's 20261128[0900[00]]Z
    day = re.fullmatch("....-..-..", text) is not None
    need(day or text.endswith("Z"), f"the time {text} is not in UTC")
    found = datetime.strptime(re.sub("[-:TZ]", "", text).ljust(14, "0"), "%Y%m%d%H%M%S")
    return found.replace(tzinfo=timezone.utc) + timedelta(days=day)
def allowed(files: Files, key: bytes, who: str, at: datetime) -> bool:  # does some line let it?
    for line in files["allowed_signers"].decode().splitlines():
        words = re.findall(r'(?:"[^"]*"|[^\s"])+', line)
        if base64.b64encode(key).decode() in words and not line.startswith("#"):
            said = dict(re.findall('([a-z-]+)="([^"]*)"', " ".join(words[1:])))
            names = [one.replace("[", "[[]") for one in words[0].strip('"').split(",")]
            fits = "!" not in words[0] and PURPOSE in said.get("namespaces", PURPOSE).split(",")
            start, end = said.get("valid-after", "19700101Z"), said.get("valid-before", "99991231Z")
            if fits and any(fnmatchcase(who, one) for one in names):
                return moment(start) <= at <= moment(end)
    return False
def heard(files: Files, name: str, said: Any, never: Any = ()) -> tuple[Any, str]:
    request, at, who = said["request"].encode(), moment(said["created"]), said["person"]
    key = ssh_signer(said["signature"], request)  # what is signed, by what key
    told = "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")
    decide = " ".join([*never, *(files[n].decode() for n in files if n[:5] == "keys/")]).split()
    may = base64.b64encode(key).decode() not in decide and allowed(files, key, who, at)
    need(may, f"{name}: the key {told} decides, may not sign for {who}, or could not then")
    return json.loads(request.decode("utf-8-sig"), object_pairs_hook=unique), told
def folded(name: str) -> str:  # a name as people compare it, however it is spelled
    return " ".join(normalize("NFKC", normalize("NFKC", name).casefold()).split())
def said_in(files: Files, kind: str) -> dict[str, Any]:
    entries = {name: statement_of(files[name]) for name in entries_of(files)}
    return {name: said for name, (its, said, _) in entries.items() if its == KIND % kind}
def check_approvals(files: Files, given: Any) -> Iterator[str]:
    _ = [signers(files[name], files, given) for name in entries_of(files)]
    revoked = {said["fingerprint"] for said in said_in(files, "revocation").values()}
    for name, said in said_in(files, "approval").items():
        if said["kind"] != "signed":
            yield OPEN + f"{name}: that {said['person']} said so; the agency alone attests it"
            continue
        asked, told = heard(files, name, said)
        about = [sha(files["record.json"]), sha(files["report.html"])]
        need([asked["record"], asked["report"]] == about, f"{name}: is about another record")
        answer, now, who = asked["answer"], datetime.now(timezone.utc), said["person"]
        yield f"{name}: {answer['decision']} by {who} as {answer['role']}, with the key {told}"
        if told in revoked or (answer["expires"] and moment(answer["expires"]) <= now):
            yield OPEN + f"{name}: that it still counts; it ended or its key was revoked"
def check_waivers(files: Files, given: Any) -> Iterator[str]:
    record, entries = json.loads(files["record.json"]), said_in(files, "waiver")
    policy, used = record["policy"]["document"], record.get("waivers", [])
    may, held = policy.get("waivers") or {"at_most": 0}, {sha(files[n]): n for n in entries}
    waived = [[f[n] for n in SPOT] for f in record["findings"] if f["status"] == "waived"]
    need(waived == [[one[n] for n in SPOT] for one in used], "waived on nobody's word")
    need(len(used) <= may["at_most"], "more is waived than the policy lets be")
    gate = [s["key"] for s in said_in(files, "enrolment").values() if s.get("role") == "gate"]
    for one in used:
        name, about = held.get(one["entry"], ""), f"{one['check']} on {one['slice']}"
        need(name, f"the waiver {one['entry'][:12]} of {about} is not in the bundle")
        said, (ask, told) = entries[name], heard(files, name, entries[name], gate)
        who, brought = said["person"], said["created"]
        says = {**ask["finding"], **ask, "approver": who, "key": told, "created": brought}
        same = all(one[n] == says[n] for n in {*one} - {"entry", "rule", "without"})
        need(same and ask["format"] == KIND % "waiver-request", f"{name}: waives something else")
        terms = {"rule": policy["rules"][one["rule"]], **{n: policy.get(n) for n in RESTS_ON}}
        need(sha(spelled(terms).encode()) == ask["terms"], f"{name}: is for another rule")
        need({*record["attempt"]["candidate"]} & {*ask["candidate"]}, f"{name}: of another model")
        (first, last), ends = sorted([ask["asked"], brought]), moment(ask["expires"])
        need(last <= record["created"] < ask["expires"], f"{name}: was not in force then")
        need(ends <= moment(first) + timedelta(may["max_days"]), f"{name}: runs for too long")
        need(folded(ask["author"]) != folded(who), f"{name}: who asked for it signed it")
        yield f"{about} is waived by {who} until {ask['expires']}: {ask['reason']}"
def entries_of(files: Files) -> list[str]:
    return ["decision.json", *(n for n in sorted(files) if re.fullmatch("entries/.*[.]json", n))]
CHECKS = (check_manifest, check_record, check_page, check_decision, check_log, check_growth,
          check_approvals, check_waivers)
REST = """whose keys those are that lie in the bundle: compare them with what you were told
not proved  that numbers and page follow from the record: prunegate verify, prunegate audit replay
not proved  that the log says nothing more about this, a revocation say: prunegate audit log"""
def check(path: Path, given: Any, own: Files) -> Iterator[tuple[str, str]]:
    files: Files = {}
    for name, step in ((step.__name__[6:], step) for step in CHECKS):
        try:
            files = files or read_bundle(path)
            for line in step(files, given):
                yield ("not proved" if line[0] == OPEN else "proved"), f"{name}: {line.strip(OPEN)}"
        except BROKEN as error:
            yield "WRONG", f"{name}: {'' if isinstance(error, Wrong) else 'damaged: '}{error}"
        files = {**files, **own}  # after the manifest, which is of the bundle's own
def main() -> int:
    parser = argparse.ArgumentParser(description="Check a bundle of prunegate evidence.")
    parser.add_argument("bundle", type=Path, help="a folder or a zip")
    parser.add_argument("--log-key", type=vkey, action="append", help="verifier key of the log")
    parser.add_argument("--key", type=Path, action="append", default=[], help="who decides")
    for name in ("--checkpoint", "--allowed-signers"):  # as you keep them
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    own = {"older-checkpoint": given.checkpoint, "allowed_signers": given.allowed_signers}
    try:
        own = {name: path.read_bytes() for name, path in own.items() if path}
        given.key = [path.read_bytes() for path in given.key]
        given.bundle.stat()
    except OSError as error:
        parser.error(str(error))
    found = list(check(given.bundle, given, own))
    print(*(f"{word:<10}  {line}" for word, line in found), f"not proved  {REST}", sep="\n")
    return 6 if "WRONG" in dict(found) else 0
if __name__ == "__main__":
    sys.exit(main())

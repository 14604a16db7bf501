"""Weights that are stored as a pickle: which files hold them, and what these would call.

A pickle is a program. torch's weights_only reader runs but a little of it (``pickled.py``), and is
asked only where the caller allows it. Before it is, the program is read here as text, which runs
nothing: a name that tensors have no use for is refused, and so is an archive that holds more than
its own bytes. No torch here.
"""

from __future__ import annotations

import io
import pickletools
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from prunegate.errors import ModelError
from prunegate.models.shards import INDEX_FILE, shards_named
from prunegate.models.surgery import WEIGHTS_FILE

PICKLE_FILE = "pytorch_model.bin"
PICKLE_INDEX = f"{PICKLE_FILE}.index.json"
PICKLES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"})
"""How the names of pickles end."""
ALLOWING = "--allow-pickle-weights"
_OF_TORCH = frozenset({".bin", ".pt", ".pth"})
_OF_TRAINING = ("training_args", "optimizer", "scheduler", "scaler", "rng_state")
"""What transformers' Trainer leaves beside the weights."""
_MAGIC = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
"""What the first pickle of a file of torch before 1.6 holds, and nothing else."""
_HEAD = 40
"""Bytes that it has at most."""
_PROTOCOL = b"\x80"
"""How pickles begin since protocol 2."""
_PLAIN = "a plain pickle (of pickle.dump or joblib)"
_PICKLES_IN_ONE = 5
"""Pickles in such a file, one after the other, before the numbers."""
_ZIP = b"PK\x03\x04"
_LONGEST = 16 << 20
"""Bytes of the program; that of a thousand tensors has a hundred thousand."""
_NAMES = frozenset(
    {
        "collections OrderedDict",
        "torch._utils _rebuild_tensor",
        "torch._utils _rebuild_tensor_v2",
        "torch._utils _rebuild_parameter",
    }
)
_STORAGES = {
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "DoubleStorage": "F64",
    "LongStorage": "I64",
    "IntStorage": "I32",
    "ShortStorage": "I16",
    "CharStorage": "I8",
    "ByteStorage": "U8",
    "BoolStorage": "BOOL",
}
"""torch's names of number formats, and those of a safetensors header."""
_CALLING = frozenset({"STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4"})
"""Instructions that name what they call otherwise, or call it otherwise; torch.save uses none."""


_DEEPEST = 100
"""Values in values; tensors take six. A key is followed to its end by recursion in C, which at some
hundred thousands ends the process."""
_PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GETS = frozenset({"GET", "BINGET", "LONG_BINGET"})
_FILLS = frozenset({"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"})
"""Instructions that put values into one that stays, however many there are."""
_MARK = -1

_HIDDEN = "instruction "
"""Stands before the name of an instruction where a module stands before the name of a call."""
_PROTOCOLS = 2
"""The last protocol whose instructions torch.save writes and torch's reader knows."""


def pickle_files(
    names: Collection[str], folder: Path, read: Callable[[str], Mapping[str, Any]]
) -> tuple[str, ...]:
    """The pickles that hold a folder's weights: one, or the shards that an index names.

    None where safetensors hold them, or there is no pickle.

    Args:
        names: of all files of the folder.
        folder: what errors call it.
        read: gives the content of a JSON file of the folder.

    Raises:
        ModelError: there is none that torch.save writes, or several and no index.
    """
    if {WEIGHTS_FILE, INDEX_FILE} & {*names} or not pickled_names(names):
        return ()
    if PICKLE_FILE in names:  # as transformers prefers it
        return (PICKLE_FILE,)
    if PICKLE_INDEX in names:
        return shards_named(folder / PICKLE_INDEX, read(PICKLE_INDEX), names)
    plain = sorted(name for name in names if _may_hold_weights(name))
    if len(plain) != 1:
        told = ", ".join(plain[:5]) or "none"
        raise ModelError(
            f"{folder}: one file of torch.save is read as the weights ({PICKLE_FILE}, or one that "
            f"ends with .bin, .pt or .pth); there is {told}. Name the one {PICKLE_FILE}."
        )
    return (plain[0],)


def pickled_names(names: Collection[str]) -> list[str]:
    """Files that are pickles, by their names."""
    return sorted(name for name in names if Path(name).suffix in PICKLES)


def _may_hold_weights(name: str) -> bool:
    of_training = any(name.startswith(one) for one in _OF_TRAINING)
    return "/" not in name and Path(name).suffix in _OF_TORCH and not of_training


def precisions_in(path: Path) -> frozenset[str]:
    """The number formats of a pickle's tensors, as a safetensors header spells them.

    Raises:
        ModelError: as ``require_tensors_only``, or the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return require_tensors_only(file, path.stat().st_size, str(path))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}).") from error


def require_tensors_only(file: IO[bytes], size: int, name: str) -> frozenset[str]:
    """Insist that a pickle calls nothing but what rebuilds tensors, without loading it.

    Args:
        file: the file, at its beginning.
        size: its bytes.
        name: what errors call it.

    Returns:
        The number formats of its tensors.

    Raises:
        ModelError: it would call something else, is no file of torch.save, or describes more than
            it holds.
    """
    zipped = file.read(len(_ZIP)) == _ZIP
    file.seek(0)
    try:
        parts = [_zipped(file, size, name)] if zipped else _in_a_row(file, name)
        called = [one for part in parts for one in _called(part)]
        if any(depth > _DEEPEST for part in parts for depth in _depths(part)):
            raise _not_plain(name, f"values nested more than {_DEEPEST} deep")
    except (ValueError, KeyError, IndexError, EOFError, OSError, zipfile.BadZipFile) as error:
        first = str(error).partition("\n")[0][:80]
        raise ModelError(
            f"{name}: not a whole file of torch.save ({first}); copy or save it again."
        ) from error
    except (NotImplementedError, RuntimeError) as error:  # of zipfile: other methods, encryption
        raise _not_plain(name, "an archive with compressed or locked parts") from error
    found = set()
    for one in called:
        module, _, what = one.partition(" ")
        if module in ("torch", "torch.cuda") and what in _STORAGES:
            found.add(_STORAGES[what])
        elif one.startswith(_HIDDEN):
            raise ModelError(
                f"{name}: a pickle of another protocol than torch.save's own ({what}); save it "
                "again with torch.save(model.state_dict(), ...), or as safetensors."
            )
        elif one not in _NAMES:
            raise ModelError(
                f"{name}: would call {one.replace(' ', '.')[:80]}, which plain tensors have no use "
                f"for, so it is not loaded, with {ALLOWING} neither. Save the state dict alone "
                "where you trust the file: torch.save(model.state_dict(), ...), or as safetensors."
            )
    return frozenset(found)


def _zipped(file: IO[bytes], size: int, name: str) -> io.BytesIO:
    """The program in an archive that is no larger than its parts."""
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        names = [entry.filename.lower() for entry in entries]  # torch's reader tells no case
        programs = [one for one in names if one.endswith(".pkl")]
        stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
        if any(one.endswith("/constants.pkl") for one in programs):
            raise _not_plain(name, "a program of TorchScript")
        if [one.rpartition("/")[2] for one in programs] != ["data.pkl"]:
            raise _not_plain(name, "another archive")
        if not stored or len(set(names)) < len(names):
            raise _not_plain(name, "an archive with compressed or doubled parts")
        entry = entries[names.index(programs[0])]
        if sum(one.file_size for one in entries) > size or entry.file_size > _LONGEST:
            raise _not_plain(name, "an archive that describes more than it holds")
        return io.BytesIO(archive.read(entry))


def _in_a_row(file: IO[bytes], name: str) -> list[io.BytesIO]:
    """The programs of a file of torch before 1.6."""
    raw = io.BytesIO(file.read(_LONGEST))
    head = raw.getvalue()[:_HEAD]
    if head.startswith(_PROTOCOL) and _MAGIC not in head:  # its end may lie far away
        raise _not_plain(name, _PLAIN)
    parts, start = [], 0
    for _ in range(_PICKLES_IN_ONE):
        for _ in pickletools.genops(raw):
            pass
        parts.append(io.BytesIO(raw.getvalue()[start : raw.tell()]))
        start = raw.tell()
        if _MAGIC not in parts[0].getvalue():
            raise _not_plain(name, _PLAIN)
    return parts


def _called(program: io.BytesIO) -> Iterator[str]:
    """What a program names, each ``module name``, and instructions that would name it hidden."""
    program.seek(0)
    for code, told, _ in pickletools.genops(program):
        if code.name == "GLOBAL":
            yield str(told)
        elif code.name in _CALLING or code.proto > _PROTOCOLS:
            yield f"{_HIDDEN}{code.name}"


def _depths(program: io.BytesIO) -> Iterator[int]:
    """How deep each value lies that a program makes; nothing is made, its stack is followed."""
    stack: list[int] = []
    memo: dict[object, int] = {}
    program.seek(0)
    for code, told, _ in pickletools.genops(program):
        if code.name == "MARK":
            stack.append(_MARK)
        elif code.name in _PUTS:
            memo[told] = stack[-1]
        elif code.name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif code.name in _GETS:
            stack.append(memo[told])
        elif code.name == "DUP":
            stack.append(stack[-1])
        else:
            within = _taken(stack, code)
            depth = max(within, default=_MARK) + 1
            if code.name in _FILLS:
                depth = max(within[0], max(within[1:], default=_MARK) + 1)
            stack += [depth] * len(code.stack_after)
            yield depth


def _taken(stack: list[int], code: pickletools.OpcodeInfo) -> list[int]:
    """Take from the stack what an instruction takes, in the order of its making."""
    marked = pickletools.markobject in code.stack_before
    taken: list[int] = []
    while marked and (last := stack.pop()) != _MARK:
        taken.append(last)
    plain = code.stack_before.index(pickletools.markobject) if marked else len(code.stack_before)
    return [stack.pop() for _ in range(plain)][::-1] + taken[::-1]


def _not_plain(name: str, what: str) -> ModelError:
    return ModelError(
        f"{name}: {what}, not what torch.save writes of a state dict; load it where you trust it, "
        "and save the weights with torch.save(model.state_dict(), ...), or as safetensors."
    )

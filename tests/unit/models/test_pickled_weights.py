"""Weights in a pickle: read where that is allowed, by nothing but what rebuilds tensors."""

from __future__ import annotations

import io
import json
import os
import pickle
import re
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prunegate.errors import InputError, ModelError, UnsupportedError

pytestmark = pytest.mark.models

PICKLE = "pytorch_model.bin"


class Runs:
    """What a pickle of a stranger does where it is loaded as usual."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


def state_of(folder: Path) -> dict[str, Any]:
    import safetensors.torch

    return safetensors.torch.load_file(folder / "model.safetensors")


def saved(content: Any, **how: Any) -> bytes:
    import torch

    file = io.BytesIO()
    torch.save(content, file, **how)
    return file.getvalue()


@pytest.fixture
def pickled_folder(baseline_folder: Path) -> Path:
    """The baseline with its weights in a pickle alone."""
    (baseline_folder / PICKLE).write_bytes(saved(OrderedDict(state_of(baseline_folder))))
    (baseline_folder / "model.safetensors").unlink()
    return baseline_folder


def test_they_are_refused_by_name_with_both_ways_out(pickled_folder: Path) -> None:
    from prunegate.models.open_model import open_model

    told = r"pytorch_model\.bin is a pickle.*save_pretrained.*--allow-pickle-weights"
    with pytest.raises(ModelError, match=told):
        open_model(pickled_folder)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("named", [PICKLE, "best.pt", "weights.pth", "shards"])
def test_a_pickle_is_the_model_that_its_safetensors_are(
    baseline_folder: Path, named: str, legacy: bool
) -> None:
    import torch

    from prunegate.models.open_model import open_model

    whole = open_model(baseline_folder)
    state = state_of(baseline_folder)
    how = {"_use_new_zipfile_serialization": not legacy}
    (baseline_folder / "model.safetensors").unlink()
    (baseline_folder / "training_args.bin").write_bytes(pickle.dumps(Runs("false")))
    parts = {named: state}
    if named == "shards":
        names = sorted(state)
        parts = {f"part-{n}.bin": {k: state[k] for k in names[n::2]} for n in (0, 1)}
        index = {"weight_map": {key: file for file, part in parts.items() for key in part}}
        (baseline_folder / f"{PICKLE}.index.json").write_text(json.dumps(index))
    for name, part in parts.items():
        (baseline_folder / name).write_bytes(saved(part, **how))
    found = open_model(baseline_folder, pickles=True)
    assert found.pickled == tuple(parts)
    assert parts.keys() <= found.files.keys()  # the digest covers them
    assert found.parameters == whole.parameters
    assert type(found.family) is type(whole.family)  # it can be pruned
    stored = sum((baseline_folder / name).stat().st_size for name in parts)
    assert found.bytes_found == found.model_bytes == stored
    wanted = whole.module.state_dict()
    assert all(torch.equal(one, wanted[key]) for key, one in found.module.state_dict().items())


def test_safetensors_are_read_where_there_are_some(pickled_folder: Path, tmp_path: Path) -> None:
    import safetensors.torch
    import torch

    from prunegate.models.open_model import open_model
    from prunegate.models.refusals import pickles_read

    state = torch.load(pickled_folder / PICKLE, weights_only=True)
    assert pickles_read(pickled_folder) == (PICKLE,)
    safetensors.torch.save_file(dict(state), pickled_folder / "model.safetensors")
    (pickled_folder / PICKLE).write_bytes(pickle.dumps(Runs(f"touch {tmp_path / 'ran'}")))
    assert open_model(pickled_folder, pickles=True).pickled == ()
    assert pickles_read(pickled_folder) == ()
    assert not (tmp_path / "ran").exists()


def test_half_precision_stays_half_and_is_not_pruned(pickled_folder: Path) -> None:
    import torch

    from prunegate.models.open_model import open_model
    from prunegate.models.refusals import refuse_early

    state = torch.load(pickled_folder / PICKLE, weights_only=True)
    halved = {key: one.half() for key, one in state.items()}
    (pickled_folder / PICKLE).write_bytes(saved(halved))
    assert open_model(pickled_folder, pickles=True).precision == "float16"
    with pytest.raises(UnsupportedError, match=r"stored as float16.*model\.float\(\)"):
        refuse_early(pickled_folder, prune=True, pickles=True)


def other(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], bytes]:
    return lambda state: saved(change(state))


def compressed(state: dict[str, Any]) -> bytes:
    """The same archive with its parts deflated, as torch never writes it."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved(state))) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return out.getvalue()


def archived(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        for name, part in parts.items():
            new.writestr(name, part)
    return out.getvalue()


def program(instructions: bytes) -> bytes:
    return archived({"archive/data.pkl": instructions, "archive/version": b"3\n"})


def scripted(_: dict[str, Any]) -> bytes:
    return archived({f"m/{name}": b"N." for name in ("data.pkl", "constants.pkl", "code/m.py")})


def nested(depth: int) -> bytes:
    """A dictionary whose key is an empty tuple in a tuple in a tuple and so on."""
    return program(b"\x80\x02}" + b")" + b"\x85" * depth + b"K\x01s.")


class Shadowed:
    """A mapping whose methods are replaced by what it brings."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def __reduce__(self) -> Any:
        shadows = {"items": 1, "keys": 2, "values": 3, "__iter__": 4}
        return OrderedDict, (), shadows, None, iter(self.state.items())


def with_first(state: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    first = sorted(state)[0]
    return {**state, first: change(state[first])}


def inside(name: str, part: str) -> str:
    """A tensor's name where the body of the model was wrapped, and its head was not."""
    body, dot, rest = name.partition(".")
    return f"{body}.{part}{rest}" if dot and body != "classifier" else name


FLAT = "not a flat mapping of names to tensors"
LIES = {
    "a checkpoint": (other(lambda s: {"state_dict": s, "epoch": 3}), FLAT),
    "a list": (other(lambda s: list(s.values())), FLAT),
    "names that are none": (other(lambda s: dict(enumerate(s.values()))), FLAT),
    "no tensors": (other(lambda _: {}), "holds no tensors"),
    "missing": (other(lambda s: dict(sorted(s.items())[1:])), "missing tensors"),
    "unknown": (other(lambda s: {**s, "x": sorted(s.items())[0][1]}), "unknown tensors"),
    **{
        f"within {prefix}": (
            other(lambda s, prefix=prefix: {f"{prefix}{k}": v for k, v in s.items()}),
            re.escape(f"begin with {prefix!r}")
            + ".*"
            + re.escape(f"{{k.removeprefix({prefix!r}): v for k, v in state.items()}}"),
        )
        for prefix in ("module.", "_orig_mod.", "module._orig_mod.", "net.")
    },
    **{
        f"within {part} around a part": (
            other(lambda s, part=part: {inside(k, part): v for k, v in s.items()}),
            f"hold {part!r}".replace(".", r"\.")
            + ".*"
            + re.escape(f"{{k.replace({part!r}, ''): v"),
        )
        for part in ("module.", "_orig_mod.")
    },
    "another shape": (other(lambda s: with_first(s, lambda t: t[..., :1].clone())), "shapes do"),
    "NaN": (other(lambda s: with_first(s, lambda t: t * float("nan"))), "NaN or infinite"),
    "masks": (
        other(lambda s: {"a_orig": next(iter(s.values())), "a_mask": next(iter(s.values()))}),
        r"prune\.remove",
    ),
    "one number for many": (
        other(lambda s: with_first(s, lambda t: t.flatten()[:1].expand(10**9))),
        "describes more numbers than it holds",
    ),
    "a bytearray": (other(lambda s: {**s, "x": bytearray(9)}), r"would call .*bytearray"),
    "a module": (
        other(lambda _: __import__("torch").nn.Linear(1, 1)),
        r"would call torch\.nn\.modules\.linear\.Linear",
    ),
    **{
        f"a plain pickle of protocol {protocol}": (
            lambda _, protocol=protocol: pickle.dumps({"a": 1}, protocol=protocol),
            "a plain pickle .*, not what torch.save writes.* save the weights with torch.save",
        )
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "a large plain pickle": (
        lambda s: pickle.dumps({"w": bytes(17 << 20), **{k: v.numpy() for k, v in s.items()}}),
        "a plain pickle",
    ),
    "deflated": (compressed, "an archive with compressed or doubled parts, not what torch.save"),
    "TorchScript": (scripted, "a program of TorchScript, not what torch.save writes"),
    "arrays": (lambda _: archived({"a.npy": b"1"}), "another archive, not what torch.save"),
    "a name of tuples in tuples": (lambda _: nested(500), "nested more than 100 deep"),
    "text": (lambda _: b"version https://git-lfs.github.com/spec/v1", "not a whole file"),
    "cut": (lambda s: saved(s)[:-200], "not a whole file of torch.save"),
    "another protocol": (lambda s: saved(s, pickle_protocol=4), r"another protocol.*\(FRAME\)"),
    "a buffer that lies elsewhere": (
        lambda _: program(b"\x80\x05}X\x01\x00\x00\x00a\x97s."),
        r"another protocol.*\(NEXT_BUFFER\)",
    ),
    "an instruction that torch does not know": (
        lambda _: program(b"\x80\x02}X\x01\x00\x00\x00aI1\ns."),
        r"weights_only reader refuses it \(Unsupported operand 73\)",
    ),
    "empty": (lambda _: b"", "not a whole file of torch.save"),
}


@pytest.mark.parametrize("lie", LIES)
def test_whatever_else_it_is_is_refused(pickled_folder: Path, lie: str) -> None:
    import torch

    from prunegate.models.open_model import open_model

    state = dict(torch.load(pickled_folder / PICKLE, weights_only=True))
    make, told = LIES[lie]
    (pickled_folder / PICKLE).write_bytes(make(state))
    with pytest.raises(InputError, match=told):
        open_model(pickled_folder, pickles=True)


def test_what_a_mapping_brings_of_its_own_is_not_asked(pickled_folder: Path) -> None:
    import torch

    from prunegate.models.pickled import read_pickle

    state = dict(torch.load(pickled_folder / PICKLE, weights_only=True))
    assert read_pickle(saved(Shadowed(state)), "x").keys() == state.keys()


def test_tied_weights_are_stored_once_and_counted_once(pickled_folder: Path) -> None:
    import torch

    from prunegate.models.pickled import read_pickle
    from prunegate.models.weights import doubled_bytes

    one = torch.arange(1024.0).reshape(32, 32)
    module = torch.nn.ModuleDict({n: torch.nn.Linear(32, 32, bias=False) for n in "ab"})
    tied, twice = ({"a.weight": one, "b.weight": other} for other in (one, one.clone()))
    assert doubled_bytes(module, read_pickle(saved(tied), "x")) == 0
    assert doubled_bytes(module, read_pickle(saved(twice), "x")) == one.nbytes


@pytest.mark.parametrize("legacy", [False, True])
def test_code_is_not_run_with_leave_either(
    pickled_folder: Path, tmp_path: Path, legacy: bool
) -> None:
    from prunegate.models.open_model import open_model
    from prunegate.models.pickled import read_pickle
    from prunegate.models.refusals import refuse_early

    raw = saved({"w": Runs(f"touch {tmp_path / 'ran'}")}, _use_new_zipfile_serialization=not legacy)
    (pickled_folder / PICKLE).write_bytes(raw)
    told = r"would call (posix|nt)\.system.*--allow-pickle-weights neither"
    for attempt in (
        lambda: refuse_early(pickled_folder, pickles=True),
        lambda: open_model(pickled_folder, pickles=True),
        lambda: read_pickle(raw, "x"),
    ):
        with pytest.raises(ModelError, match=told):
            attempt()
    assert not (tmp_path / "ran").exists()


def test_torchs_reader_alone_would_refuse_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import prunegate.models.pickled as module

    monkeypatch.setattr(module, "require_tensors_only", lambda *_: frozenset())
    with pytest.raises(ModelError, match="weights_only reader refuses it"):
        module.read_pickle(saved({"w": Runs(f"touch {tmp_path / 'ran'}")}), "x")
    assert not (tmp_path / "ran").exists()


def test_several_that_may_be_meant_are_a_question(pickled_folder: Path) -> None:
    from prunegate.models.refusals import refuse_early

    (pickled_folder / PICKLE).rename(pickled_folder / "a.pt")
    (pickled_folder / "b.pt").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"there is a\.pt, b\.pt\. Name the one"):
        refuse_early(pickled_folder, pickles=True)


def test_a_candidate_of_prunegates_own_stays_safetensors(
    make_candidate: Callable[[], tuple[Path, Any]],
) -> None:
    from prunegate.models.open_model import open_model

    folder, _ = make_candidate()
    (folder / PICKLE).write_bytes(saved(state_of(folder)))
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors is missing"):
        open_model(folder, pickles=True)


def test_the_command_line_refuses_code_with_and_without_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from prunegate.cli import main

    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "m"
    folder.mkdir()
    config = {"architectures": ["ViTForImageClassification"], "model_type": "vit"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / PICKLE).write_bytes(saved({"w": Runs(f"touch {tmp_path / 'ran'}")}))
    (tmp_path / "t.csv").write_text("id,image\n1,a.png\n")
    told = {}
    for flags in ((), ("--allow-pickle-weights",)):
        command = ("predict", "m", "--data", "t.csv", "-o", "o.csv", *flags)
        monkeypatch.setattr(sys, "argv", ["prunegate", *command])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 2
        told[flags] = capsys.readouterr().err
    assert "--allow-pickle-weights" in told[()]
    assert "would call posix.system" in told[("--allow-pickle-weights",)]
    assert "Traceback" not in "".join(told.values())
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "o.csv").exists()


def test_the_file_that_transformers_would_load_is_the_one_that_is_read() -> None:
    from prunegate.models.pickle_files import PICKLE_INDEX, pickle_files

    shards = {"a": "one.bin", "b": "two.bin"}
    names = {PICKLE_INDEX, *shards.values()}
    found = pickle_files(names, Path("m"), lambda _: {"weight_map": shards})
    assert found == ("one.bin", "two.bin")
    assert pickle_files({*names, PICKLE}, Path("m"), lambda _: {"weight_map": shards}) == (PICKLE,)

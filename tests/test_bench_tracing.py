"""The bench of tracing: its functions have the ops they say, and it prints a line for each size."""

import pytest

import tapeflow as tf
from bench import tracing


def nodes(make, n):
    return len(tf.function(make(n), autograph=False).get_concrete_function(tf.TensorSpec([4])).traced.nodes)


@pytest.mark.parametrize("name", tracing.FUNCTIONS)
def test_nodes_grow_as_the_ops_do(name):
    make = tracing.FUNCTIONS[name]
    step = nodes(make, 40) - nodes(make, 20)
    assert nodes(make, 200) - nodes(make, 100) == 5 * step
    assert step >= 20


def test_the_table(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(tracing, "PAGE", tmp_path / "tracing.md")
    tracing.main(["--sizes", "4", "8", "--rounds", "1", "--write"])
    printed = capsys.readouterr().out
    assert printed.startswith("| ops | ops alone | and a tape | and tf.gradients |")
    assert [line.split("|")[1].strip() for line in printed.splitlines()[2:]] == ["4", "8"]
    assert (tmp_path / "tracing.md").read_text().endswith(printed)

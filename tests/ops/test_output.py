"""`tf.print` and `tf.strings.format`: texts recorded from TensorFlow."""

import collections
import logging
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tapeflow.core import errors
from tapeflow.core.convert import constant
from tapeflow.core.tensor_text import tensor_text
from tapeflow.core.variable import Variable
from tapeflow.ops.output import print as tf_print
from tapeflow.ops.string_format import format as tf_format

Pair = collections.namedtuple("Pair", "x y")


def integers(*shape):
    return np.arange(np.prod(shape, dtype=int), dtype=np.int32).reshape(shape)


@pytest.mark.parametrize(
    ("value", "summarize", "text"),
    [
        (integers(3), 3, "[0 1 2]"),
        (integers(2, 2), 3, "[[0 1]\n [2 3]]"),
        (integers(2, 2, 2), 3, "[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]"),
        (np.ones([2, 1, 2, 2]), 3, "[[[[1 1]\n   [1 1]]]\n\n\n [[[1 1]\n   [1 1]]]]"),
        (integers(6), 3, "[0 1 2 3 4 5]"),
        (integers(7), 3, "[0 1 2 ... 4 5 6]"),
        (integers(7), 1, "[0 ... 6]"),
        (integers(7), 0, "[ ...]"),
        (integers(7), -1, "[0 1 2 3 4 5 6]"),
        (integers(8, 3), 1, "[[0 ... 2]\n ...\n [21 ... 23]]"),
        (
            integers(10, 10, 10),
            1,
            "[[[0 ... 9]\n  ...\n  [90 ... 99]]\n\n ...\n\n [[900 ... 909]\n  ...\n  [990 ... 999]]]",
        ),
        (np.zeros([0]), 3, "[]"),
        (np.zeros([0, 2]), 3, "[]"),
        (np.zeros([2, 0]), 3, "[\n ...]"),
        (np.zeros([2, 0, 3]), 3, "[\n\n ...]"),
        (np.array([True, False]), 3, "[1 0]"),
        (np.bool_(True), 3, "1"),
        (np.array([1, 255], np.uint8), 3, "[1 255]"),
        (np.int8(-7), 3, "-7"),
        (np.array([1.5 - 2j, 0]), 3, "[1.5-2j 0+0j]"),
        (constant([["a", "bc"], ["d", "e"]])._value, 3, '[["a" "bc"]\n ["d" "e"]]'),
        (constant('a"b\n')._value, 3, '"a\\"b\\n"'),
        (constant("a'b\t\r\x01\x7fé")._value, 3, '"a\\\'b\\t\\r\\001\\177é"'),
        (constant(b"\xff\x00")._value, 3, '"\\xff\\000"'),
    ],
)
def test_the_text_of_tensors(value, summarize, text):
    assert tensor_text(value, summarize) == text


@pytest.mark.parametrize(
    ("value", "single", "double"),
    [
        (1.0, "1", "1"),
        (-0.0, "-0", "-0"),
        (0.1, "0.1", "0.1"),
        (1 / 3, "0.333333343", "0.33333333333333331"),
        (123456.7, "123456.703", "123456.7"),
        (1234567.8, "1234567.75", "1234567.8"),
        (1e-4, "0.0001", "0.0001"),
        (1e-5, "1e-05", "1e-05"),
        (1e6, "1e+06", "1000000"),
        (1e15, "1e+15", "1e+15"),
        (12345678901234.5, "1.2345679e+13", "12345678901234.5"),
        (0.1 + 0.2, "0.3", "0.30000000000000004"),
        (1e17 / 3, "3.33333335e+16", "33333333333333332"),
        (np.nan, "nan", "nan"),
        (-np.inf, "-inf", "-inf"),
    ],
)
def test_the_text_of_floats(value, single, double):
    assert tensor_text(np.float32(value)) == single
    assert tensor_text(np.float64(value)) == double


def test_the_text_of_short_floats():
    assert tensor_text(constant([1 / 3, 2.5], "float16")._value) == "[0.333251953 2.5]"
    assert tensor_text(constant([1 / 3, 3e10], "bfloat16")._value) == "[0.333984375 3.00647711e+10]"


@given(hnp.arrays(st.sampled_from([np.float32, np.float64]), hnp.array_shapes(max_dims=3)))
def test_texts_read_back_as_the_floats_they_were(array):
    words = tensor_text(array, -1).replace("[", " ").replace("]", " ").split()
    np.testing.assert_array_equal(np.array(words).astype(array.dtype).reshape(array.shape), array)


class Odd:
    def __repr__(self):
        return "%s {} odd"


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ((), ""),
        (("a", "b", 1, 2.5, True, None), "a b 1 2.5 True None"),
        (([1, 2, constant(3)],), "[1, 2, 3]"),
        (([1, "a", None, 2.5, Odd()],), "[1, 'a', None, 2.5, %s {} odd]"),
        (((1,), [], (), {}), "(1,) [] () {}"),
        (({"b": 1, "a": constant([1, 2])},), "{'a': [1 2], 'b': 1}"),
        ((collections.OrderedDict(),), repr(collections.OrderedDict())),
        ((Pair(1, constant([2.0])),), "Pair(x=1, y=[2])"),
        (([[constant(1)], (constant([2, 3]),)],), "[[1], ([2 3],)]"),
        ((Variable([1.0, 2.0]), Variable(3), [Variable(1.0)]), "[1 2] 3 [1]"),
        ((np.array([1.0, 2.0]), np.float32(0.1)), f"array([1., 2.]) {np.float32(0.1)!r}"),
        ((range(3), b"by", {3, 1, 2}), "[0, 1, 2] b'by' {1, 2, 3}"),
        (("%d {} \\n", "\x00", "é"), "%d {} \\n \x00 é"),
        (([constant("q"), constant(["q"]), "q\x00"],), '["q", ["q"], \'q\\x00\']'),
        ((constant([[1, 2], [3, 4]]), {"k": constant([[1, 2], [3, 4]])}), "[[1 2]\n [3 4]] {'k': [[1 2]\n [3 4]]}"),
        (([constant(1)] * 30,), "[" + ",\n ".join(["1"] * 30) + "]"),
        ((constant("abc"),), "abc"),
        ((constant('a"b\n'),), 'a"b\n'),
        ((constant("abc"), ""), '"abc" '),
        (([constant("abc")],), '["abc"]'),
        ((constant(["abc"]),), '["abc"]'),
    ],
)
def test_what_is_printed(inputs, text, capsys):
    assert tf_print(*inputs) is None
    captured = capsys.readouterr()
    assert captured.err == text + "\n" and captured.out == ""


def test_separators_ends_and_summaries(capsys):
    tf_print("a", "b", sep="|", end="!", name="named")
    tf_print("a", end="")
    tf_print(constant([1, 2, 3]), "x", sep=",", summarize=1)
    tf_print([constant([1, 2, 3])], summarize=None, end=None)
    assert capsys.readouterr().err == "a|b!a[1 ... 3],x\n[[1 2 3]]\n"


def test_streams(capsys, tmp_path, caplog):
    tf_print("out", output_stream=sys.stdout)
    tf_print("err", output_stream=sys.stderr)
    assert capsys.readouterr() == ("out\n", "err\n")
    path = tmp_path / "log"
    for text in ("é", constant([1.5])):
        tf_print(text, output_stream=f"file://{path}")
    assert path.read_bytes() == "é\n[1.5]\n".encode()
    with caplog.at_level(logging.INFO):
        tf_print("loss 100%", constant(2), output_stream=logging.getLogger("some").info)
        tf_print("bad", output_stream=logging.error)
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [("INFO", "loss 100% 2"), ("ERROR", "bad")]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"output_stream": "bad"}, ValueError),
        ({"output_stream": 5}, ValueError),
        ({"output_stream": logging.debug}, ValueError),
        ({"foo": 5}, ValueError),
        ({"end": 5}, TypeError),
        ({"sep": 5}, TypeError),
        ({"summarize": "a"}, TypeError),
    ],
)
def test_arguments_that_cannot_be(options, error, capsys):
    with pytest.raises(error):
        tf_print(1, **options)
    assert capsys.readouterr().err == ""


def test_a_file_that_cannot_be_made(tmp_path):
    with pytest.raises(errors.NotFoundError, match="missing"):
        tf_print(1, output_stream=f"file://{tmp_path}/missing/file")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("a {} b {}", (1, constant([1, 2, 3, 4, 5, 6, 7]))), b"a 1 b [1 2 3 ... 5 6 7]"),
        (("a {} b", constant("s")), b'a "s" b'),
        (("{}", constant([1, 2])), b"[1 2]"),
        (("none", []), b"none"),
        (("%s and %s", [1, 2], "%s"), b"1 and 2"),
        (("{}", integers(10), "{}", -1), b"[0 1 2 3 4 5 6 7 8 9]"),
        (("{}", Variable(2.0)), b"2"),
        (("{}é", [[1, 2]]), "[1 2]é".encode()),
    ],
)
def test_string_format(arguments, text):
    if isinstance(arguments[1], np.ndarray):
        arguments = (arguments[0], constant(arguments[1]), *arguments[2:])
    formatted = tf_format(*arguments)
    assert formatted.numpy() == text and formatted.dtype.name == "string" and formatted.shape.rank == 0


def test_string_format_refuses():
    for template, inputs in (("{} {}", constant([1, 2])), ("a {} b", ["s", "t"])):
        with pytest.raises(ValueError, match="placeholders"):
            tf_format(template, inputs)
    for template, inputs in (("{}", 1), (5, [1])):
        with pytest.raises(TypeError):
            tf_format(template, inputs)

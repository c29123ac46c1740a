"""The command `tapeflow`: programs run as python runs them, checks say what is missing, info what is there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tapeflow.cli import main
from tapeflow.version import TENSORFLOW_VERSION, __version__

ROOT = Path(__file__).resolve().parent.parent


def launch(folder, *words, text=None, **environment):
    """The finished process of `python -m tapeflow WORDS` in a folder."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    kept = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")}
    return subprocess.run(
        [sys.executable, "-m", "tapeflow", *words],
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        env={**kept, "PYTHONPATH": path, **environment},
        timeout=60,
    )


PROGRAM = """\
import os, sys
import tensorflow as tf
import beside
print(__name__, __file__, sys.argv[1:], sys.path[0] == os.path.dirname(os.path.abspath(__file__)))
print(sys.modules["__main__"].tf is tf, tf.__name__, beside.value)
if os.name == "posix" and sys.platform == "linux":
    assert os.environ["MPLBACKEND"] == "Agg"
sys.exit(int(sys.argv[1]))
"""


def test_run_is_like_python(tmp_path):
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "beside.py").write_text("value = 42\n")
    (folder / "program.py").write_text(PROGRAM)
    done = launch(tmp_path, "run", "programs/program.py", "7", "--flag", "-m", "x")
    assert done.stderr == ""
    assert done.returncode == 7
    assert done.stdout.splitlines() == [
        "__main__ programs/program.py ['7', '--flag', '-m', 'x'] True",
        "True tapeflow 42",
    ]


def test_run_a_module_and_a_folder(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("import sys, tensorflow\nprint(__name__, __package__, sys.argv[1:])\n")
    assert launch(tmp_path, "run", "-m", "package", "--x", "1").stdout == "__main__ package ['--x', '1']\n"
    assert launch(tmp_path, "run", "package", "--x").stdout == "__main__ None ['--x']\n"


def test_run_standard_input(tmp_path):
    done = launch(
        tmp_path, "run", "-", "a", text="import sys, keras\nprint(sys.argv, keras.__name__)\nsys.exit('stop')\n"
    )
    assert done.stdout == "['-', 'a'] tapeflow.keras\n"
    assert (done.returncode, done.stderr) == (1, "stop\n")


def test_tracebacks_begin_in_the_program(tmp_path):
    (tmp_path / "fails.py").write_text("import tensorflow as tf\ndef f():\n    return 1 / 0\nprint('before')\nf()\n")
    done = launch(tmp_path, "run", "fails.py")
    assert done.returncode == 1
    assert done.stdout == "before\n"
    lines = [line for line in done.stderr.splitlines() if not set(line) <= set(" ~^")]
    assert lines == [
        "Traceback (most recent call last):",
        '  File "fails.py", line 5, in <module>',
        "    f()",
        '  File "fails.py", line 3, in f',
        "    return 1 / 0",
        "ZeroDivisionError: division by zero",
    ]


def test_a_missing_import_is_an_error_of_the_program_in_words(tmp_path):
    (tmp_path / "fails.py").write_text("from tensorflow.nn import rleu\n")
    done = launch(tmp_path, "run", "fails.py")
    assert done.returncode == 1
    *frames, last = done.stderr.splitlines()
    assert last.startswith("ModuleNotFoundError: tapeflow has no tf.nn.rleu (yet); nearest: tf.nn.relu")
    assert [line for line in frames if line.startswith("  File")] == ['  File "fails.py", line 1, in <module>']


def test_a_syntax_error_is_shown_at_its_line(tmp_path):
    (tmp_path / "fails.py").write_text("x = (\n")
    done = launch(tmp_path, "run", "fails.py")
    assert done.returncode == 1
    assert done.stderr.startswith('  File "fails.py", line 1\n')


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["run"], "a program is needed"),
        (["run", "nothing.py"], "cannot read 'nothing.py': No such file or directory"),
        (["run", "."], "cannot read './__main__.py'"),
        (["run", "-m", "nothing_of_this_name"], "No module named nothing_of_this_name"),
    ],
)
def test_no_program_is_an_error_of_use(tmp_path, words, text):
    done = launch(tmp_path, *words)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr


# -- check -------------------------------------------------------------------------------------------------------------


def test_check_names_what_is_missing(tmp_path, capsys):
    path = tmp_path / "program.py"
    path.write_text(
        "import tensorflow as tf\n"
        "from tensorflow.python.ops import math_ops\n"
        "tf.reduce_sum(tf.float32.name)\n"
        "tf.nn.rleu(1)\n"
        "math_ops.nothing(1)\n"
        "tf.nn.rleu(2)\n"
    )
    assert main(["check", str(path)]) == 1
    first, second, third, summary = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{path}:4: tf.nn.rleu is missing; nearest: tf.nn.relu")
    assert second.startswith(f"{path}:5: tf.python.ops.math_ops.nothing is missing")
    assert third.startswith(f"{path}:6: tf.nn.rleu is missing")
    assert summary == "1 file, 5 names used, 2 missing"


def test_check_of_a_folder_with_all_names(tmp_path, capsys):
    (tmp_path / "a.py").write_text("import tensorflow as tf\ntf.exp(1)\n")
    (tmp_path / "b.py").write_text("import numpy\n")
    assert main(["check", "--all", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{tmp_path / 'a.py'}:2: tf.exp", "2 files, 1 name used, 0 missing"]


def test_check_of_what_cannot_be_read(tmp_path, capsys):
    (tmp_path / "a.py").write_text("x = (\n")
    (tmp_path / "b.py").write_text("import tensorflow as tf\ntf.rleu\n")
    assert main(["check", str(tmp_path), str(tmp_path / "none.py")]) == 2
    out, err = capsys.readouterr()
    assert "a.py: cannot be read: '(' was never closed" in err
    assert "none.py: cannot be read: No such file or directory" in err
    assert out.splitlines()[-1] == "3 files, 1 name used, 1 missing, 2 files unreadable"


def test_check_of_an_empty_folder_is_an_error_of_use(tmp_path, capsys):
    assert main(["check", str(tmp_path)]) == 2
    assert capsys.readouterr().out == "0 files, 0 names used, 0 missing\n"


# -- the rest ----------------------------------------------------------------------------------------------------------


def test_info(capsys):
    assert main(["info"]) == 0
    rows = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    facts = {label.strip(): value.strip() for label, value in rows.items()}
    assert facts["tapeflow"] == __version__
    assert facts["TensorFlow API"] == TENSORFLOW_VERSION
    assert facts["Python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"numpy", "scipy", "ml_dtypes", "rich"} <= set(facts)
    assert int(facts["cores"]) >= 1
    assert "CPU:0" in facts["devices"]
    assert facts["functions"].startswith(("compiled for ", "by NumPy"))


def test_version_and_help(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"tapeflow {__version__} (TensorFlow API {TENSORFLOW_VERSION})\n"
    assert main([]) == 2
    assert "{run,check,info}" in capsys.readouterr().out

"""Hold tapeflow against the recorded values, as far as it is due.

    python .ci/vectors.py FOLDER        # the folder with check.py and vectors.json

A case of a group that is due may fail only because a name is not there yet (AttributeError), and LEAST of the cases of
all due groups together must pass. Groups that are not due are counted and not held to anything.
"""

import re
import subprocess
import sys
from pathlib import Path

DUE = (
    *("math", "cast", "clip", "compare", "reduce", "array", "variable", "tape", "printing", "random"),
    *("control", "function", "nn", "conv"),
)
LEAST = 0.85

TOTALS = re.compile(r"(\w+)\s+(\d+) / (\d+)")
FAILURE = re.compile(r"(\w+)/(\S*): (.*)")
# What check.py writes of a case that raised: `expected ..., got AttributeError: text`.
ABSENT = re.compile(r"got AttributeError: ")


def measure(folder: Path) -> tuple[dict[str, tuple[int, int]], list[tuple[str, str]]]:
    """Passed and all cases of each group, and (group, line) of each case that failed."""
    command = [sys.executable, str(folder / "check.py"), str(folder / "vectors.json"), "--groups"]
    done = subprocess.run(command, capture_output=True, text=True)
    totals, failures = {}, []
    for line in done.stdout.splitlines():
        if found := TOTALS.fullmatch(line):
            totals[found[1]] = int(found[2]), int(found[3])
        elif found := FAILURE.match(line):
            failures.append((found[1], line))
    if not totals:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}, no totals\n{done.stdout}{done.stderr}")
    return totals, failures


def main() -> int:
    totals, failures = measure(Path(sys.argv[1]))
    wrong = [(group, line) for group, line in failures if group in DUE and not ABSENT.search(line)]
    print(f"{'group':<18}{'passed':>8}{'of':>6}{'absent':>8}{'wrong':>7}")
    for group in sorted(totals, key=lambda group: (group not in DUE, group)):
        passed, cases = totals[group]
        bad = sum(group == other for other, _ in wrong)
        columns = f"{cases - passed - bad:>8}{bad:>7}" if group in DUE else f"{'':>8}{'not due':>9}"
        print(f"{group:<18}{passed:>8}{cases:>6}{columns}")
    for _, line in wrong:
        print(line)
    due = [totals[group] for group in DUE if group in totals]
    passed, cases = sum(passed for passed, _ in due), sum(cases for _, cases in due)
    enough = passed >= LEAST * cases
    print(f"due: {passed} of {cases} passed ({passed / cases:.1%}, at least {LEAST:.0%}), {len(wrong)} wrong")
    absent = [group for group in DUE if group not in totals]
    if absent:
        print(f"not measured: {', '.join(absent)}")
    return 0 if enough and not wrong and not absent else 1


if __name__ == "__main__":
    sys.exit(main())

"""Coverage-guided fuzzing of the CTI decoder: `python -m tests.fuzz.cti_run CORPUS [more corpora] [libFuzzer options]`.

atheris (libFuzzer for Python) keeps every input that reaches new code in the first corpus, and stops at the first one
that `check` does not pass.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["poise.protocols.cti"]):
    from tests.fuzz import cti_decoder


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough."""
    atheris.Setup(sys.argv, cti_decoder.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

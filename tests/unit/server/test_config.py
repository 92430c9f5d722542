"""Settings come from four sources, the last one wins, and every refusal says where and how to mend it."""

from pathlib import Path

import pytest

from poise.server.config import KEYS, ConfigError, as_dict, load


def _toml(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "poise.toml"
    file.write_text(text, "utf-8")
    return file


def test_the_seed_s_times_are_the_defaults() -> None:
    settings = load(None, {}, [])
    assert settings.bosh.idle_limit_s == 60
    assert settings.bosh.reaper_interval_s == 30
    assert settings.presence.grace_s == 60
    assert settings.cti.heartbeat_s == 5


def test_the_last_source_wins(tmp_path: Path) -> None:
    file = _toml(tmp_path, "[presence]\ngrace_s = 10\nmonitor_s = 5\n[bosh]\nwait_max_s = 20\n")
    settings = load(file, {"POISE_PRESENCE_GRACE_S": "11", "POISE_BOSH_WAIT_MAX_S": "21"}, ["presence.grace_s=12"])
    assert (settings.presence.grace_s, settings.presence.monitor_s, settings.bosh.wait_max_s) == (12, 5, 21)


def test_lists_and_booleans_are_read_from_text() -> None:
    settings = load(
        None, {"POISE_PORTS_INSECURE": "yes"}, ["rest.allowed_origins=https://a.example, https://b.example"]
    )
    assert settings.ports.insecure is True
    assert settings.rest.allowed_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[bosh\n", r"is not TOML"),
        ("[bsoh]\nwait_max_s = 1\n", r"\[bsoh\] is not a section\. Did you mean bosh\?"),
        ("[bosh]\nwait_max = 1\n", r"bosh\.wait_max is not a setting\. Did you mean bosh\.wait_max_s\?"),
        ('[bosh]\nwait_max_s = "30"\n', r"bosh\.wait_max_s: '30' is a str, a int is needed"),
        ('[contact]\ndeployment = "UCC"\n', r"'UCC' is not one of UCCE, UCCX"),
        ("[ports]\nhttps = 70000\n", r"ports\.https: 70000 is out of range"),
        ("[presence]\ngrace_s = -1\n", r"presence\.grace_s: -1\.0 is out of range"),
        ("[presence]\ngrace_s = nan\n", r"out of range"),
        ("[rest]\nallowed_origins = [1]\n", r"a tuple is needed"),
    ],
)
def test_a_bad_file_is_refused_with_what_where_and_how(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as refused:
        load(_toml(tmp_path, text), {}, [])
    assert "poise.toml" in str(refused.value)


@pytest.mark.parametrize(
    ("environment", "assignments", "complaint"),
    [
        ({"POISE_BOSH_WAIT": "1"}, [], r"environment POISE_BOSH_WAIT is not a setting"),
        ({"POISE_PORTS_INSECURE": "maybe"}, [], r"'maybe' is neither true nor false"),
        ({}, ["bosh.wait_max_s"], r"write it as --set section\.key=value"),
        ({}, ["bosh.wait_max_s=soon"], r"'soon' is not a number"),
        ({}, ["bosh.colour=red"], r"bosh\.colour is not a setting"),
        ({}, ["contact.load=2"], r"2 is not one of 0, 1"),
    ],
)
def test_a_bad_variable_or_assignment_is_refused(
    environment: dict[str, str], assignments: list[str], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load(None, environment, assignments)


def test_a_missing_or_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.toml", {}, [])
    broken = tmp_path / "latin.toml"
    broken.write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigError, match="UTF-8"):
        load(broken, {}, [])


def test_secrets_are_masked_when_shown() -> None:
    settings = load(None, {}, ["cti.client_password=hunter2"])
    assert "hunter2" not in str(as_dict(settings))
    assert as_dict(settings, mask=False)["cti"]["client_password"] == "hunter2"


def test_every_key_has_a_meaning() -> None:
    assert all(key.doc and not key.doc.endswith(".") for key in KEYS.values())

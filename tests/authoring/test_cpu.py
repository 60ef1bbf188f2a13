"""CPU of a run, from cgroups laid out as kubelet lays them, in both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from authoring import cpu
from authoring.cpu import CpuMeter, cpu_seconds, peak_cores


@pytest.mark.parametrize(
    ("readings", "peak"),
    [
        ([], None),
        ([(0.0, 5.0)], None),
        ([(0.0, 0.0), (1.0, 0.5)], 0.5),  # too short for a window: taken whole
        ([(float(at), 0.1 * at) for at in range(31)], 0.1),
        ([(float(at), 2.0 if at > 15 else 0.0) for at in range(31)], 0.2),  # a burst of two seconds' work
    ],
)
def test_the_peak_is_the_mean_of_the_busiest_ten_seconds(
    readings: list[tuple[float, float]], peak: float | None
) -> None:
    assert peak_cores(readings) == (None if peak is None else pytest.approx(peak))


def group(folder: Path, file: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text)
    return folder


def test_both_versions_of_cgroups_are_read(tmp_path: Path) -> None:
    assert cpu_seconds(group(tmp_path / "one", "cpuacct.usage", "2500000000\n")) == 2.5
    assert cpu_seconds(group(tmp_path / "two", "cpu.stat", "usage_usec 1500000\nuser_usec 9\n")) == 1.5
    assert cpu_seconds(group(tmp_path / "none", "memory.stat", "")) is None


def test_a_pod_that_has_ended_keeps_what_it_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "roots", lambda: [tmp_path])
    first = group(tmp_path / "gh1n1/kubepods/burstable/podaaa", "cpuacct.usage", "1000000000")
    meter = CpuMeter(lambda: ["aaa", "bbb", "not-here"])
    meter.read(1.0)
    (first / "cpuacct.usage").unlink()
    group(tmp_path / "gh1n2/kubepods/podbbb", "cpuacct.usage", "500000000")
    meter.read(2.0)
    assert meter.readings == [(1.0, 1.0), (2.0, 1.5)]


def test_where_no_cgroup_is_seen_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "roots", lambda: [tmp_path])
    meter = CpuMeter(lambda: ["aaa"])
    meter.read(1.0)
    assert peak_cores(meter.readings) is None

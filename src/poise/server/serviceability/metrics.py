"""Counters and gauges in the text format of Prometheus (exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

Labels = tuple[tuple[str, str], ...]


class Counter:
    """A number that only grows, by label values."""

    def __init__(self, name: str, help_text: str, labels: tuple[str, ...]) -> None:
        self.name = name
        self.help = help_text
        self.labels = labels
        self.values: dict[tuple[str, ...], int] = {} if labels else {(): 0}

    def add(self, *values: str, by: int = 1) -> None:
        """Count `by`; `values` are the label values in the order of the labels, from small fixed sets only."""
        assert len(values) == len(self.labels), f"{self.name} has the labels {self.labels}"
        self.values[values] = self.values.get(values, 0) + by

    def samples(self) -> Mapping[tuple[str, ...], float]:
        """Present values."""
        return self.values


class Gauge:
    """A number that is asked for when somebody looks."""

    def __init__(self, name: str, help_text: str, read: Callable[[], float], *, kind: str) -> None:
        self.name = name
        self.help = help_text
        self.labels: tuple[str, ...] = ()
        self.kind = kind
        self._read = read

    def samples(self) -> Mapping[tuple[str, ...], float]:
        """Present value."""
        return {(): self._read()}


class Metrics:
    """Every metric of the process, in the order of their naming."""

    def __init__(self) -> None:
        self._metrics: dict[str, Counter | Gauge] = {}

    def __iter__(self) -> Iterator[Counter | Gauge]:
        """All of them."""
        return iter(self._metrics.values())

    def counter(self, name: str, help_text: str, *labels: str) -> Counter:
        """A new counter; its name ends in `_total`."""
        counter = Counter(name, help_text, labels)
        self._add(counter)
        return counter

    def gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A value read at every scrape; may go up and down."""
        self._add(Gauge(name, help_text, read, kind="gauge"))

    def counted_elsewhere(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A counter whose owner is another object, read at every scrape."""
        self._add(Gauge(name, help_text, read, kind="counter"))

    def _add(self, metric: Counter | Gauge) -> None:
        assert metric.name not in self._metrics, f"metric {metric.name} is named twice"
        self._metrics[metric.name] = metric

    def text(self) -> str:
        """All of them as Prometheus reads them."""
        lines: list[str] = []
        for metric in self._metrics.values():
            kind = metric.kind if isinstance(metric, Gauge) else "counter"
            lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {kind}"]
            lines += [
                f"{metric.name}{_labels(metric.labels, values)} {_number(value)}"
                for values, value in sorted(metric.samples().items())
            ]
        return "\n".join(lines) + "\n"


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True)]
    return "{" + ",".join(pairs) + "}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)

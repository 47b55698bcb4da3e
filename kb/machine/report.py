"""The diagnosis as tables for a terminal."""

from typing import TYPE_CHECKING, Any

from kb.machine.checks import Device
from kb.machine.findings import Diagnosis, FrameworkReport, State
from kb.records.run import Machine

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

STYLES = {State.OK: "green", State.ABSENT: "dim", State.BROKEN: "bold red", State.CRASHED: "bold red"}


def render(diagnosis: Diagnosis) -> "RenderableType":
    """Machine, devices, facts and advice. Everything that comes from outside is text, never markup."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [_machine_table(diagnosis.machine), _device_table(diagnosis.frameworks)]
    facts = [(report.name, _facts(report)) for report in diagnosis.frameworks if report.facts]
    if facts:
        parts.append(_pairs_table("What they say of themselves", [(name, Text(text)) for name, text in facts]))
    notes = [("machine", note) for note in diagnosis.notes]
    notes += [(report.name, note) for report in diagnosis.frameworks for note in report.notes]
    if notes:
        parts.append(_pairs_table("What would help", [(name, Text(note)) for name, note in notes]))
    if not diagnosis.usable:
        parts.append(Text("No framework computes here: nothing can be measured.", style="bold red"))
    return Group(*parts)


def _machine_table(machine: Machine) -> "RenderableType":
    from rich.text import Text

    limit = "" if machine.memory_limit_gib is None else f", {machine.memory_limit_gib:g} allowed by the control group"
    virtual = {True: "yes", False: "no", None: "cannot be told"}[machine.virtual]
    rows = [
        ("CPU", f"{machine.cpu_model}, {machine.architecture}"),
        ("flags", " ".join(machine.cpu_flags) or "none of interest"),
        (
            "cores",
            f"{machine.usable_cores} usable of {machine.physical_cores} physical ({machine.logical_cores} logical)",
        ),
        ("memory", f"{machine.ram_gib:g} GiB{limit}"),
        *(
            (accelerator.kind, _listed(accelerator.name, _size(accelerator.memory_gib), accelerator.driver))
            for accelerator in machine.accelerators
        ),
        ("system", f"{machine.os}, kernel {machine.kernel}"),
        ("virtual", virtual),
    ]
    return _pairs_table(f"Machine {machine.id}", [(name, Text(value)) for name, value in rows])


def _device_table(reports: tuple[FrameworkReport, ...]) -> "RenderableType":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Frameworks and their devices", title_justify="left", box=SIMPLE_HEAD, padding=0)
    table.add_column("framework", overflow="fold", min_width=max((len(report.name) for report in reports), default=0))
    for heading in ("state", "device", "found", "works", "correct"):
        table.add_column(heading, overflow="fold")  # on a narrow terminal nothing is cut off
    table.add_column("time ms", justify="right")
    table.add_column("remarks", overflow="fold")
    for report in reports:
        name = Text(f"{report.name}\n{report.version or ''}".strip())
        state = Text(report.state.value, style=STYLES[report.state])
        if not report.devices:
            table.add_row(name, state, *[Text("")] * 5, Text(report.error or ""))
        for index, device in enumerate(report.devices):
            first = (name, state) if index == 0 else (Text(""), Text(""))
            table.add_row(*first, *_device_cells(device), end_section=index == len(report.devices) - 1)
    return table


def _device_cells(device: Device) -> "list[Text]":
    from rich.text import Text

    time = "" if device.time_ms is None else f"{device.time_ms:.3g}"
    remarks = [device.description, _size(device.memory_gib), device.error, device.note]
    answers = [_yes_no(device.found), _yes_no(device.works), _yes_no(device.correct)]
    return [Text(device.name), *answers, Text(time), Text(_listed(*remarks))]


def _yes_no(value: bool | None) -> "Text":
    from rich.text import Text

    if value is None:
        return Text("-", style="dim")
    return Text("yes", style="green") if value else Text("NO", style="bold red")


def _pairs_table(title: str, rows: "list[tuple[str, Text]]") -> "RenderableType":
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", show_header=False, box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(name), value)
    return table


def _facts(report: FrameworkReport) -> str:
    known = {name: value for name, value in (report.facts or {}).items() if value is not None}
    return ", ".join(f"{name}: {_plain(value)}" for name, value in known.items())


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _listed(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def _size(gib: float | None) -> str | None:
    return None if gib is None else f"{gib:g} GiB"

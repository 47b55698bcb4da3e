"""Training in torch: AdamW on cross-entropy, in float32 or under autocast, eager or compiled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kb.models.arrays import flat
from kb.models.interface import Array
from kb.practices.timing import steady
from kb.practices.training import EPSILON, WEIGHT_DECAY, Answer, Task, Training
from kb.runtimes.base import FULL
from kb.runtimes.torch_base import find_device, on_host, peak_device_mib, synchronize, tensors, type_of

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class TorchWay:
    """How the steps are made."""

    precision: str = "fp32"  #: or bf16, fp16; of autocast
    compile_model: bool = False
    compile_update: bool = False  #: of an optimiser without a loss scaler: not for fp16
    fused: bool = False  #: the optimiser's own kernel for all weights at once


def autocast(device: "torch.device", precision: str) -> Callable[[], Any]:
    """What opens the autocast region of a call, as teams write it around theirs; for fp32 it has no effect."""
    import torch

    def opened() -> Any:
        return torch.amp.autocast(device.type, dtype=type_of(precision), enabled=precision != FULL)

    return opened


def torch_training(task: Task, device_name: str, way: TorchWay) -> Training:
    """The network with the model's weights, ready for its first step. Compiling happens in that step."""
    import torch

    device = find_device(device_name)
    network = task.model.torch_module().to(device).requires_grad_(True).train()
    optimizer = torch.optim.AdamW(
        network.parameters(), task.learning_rate, eps=EPSILON, weight_decay=WEIGHT_DECAY, fused=way.fused or None
    )
    scaler = torch.amp.GradScaler(device.type, enabled=way.precision == "fp16")
    region = autocast(device, way.precision)
    batches = [(tensors(b.inputs, device), torch.tensor(b.labels, device=device)) for b in task.batches]
    forward = torch.compile(network) if way.compile_model else network

    def update() -> None:
        scaler.step(optimizer)
        scaler.update()

    change = torch.compile(optimizer.step) if way.compile_update else update

    def step(number: int) -> "torch.Tensor":
        inputs, labels = batches[number]
        optimizer.zero_grad()
        with region():
            loss = torch.nn.functional.cross_entropy(forward(*inputs), labels)
        scaler.scale(loss).backward()
        change()
        return loss.detach()

    def updates() -> int:
        states = list(optimizer.state.values())
        return int(states[0]["step"]) if states else 0

    return Training(step, lambda: synchronize(device), updates, lambda: peak_device_mib(device))


def torch_answer(task: Task, inputs: Mapping[str, Array], device_name: str, precision: str) -> Answer:
    """Time the network in eval mode, in inference mode."""
    import torch

    device = find_device(device_name)
    network = task.model.torch_module().to(device)
    arguments = tensors(inputs, device)
    region = autocast(device, precision)

    def call() -> Any:
        with region():
            return network(*arguments)

    with torch.inference_mode():
        latency_ms = steady(call, lambda: synchronize(device)).latency_p50_ms
        return Answer([on_host(tensor) for tensor in flat(call())], latency_ms)

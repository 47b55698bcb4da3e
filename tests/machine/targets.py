"""What the tests run in processes of their own: the probes, and the devices that this machine does not have."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from kb.machine import probes
from kb.machine.checks import Device, Matrix, check


def torch() -> dict[str, Any]:
    import torch as framework

    return {**probes.torch(), "missing": probes._torch_device(framework, "cuda", 99).as_dict()}


def tensorflow() -> dict[str, Any]:
    answer = probes.tensorflow()
    import tensorflow as framework
    from tensorflow.python.eager.context import PhysicalDevice

    missing = PhysicalDevice(name="/physical_device:GPU:99", device_type="GPU")
    return {**answer, "missing": probes._tensorflow_device(framework, missing).as_dict()}


def onnxruntime() -> dict[str, Any]:
    """Also: a provider that this build lacks, and one that a session gets and that runs nothing."""
    import onnxruntime as framework

    answer = probes.onnxruntime()
    lacking = "DmlExecutionProvider" if sys.platform != "win32" else "CoreMLExecutionProvider"
    answer["missing"] = probes._provider(framework, lacking).as_dict()
    probes.REMOTE_PROVIDERS.clear()
    answer["idle"] = probes._provider(framework, "AzureExecutionProvider").as_dict()
    return answer


def device_that_crashes() -> dict[str, Any]:
    def prepare(left: Matrix, right: Matrix) -> Callable[[], Any]:
        os.kill(os.getpid(), signal.SIGSEGV)
        raise AssertionError("still alive")

    check(Device("cpu"), lambda left, right: lambda: left @ right)
    return check(Device("cuda:0"), prepare).as_dict()

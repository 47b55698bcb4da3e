"""What each framework really sees and uses; every probe runs in a fresh process and imports one framework.

A probe returns ``{"version": ..., "devices": [Device.as_dict(), ...], "facts": {...}}``. It raises where the framework
cannot be imported or asked; what fails on one device only is in that device's line.
"""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from kb.machine.checks import Device, Matrix, check, error_line
from kb.machine.tiny_onnx import matmul_model

GIB = 2**30
CPU_PROVIDER = "CPUExecutionProvider"
CUDA_PROVIDER = "CUDAExecutionProvider"
#: Providers that run nothing on this machine.
REMOTE_PROVIDERS = {"AzureExecutionProvider": "calls a remote service; runs nothing on this machine"}


def torch() -> dict[str, Any]:
    """PyTorch: the CPU and every device of the accelerator it was built for."""
    import torch as framework

    devices = [_torch_device(framework, "cpu", None)]
    for kind in _torch_accelerators(framework):
        count = framework.get_device_module(kind).device_count()
        devices += [_torch_device(framework, kind, index) for index in range(count)]
    error = _torch_cuda_error(framework)
    if error:
        devices.append(Device("cuda", found=False, error=error))
    accelerator = framework.accelerator.current_accelerator() if framework.accelerator.is_available() else None
    facts = {
        "CPU capability": framework.backends.cpu.get_cpu_capability,
        "threads": framework.get_num_threads,
        "inter-op threads": framework.get_num_interop_threads,
        "oneDNN": framework.backends.mkldnn.is_available,
        "accelerator": lambda: None if accelerator is None else str(accelerator),
        "CUDA build": lambda: framework.version.cuda,
        "ROCm build": lambda: framework.version.hip,
        "XPU build": lambda: getattr(framework.version, "xpu", None),
        "cuDNN": framework.backends.cudnn.version,
        "MPS build": framework.backends.mps.is_built,
    }
    return _answer(framework.__version__, devices, facts)


def tensorflow() -> dict[str, Any]:
    """TensorFlow: its physical devices."""
    import tensorflow as framework

    # Without soft placement an operation that a device lacks is an error and does not move to the CPU.
    framework.config.set_soft_device_placement(False)
    physical = framework.config.list_physical_devices()
    for device in physical:
        if device.device_type != "CPU":
            # Else the first operation takes all the memory of a GPU that others may be using. Not every plug-in can.
            with contextlib.suppress(ValueError, RuntimeError):
                framework.config.experimental.set_memory_growth(device, True)
    devices = [_tensorflow_device(framework, device) for device in physical]
    build = framework.sysconfig.get_build_info()
    if (build.get("is_cuda_build") or build.get("is_rocm_build")) and not any(d.device_type == "GPU" for d in physical):
        devices.append(Device("GPU", found=False, error="built for GPUs, but lists none; its log on stderr says why"))
    facts = {
        "oneDNN": _tensorflow_onednn,
        "intra-op threads": framework.config.threading.get_intra_op_parallelism_threads,  # 0: one per core
        "inter-op threads": framework.config.threading.get_inter_op_parallelism_threads,
        "CUDA build": lambda: build.get("cuda_version") or bool(build.get("is_cuda_build")),
        "cuDNN build": lambda: build.get("cudnn_version"),
        "ROCm build": lambda: bool(build.get("is_rocm_build")),
    }
    return _answer(framework.__version__, devices, facts)


def onnxruntime() -> dict[str, Any]:
    """ONNX Runtime: the providers it lists, and whether a session really runs on each."""
    import onnxruntime as framework

    providers = framework.get_available_providers()
    if CUDA_PROVIDER in providers:
        framework.preload_dlls()  # CUDA's libraries from their Python packages, where they are installed
    facts = {
        "providers": lambda: providers,
        "device": framework.get_device,
        "CUDA build": lambda: getattr(framework, "cuda_version", None) or None,
        "build": framework.get_build_info,
    }
    return _answer(framework.__version__, [_provider(framework, name) for name in providers], facts)


def keras() -> dict[str, Any]:
    """Keras: its backend, on the device that the backend takes by default."""
    import keras as framework

    backend = framework.backend.backend()

    def prepare(left: Matrix, right: Matrix) -> Callable[[], Any]:
        x, y = framework.ops.convert_to_tensor(left), framework.ops.convert_to_tensor(right)
        return lambda: framework.ops.convert_to_numpy(framework.ops.matmul(x, y))

    facts = {
        "backend": lambda: backend,
        "floatx": framework.config.floatx,
        "image data format": framework.config.image_data_format,
    }
    return _answer(framework.__version__, [check(Device("default", f"of the backend {backend}"), prepare)], facts)


def _answer(version: str, devices: list[Device], facts: dict[str, Callable[[], Any]]) -> dict[str, Any]:
    """The answer as JSON can hold it."""
    return {
        "version": str(version),
        "devices": [device.as_dict() for device in devices],
        "facts": {name: _fact(ask) for name, ask in facts.items()},
    }


def _fact(ask: Callable[[], Any]) -> Any:
    """One fact. Some questions raise (torch's for a cuDNN that does not fit); the others are answered all the same."""
    try:
        value = ask()
    except Exception as error:  # noqa: BLE001 - frameworks raise types of their own; the text is the report
        return error_line(error)
    return value if isinstance(value, bool | int | list | None) else str(value)


def _torch_accelerators(framework: Any) -> list[str]:
    """`cuda` (also ROCm's name), `mps`, `xpu`, or a vendor's own kind; those that say they are available."""
    kinds = []
    if framework.accelerator.is_available():
        kinds.append(framework.accelerator.current_accelerator().type)
    backends = {"cuda": framework.cuda, "mps": framework.backends.mps, "xpu": getattr(framework, "xpu", None)}
    kinds += [kind for kind, backend in backends.items() if backend is not None and backend.is_available()]
    return list(dict.fromkeys(kinds))


def _torch_device(framework: Any, kind: str, index: int | None) -> Device:
    name = kind if index is None else f"{kind}:{index}"

    def prepare(left: Matrix, right: Matrix) -> Callable[[], Any]:
        x, y = (framework.from_numpy(factor).to(name) for factor in (left, right))
        return lambda: framework.mm(x, y).cpu().numpy()

    def describe() -> Device:
        module = framework.get_device_module(kind)
        if kind == "mps":
            return Device(name, memory_gib=_gib(module.recommended_max_memory()))
        if index is None or not hasattr(module, "get_device_properties"):
            return Device(name)
        properties = module.get_device_properties(index)
        description = str(getattr(properties, "name", ""))
        if kind == "cuda" and framework.version.hip is None:
            description += f" (compute capability {properties.major}.{properties.minor})"
        return Device(name, description, memory_gib=_gib(getattr(properties, "total_memory", None)))

    return check(Device(name), prepare, describe)


def _torch_cuda_error(framework: Any) -> str | None:
    """Why a build for CUDA or ROCm sees no GPU; None where it sees one or was not built for any."""
    if not (framework.version.cuda or framework.version.hip) or framework.cuda.is_available():
        return None
    try:
        framework.cuda.init()
    except (RuntimeError, AssertionError) as error:
        return error_line(error)
    return "built for GPUs, but sees none"


def _tensorflow_device(framework: Any, physical: Any) -> Device:
    name = physical.name.removeprefix("/physical_device:")

    def prepare(left: Matrix, right: Matrix) -> Callable[[], Any]:
        with framework.device(f"/{name}"):
            x, y = framework.constant(left), framework.constant(right)

        def call() -> Any:
            with framework.device(f"/{name}"):
                return framework.matmul(x, y).numpy()

        return call

    def describe() -> Device:
        details = framework.config.experimental.get_device_details(physical)
        description = str(details.get("device_name", ""))
        if "compute_capability" in details:
            description += " (compute capability {}.{})".format(*details["compute_capability"])
        return Device(name, description.strip())

    return check(Device(name), prepare, describe)


def _tensorflow_onednn() -> bool | None:
    """Whether oneDNN's kernels are on (built in, and not turned off by TF_ENABLE_ONEDNN_OPTS); no public name tells."""
    try:
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:
        return None
    enabled = getattr(_pywrap_util_port, "IsMklEnabled", None)
    return bool(enabled()) if enabled else None


def _provider(framework: Any, name: str) -> Device:
    """Whether ``name`` runs the model. A session may list a provider and yet run every node on the CPU."""
    if name in REMOTE_PROVIDERS:
        return Device(name, note=REMOTE_PROVIDERS[name])

    def session(model: bytes, options: Any) -> Any:
        return framework.InferenceSession(model, options, providers=[name], enable_fallback=0)

    def prepare(left: Matrix, right: Matrix) -> Callable[[], Any]:
        model, options = matmul_model(right), framework.SessionOptions()
        running = session(model, options)
        got = running.get_providers()
        if name not in got:
            raise RuntimeError(f"listed, but the session got {', '.join(got)} instead")
        if name != CPU_PROVIDER:
            # Refuses a session that puts a node on the CPU: only then is the result this provider's.
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
            running = session(model, options)
        feed = {"X": np.ascontiguousarray(left)}
        return lambda: running.run(None, feed)[0]

    return check(_provider_hardware(framework, Device(name)), prepare)


def _provider_hardware(framework: Any, device: Device) -> Device:
    """Vendor and kind of the hardware, by get_ep_devices (ONNX Runtime 1.23 and later)."""
    if not hasattr(framework, "get_ep_devices"):
        return device
    hardware = [entry.device for entry in framework.get_ep_devices() if entry.ep_name == device.name]
    return replace(device, description=", ".join(dict.fromkeys(f"{h.vendor} {h.type.name}".strip() for h in hardware)))


def _gib(size: int | None) -> float | None:
    return None if size is None else round(size / GIB, 2)

"""What would help: from what the machine has and what the frameworks use of it to sentences that say what to do."""

from collections.abc import Iterator

from kb.machine.findings import FrameworkReport, State
from kb.records.run import Machine

#: A memory limit this close to the machine's memory takes nothing away: the kernel keeps as much for itself.
MEMORY_SHARE = 0.95
#: Device names (torch's, TensorFlow's, ONNX Runtime's) that stand for an NVIDIA GPU.
CUDA_DEVICES = ("cuda", "GPU", "CUDAExecutionProvider")
#: Framework -> how to get a build of it that uses an NVIDIA GPU.
GPU_BUILDS = {
    "torch": "install a CUDA build of torch (pytorch.org/get-started)",
    "tensorflow": 'replace tensorflow-cpu: pip install "tensorflow[and-cuda]"',
    "onnxruntime": "replace onnxruntime by onnxruntime-gpu",
}


def machine_notes(machine: Machine) -> tuple[str, ...]:
    """Limits that make measurements here unlike the machine's own."""
    notes = []
    if machine.usable_cores < machine.physical_cores:
        notes.append(
            f"{machine.usable_cores} of {machine.physical_cores} cores can be used (affinity, or CPU quota of the "
            f"control group): as many threads stand for 'all cores' in what is measured here"
        )
    limit = machine.memory_limit_gib
    if limit is not None and limit < MEMORY_SHARE * machine.ram_gib:
        notes.append(
            f"the control group allows {limit:g} of {machine.ram_gib:g} GiB: a process that needs more is killed"
        )
    if machine.architecture == "x86_64" and machine.cpu_flags and "avx2" not in machine.cpu_flags:
        notes.append("the CPU shows no AVX2: frameworks fall back to slow kernels, or are not able to start")
    return tuple(notes)


def framework_notes(report: FrameworkReport, machine: Machine) -> tuple[str, ...]:
    """What would make this framework work, or use more of the machine."""
    if report.state in (State.BROKEN, State.CRASHED):
        return (f'to see all of it: python -c "import {report.name}"',)
    if report.state is State.ABSENT:
        return ()
    return (*_wrong_devices(report), *_gpu_notes(report, machine), *_thread_notes(report, machine))


def _wrong_devices(report: FrameworkReport) -> Iterator[str]:
    for device in report.devices:
        if device.correct is False:
            yield f"{device.name} gives wrong results: use nothing that was computed on it"


def _gpu_notes(report: FrameworkReport, machine: Machine) -> Iterator[str]:
    gpu = next((accelerator for accelerator in machine.accelerators if accelerator.kind == "cuda"), None)
    works = any(device.works and device.name.startswith(CUDA_DEVICES) for device in report.devices)
    facts = report.facts or {}
    if report.name == "onnxruntime" and "CUDAExecutionProvider" in facts["providers"] and not works:
        yield (
            "CUDAExecutionProvider is listed but not used: its CUDA and cuDNN libraries are not found or do not fit; "
            'pip install "onnxruntime-gpu[cuda,cudnn]" and call onnxruntime.preload_dlls() before the first session'
        )
    elif gpu is not None and not works and report.name in GPU_BUILDS:
        if facts.get("CUDA build"):
            driver = f" (driver {gpu.driver})" if gpu.driver else ""
            yield (
                f"built for CUDA {facts['CUDA build']}, but {gpu.name}{driver} does not work: look for a driver too "
                "old for it, for CUDA_VISIBLE_DEVICES, and for a container started without its GPUs"
            )
        else:
            yield f"the machine has {gpu.name}, but this build has no CUDA: {GPU_BUILDS[report.name]}"


def _thread_notes(report: FrameworkReport, machine: Machine) -> Iterator[str]:
    threads = (report.facts or {}).get("threads")
    if isinstance(threads, int) and threads > machine.usable_cores:
        yield (
            f"starts {threads} threads by default where {machine.usable_cores} cores can be used: "
            f"set OMP_NUM_THREADS={machine.usable_cores} in your own programs (kb sets its threads itself)"
        )

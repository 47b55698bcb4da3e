"""KB-0036: times a convolution in float32 and in float16 on the CPU, one thread, alternately."""

import statistics
import sys
import time

try:
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

torch.set_num_threads(1)
torch.manual_seed(0)


def seconds(dtype: torch.dtype) -> float:
    begin = time.perf_counter()
    torch.nn.functional.conv2d(image.to(dtype), kernel.to(dtype), padding=1)
    return time.perf_counter() - begin


image, kernel = torch.randn(1, 64, 56, 56), torch.randn(64, 64, 3, 3)
with torch.inference_mode():
    pairs = [(seconds(torch.float32), seconds(torch.float16)) for _ in range(7)]
ratio = statistics.median(half / full for full, half in pairs[1:])
if ratio > 2:
    sys.exit(f"conv2d on the CPU: float16 takes {ratio:.1f} times as long as float32")
print(f"gone: float16 takes {ratio:.1f} times as long as float32")

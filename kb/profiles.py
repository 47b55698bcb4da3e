"""What the built-in profiles measure: plain data, checked by `kb.config` as a user's own tables are."""

from typing import Any

#: Where batch sizes and threads are swept: a convolutional network and one with attention, in each framework.
SWEPT_MODELS = ("cnn_s", "encoder_mini")
SWEPT_RUNTIMES = ("torch-eager", "tf-function", "onnxruntime")
#: Ways from float32 to fewer bits, of `kb.convert.precisions`.
REDUCED = ("fp16", "int8-dynamic", "int8-static", "int8-static-channel")
#: Models with labelled data, on which accuracy can be lost.
TRAINED_MODELS = ("digits_*", "sequences_*", "clouds_*")
#: Models that are converted at every opset: the smallest one, and one with operators that opsets changed.
SWEPT_OPSETS = ("mlp8", "encoder_mini")
#: Profiles that exist without being written down; a user's table of the same name replaces single keys of them.
BUILT_IN_PROFILES: dict[str, dict[str, Any]] = {
    "quick": {
        "description": "every model on one runtime of each framework: at most ten minutes on two cores",
        "models": ("*", "!resnet50", "resnet50@96"),
        "runtimes": ("torch-eager", "tf-function", "onnxruntime"),
        "replicates": 3,
        "memory": False,
        "percentiles": False,
        "conversions": (
            {"models": ("*", "!resnet50", "resnet50@96"), "routes": ("torch-dynamo", "keras-export")},
            {"models": TRAINED_MODELS, "routes": ("torch-dynamo",), "precisions": REDUCED},
            {"models": ("mlp8",), "routes": ("torch-*", "keras-export"), "opsets": (0,)},
        ),
    },
    "full": {
        "description": "the whole grid, with enough replicates to find a difference of 5 %",
        "also": (
            {"models": SWEPT_MODELS, "runtimes": SWEPT_RUNTIMES, "batches": (2, 4, 8, 16, 32)},
            {"models": SWEPT_MODELS, "runtimes": SWEPT_RUNTIMES, "threads": (0,)},
        ),
        "practices": True,
        "reproducers": True,
        "replicates": 8,
        "conversions": (
            {"models": ("*",)},
            {"models": ("*",), "routes": ("torch-dynamo", "keras-export"), "precisions": REDUCED},
            {"models": SWEPT_OPSETS, "opsets": (0,)},
        ),
    },
    "accelerator": {
        "description": "the whole grid on a CUDA device, in float32 and in mixed precision",
        "devices": ("cuda",),
        "precisions": ("fp32", "bf16", "fp16"),
        "also": ({"models": SWEPT_MODELS, "runtimes": SWEPT_RUNTIMES, "devices": ("cuda",), "batches": (8, 32, 128)},),
        "replicates": 8,
    },
}

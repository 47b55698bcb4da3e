"""KB-0037: enters torch.cuda.amp.autocast with FutureWarning as an error."""

import sys
import warnings

try:
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

warnings.simplefilter("error", FutureWarning)
torch.cuda.amp.autocast(enabled=False)
print("gone: the old name is silent")

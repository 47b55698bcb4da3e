"""KB-0043: gives a DataLoader with workers a dataset that cannot be pickled, by the default start method."""

import multiprocessing
import sys

try:
    import torch
    from torch.utils.data import DataLoader, Dataset
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)


class Squares(Dataset):
    def __init__(self) -> None:
        self.function = lambda index: torch.tensor(index * index)

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.function(index)


if __name__ == "__main__":
    method = multiprocessing.get_start_method()
    if method == "fork":
        print("cannot be tried here: this Python starts processes by fork, which needs no pickling")
        sys.exit(77)
    print(f"Python {sys.version.split()[0]} starts processes by {method}")
    total = sum(int(batch.sum()) for batch in DataLoader(Squares(), batch_size=2, num_workers=1))
    print(f"gone: the workers took it; sum {total}")

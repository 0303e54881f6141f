"""One way of computing the published tower, measured in a process of its own; prints JSON.

python -m tests.bench.one_exam plain|ours|compiled fp32|bf16 cpu|cuda [DEPTH]

Seconds are those that the process computed (CPU time, one thread) or that the
GPU took, so that other work on the machine counts less.
"""

import json
import resource
import sys
import time

import torch

from retrieval.encoder.cmrclip.tower import TOKENS_AT_ONCE, TowerShape, VideoTower
from tests.bench import plain_tower

FRAMES, SIDE = 64, 224
KINDS = {"fp32": torch.float32, "bf16": torch.bfloat16}


def published(depth=12):
    """Sizes of the published tower, perhaps with fewer blocks."""
    return TowerShape(
        dim=768, depth=depth, heads=12, mlp=3072, patch=16, patches=196, frames=FRAMES
    )


def work(shape):
    """Floating-point operations of one exam, every block whole; a multiply-add is two."""
    tokens, dim = FRAMES * shape.patches, shape.dim
    products = tokens * dim * (8 * dim + 2 * shape.mlp)
    attention = 2 * tokens * dim * (FRAMES + 1 + shape.patches + 1 + 2)
    return 2.0 * (shape.depth * (products + attention) + tokens * 3 * shape.patch**2 * dim)


def unneeded(shape):
    """The part of `work` that the last block does for patches that nobody reads."""
    tokens, dim = FRAMES * shape.patches, shape.dim
    return 2.0 * tokens * dim * (4 * dim + 2 * shape.mlp + 2 * (shape.patches + 1))


class Stopwatch:
    """Measures calls on one device."""

    def __init__(self, device):
        self.cuda = device == "cuda"
        self.rounds = 20 if self.cuda else 1

    def seconds(self, call):
        """Seconds of one call; on a GPU the mean of some, after one that warms up."""
        if self.cuda:
            call()
        began = self._now()
        for _ in range(self.rounds):
            call()
        return (self._now() - began) / self.rounds

    def _now(self):
        if not self.cuda:
            return time.process_time()
        torch.cuda.synchronize()
        return time.perf_counter()

    def peak_mb(self):
        """Most memory used so far."""
        if self.cuda:
            return torch.cuda.max_memory_allocated() / 2**20
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def ceiling(shape, kind, device):
    """Operations a second of torch's own matrix products of the tower's shapes."""
    watch = Stopwatch(device)
    tokens = FRAMES * shape.patches if watch.cuda else TOKENS_AT_ONCE
    spent = done = 0.0
    for into, out in [(1, 3), (1, 1), (1, 4), (4, 1)]:
        x = torch.randn(tokens, into * shape.dim, device=device, dtype=kind)
        w = torch.randn(into * shape.dim, out * shape.dim, device=device, dtype=kind)
        torch.mm(x, w)
        spent += min(watch.seconds(lambda x=x, w=w: torch.mm(x, w)) for _ in range(5))
        done += 2.0 * x.numel() * w.shape[1]
    return done / spent


def measured(way, precision, device, depth=12):
    """What one way of computing costs, and the vector it gives."""
    torch.manual_seed(0)
    shape = published(depth)
    exact = VideoTower(shape).eval().requires_grad_(False)
    video = torch.randn(1, FRAMES, 3, SIDE, SIDE)
    tower = exact.to(device=device, dtype=KINDS[precision])
    video = video.to(device=device, dtype=KINDS[precision])
    computed = tower
    if way == "compiled":
        computed = torch.compile(tower)
        computed(video)
    elif way == "plain":
        held = tower.state_dict()

        def computed(video):
            return plain_tower.features(held, shape, video)

    watch = Stopwatch(device)
    before = watch.peak_mb()
    answer = []
    seconds = watch.seconds(lambda: answer.append(computed(video)))
    peak = watch.peak_mb() - before
    needed = work(shape) - (0.0 if way == "plain" else unneeded(shape))
    return {
        "way": way,
        "precision": precision,
        "seconds": seconds,
        "tera_per_second": needed / seconds / 1e12,
        "share_of_ceiling": needed / seconds / ceiling(shape, KINDS[precision], device),
        "peak_mb": peak,
        "vector": answer[-1][0].float().tolist(),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    name, precision, device, *depth = sys.argv[1:]
    with torch.no_grad():
        print(json.dumps(measured(name, precision, device, *map(int, depth))))

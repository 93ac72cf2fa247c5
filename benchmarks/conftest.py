"""The tests of the benchmarks measure the checkout in which they lie, installed or not."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

"""What tests of several rooms need."""

import signal

import pytest


@pytest.fixture
def ctrl_c():
    """Return what sends it to this process, whose handler is Python's own."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)

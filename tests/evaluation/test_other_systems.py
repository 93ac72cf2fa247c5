"""What differs on Windows and macOS, as far as it can be imitated: neither was ever run."""

import os
import signal
import subprocess
import sys

import pytest

from geneticpy import ArgumentError, UniformDistribution, optimize
from geneticpy.evaluation import crew, processes

LINE = {"x": UniformDistribution(0, 1)}


@pytest.fixture
def windows(monkeypatch):
    """Take what Windows does not have, and give what it has besides."""
    monkeypatch.setattr(sys, "platform", "win32")
    for module, name in [
        (os, "fork"),
        (os, "killpg"),
        (os, "setsid"),
        (os, "sched_getaffinity"),
        (signal, "SIGKILL"),
    ]:
        monkeypatch.delattr(module, name, raising=False)
    monkeypatch.setattr(os, "set_handle_inheritable", lambda *given: None, raising=False)
    monkeypatch.setattr(subprocess, "STARTUPINFO", dict, raising=False)
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 512, raising=False)


class Process:
    """A process that was not started."""

    pid = 1234

    def __init__(self, code=None):
        self.code, self.killed = code, 0

    def poll(self):
        return self.code

    def kill(self):
        self.killed += 1


def started(monkeypatch, handle=77, environment=None):
    """Return the command and options with which a worker would be started."""
    calls = []
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, **options: calls.append((command, options))
    )
    processes._start(handle, {} if environment is None else environment)
    return calls[0]


def test_windows_workers_inherit_their_connection_only_and_get_no_ctrl_c(windows, monkeypatch):
    command, options = started(monkeypatch)
    assert options["startupinfo"] == {"lpAttributeList": {"handle_list": [77]}}
    assert options["creationflags"] == 512
    assert not {"pass_fds", "start_new_session", "preexec_fn"} & options.keys()  # of POSIX only
    assert command[-1].endswith("main(77)")


def test_windows_workers_of_a_virtual_environment_bypass_its_launcher(windows, monkeypatch):
    launcher, base = r"C:\venv\Scripts\python.exe", r"C:\Python\python.exe"
    monkeypatch.setattr(processes.spawn, "get_executable", lambda: launcher)
    monkeypatch.setattr(sys, "executable", launcher)
    monkeypatch.setattr(sys, "_base_executable", base, raising=False)
    shared = {"A": "B"}
    command, options = started(monkeypatch, environment=shared)
    assert command[0] == base
    assert options["env"] == {"A": "B", "__PYVENV_LAUNCHER__": launcher}
    assert shared == {"A": "B"}
    monkeypatch.setattr(sys, "_base_executable", launcher)
    command, options = started(monkeypatch)
    assert (command[0], options["env"]) == (launcher, {})


@pytest.mark.parametrize("present", [True, False])
def test_windows_workers_are_killed_with_what_they_have_started(windows, monkeypatch, present):
    commands = []

    def run(command, **options):
        commands.append(command)
        if not present:
            raise FileNotFoundError(command[0])

    monkeypatch.setattr(subprocess, "run", run)
    process = Process()
    processes.kill_group(process)
    assert commands == [["taskkill", "/F", "/T", "/PID", "1234"]]
    assert process.killed == 1
    processes.kill_group(Process(code=0))  # its number may be that of another by now
    assert len(commands) == 1


def test_windows_waits_for_a_limited_number_of_processes(windows, monkeypatch):
    with pytest.raises(ArgumentError, match=r"^workers: must be at most 60 .* Windows, got 61"):
        optimize(abs, LINE, workers=61)
    monkeypatch.setattr(os, "cpu_count", lambda: 128)
    assert crew.hire(-1).slots == 60
    assert crew.hire(60).slots == 60
    assert crew.hire("threads:100").slots == 100


def test_exit_codes_of_windows_are_told():
    assert processes.manner_of(3221225477) == "with exit code 3221225477"  # an access violation


def test_cores_are_counted_where_affinity_is_unknown(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert processes.cores() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert processes.cores() == 1


def test_groups_that_cannot_be_killed_any_more_are_no_error(monkeypatch):
    def refuse(group, number):
        raise PermissionError(1, "of a group of zombies, on macOS")

    monkeypatch.setattr(os, "killpg", refuse)
    processes.kill_group(Process())

"""Ctrl-C with workers: back within two seconds, with everything that had finished."""

import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
    import concurrent.futures, os, pathlib, signal, sys, threading, time
    import geneticpy

    kind, steady, log = sys.argv[1], sys.argv[2] == "steady", pathlib.Path(sys.argv[3])
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the shell may have turned it off
    interrupted = []

    def fn(params):
        if params["n"] < 2:
            time.sleep(60)
        with open(log, "a") as file:
            file.write(f"{params['n']}\\n")
        return params["n"]

    def interrupt_when_all_have_finished_but_two():
        while not log.exists() or len(log.read_text().split()) < 7:
            time.sleep(0.01)
        time.sleep(0.2)  # for the reports to arrive
        interrupted.append(time.perf_counter())
        # to the group, as a terminal does
        os.killpg(0, signal.SIGINT) if kind == "2" else os.kill(os.getpid(), signal.SIGINT)

    os.setsid()
    threading.Thread(target=interrupt_when_all_have_finished_but_two).start()
    how = {"executor": concurrent.futures.ThreadPoolExecutor(3)} if kind == "executor" else {
        "workers": int(kind) if kind.isdigit() else kind}
    if kind == "2":
        how = {"workers": 3}
    if steady:
        how["steady_state"] = True
    else:
        how["batch"] = 9
    space = {"n": geneticpy.ChoiceDistribution(list(range(9)))}
    result = geneticpy.optimize(fn, space, size=9, seed=0, **how)
    seconds = time.perf_counter() - interrupted[0]
    print(result.message)
    print(sorted(result.history.loss.tolist()))
    print(seconds < 2 or seconds)
    sys.stdout.flush()
    os._exit(0)  # the threads of the user's own executor would be waited for
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to oneself there")
@pytest.mark.parametrize("mode", ["generations", "steady"])
@pytest.mark.parametrize("kind", ["2", "threads:3", "executor"])
def test_a_real_signal_ends_the_run_at_once_with_everything_that_had_finished(
    kind, mode, tmp_path
):
    program = textwrap.dedent(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, kind, mode, str(tmp_path / "log")],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.stderr == ""
    message, losses, in_time = done.stdout.splitlines()
    assert message == "interrupted after 7 evaluations"
    assert losses == str([float(n) for n in range(2, 9)])
    assert in_time == "True"

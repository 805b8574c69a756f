"""`python -m tests.faults.crash_at before|after MODULE:FUNCTION N ARGUMENTS`: the runner, doomed.

Runs `python -m runner ARGUMENTS` in this process and kills it with SIGKILL right before or right
after the N-th call of one function. The product needs no hooks for this: the function is replaced
where it is looked up.
"""

import importlib
import os
import signal
import sys
import threading

if __name__ == "__main__":
    when, place, count, *arguments = sys.argv[1:]
    module_name, _, path = place.partition(":")
    owner = importlib.import_module(module_name)
    *holders, name = path.split(".")
    for holder in holders:
        owner = getattr(owner, holder)
    original = getattr(owner, name)
    calls = [0]
    lock = threading.Lock()

    def doomed(*args, **kwargs):
        with lock:
            calls[0] += 1
            now = calls[0] == int(count)
        if now and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, doomed)
    from runner.commands import main

    sys.exit(main(arguments))

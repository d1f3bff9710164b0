import os
import signal

import pytest

from normscope.training.interruption import interruption


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_remembered_and_the_old_handlers_come_back(number):
    before = signal.getsignal(number)
    with interruption() as interrupted:
        assert interrupted() == ""
        os.kill(os.getpid(), number)
        assert interrupted() == signal.Signals(number).name
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_stops_at_once():
    with interruption():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)

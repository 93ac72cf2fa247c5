"""Who asked for which row."""

import numpy as np

from geneticpy.evolution.strategies.errands import Errands


class Recorder:
    """An arm that notes what it is told."""

    def __init__(self):
        self.told, self.finished = [], False

    def learn(self, tickets, genes, loss):
        self.told += list(zip(tickets.tolist(), genes[:, 0].tolist(), loss.tolist(), strict=True))


def errands():
    return Errands(lambda genes: genes[:, 0].astype(int))


def rows(*values):
    return np.array(values, float)[:, None]


def test_losses_find_the_arm_that_asked():
    desk, one, two = errands(), Recorder(), Recorder()
    desk.send(one, rows(1, 2), np.array([10, 11]))
    desk.send(two, rows(3), np.array([10]))
    desk.send(one, rows(4), np.array([12]))
    foreign = desk.receive(rows(3, 4, 9, 1), np.array([0.3, 0.4, 0.9, 0.1]))
    assert foreign.tolist() == [False, False, True, False]
    assert sorted(one.told) == [(10, 1, 0.1), (12, 4, 0.4)]
    assert two.told == [(10, 3, 0.3)]
    assert desk.told == 4


def test_known_rows_are_answered_at_once_and_not_sent_again():
    desk, arm = errands(), Recorder()
    desk.receive(rows(5), np.array([0.5]))
    new = desk.send(arm, rows(5, 6), np.array([0, 1]))
    assert new.tolist() == [[6]]
    assert arm.told == [(0, 5, 0.5)]


def test_all_who_ask_for_one_row_are_answered():
    desk, one, two = errands(), Recorder(), Recorder()
    assert len(desk.send(one, rows(1, 1), np.array([0, 1]))) == 1
    assert len(desk.send(two, rows(1), np.array([7]))) == 0
    assert not desk.receive(rows(1), np.array([0.1])).any()
    assert sorted(one.told) == [(0, 1, 0.1), (1, 1, 0.1)]
    assert two.told == [(7, 1, 0.1)]


def test_rows_are_answered_once():
    desk, arm = errands(), Recorder()
    desk.send(arm, rows(1), np.array([0]))
    desk.receive(rows(1), np.array([0.1]))
    assert desk.receive(rows(1), np.array([0.2])).all()
    assert len(arm.told) == 1


def test_arms_that_are_finished_are_forgotten():
    desk, old = errands(), Recorder()
    desk.send(old, rows(1), np.array([0]))
    old.finished = True
    for number in range(2, 50):
        arm = Recorder()
        arm.finished = True
        desk.send(arm, rows(number), np.array([0]))
    assert len(desk._arms) == 1
    desk.receive(rows(1), np.array([0.1]))
    assert not old.told


def test_no_rows_are_no_errands():
    desk = errands()
    assert len(desk.send(Recorder(), np.empty((0, 1)), np.empty(0, np.int64))) == 0
    assert len(desk.receive(np.empty((0, 1)), np.empty(0))) == 0

"""Keep the loop in your own hands: ask for candidates, evaluate them anywhere, tell the losses.

Here a thread pool stands for "anywhere". Losses are told as they come, in any order.
"""

from concurrent.futures import ThreadPoolExecutor, as_completed

import geneticpy

space = {
    "x": geneticpy.UniformDistribution(-5, 5),
    "y": geneticpy.UniformDistribution(-5, 5),
    "power": geneticpy.ChoiceDistribution([2, 4]),
}


def loss_function(params):
    """Return the loss of one point: 0 at x = 1, y = -2."""
    return abs(params["x"] - 1) ** params["power"] + abs(params["y"] + 2) ** params["power"]


def main(rounds=40):
    """Ask for ten candidates at a time and print the best point told."""
    optimizer = geneticpy.Optimizer(space, max_evaluations=10 * rounds, seed=0)
    with ThreadPoolExecutor(max_workers=4) as pool:
        for _ in range(rounds):
            futures = {pool.submit(loss_function, params): id for id, params in optimizer.ask(10)}
            for future in as_completed(futures):
                optimizer.tell(futures[future], future.result())
    print(f"best loss {optimizer.best_loss:.6g} at {optimizer.best_params}")


if __name__ == "__main__":
    main()

"""The shortest use: minimize a function of a choice, a stepped range and a Gaussian."""

import geneticpy


def loss_function(params):
    """Return x + y or x * y, as the parameter ``type`` says."""
    if params["type"] == "add":
        return params["x"] + params["y"]
    return params["x"] * params["y"]


space = {
    "type": geneticpy.ChoiceDistribution(choice_list=["add", "multiply"]),
    "x": geneticpy.UniformDistribution(low=5, high=10, q=1),
    "y": geneticpy.GaussianDistribution(mean=0, standard_deviation=1),
}

if __name__ == "__main__":
    best_params, loss, total_time = geneticpy.optimize(
        loss_function, space, size=200, generation_count=500, verbose=True, seed=0
    )
    print(f"best loss {loss:.6g} at {best_params}, found in {total_time:.2f} s")

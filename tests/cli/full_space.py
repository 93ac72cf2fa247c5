"""A space file with everything in it."""

FULL = """
learning_rate = {log_uniform = [1e-5, 1e-1]}
dropout = {uniform = [0, 0.5], q = 0.1}
noise = {gaussian = [0, 1], low = -2, high = 2}
decay = {log_normal = [-5, 1]}
delay = {exponential = [1.5], high = 10}
momentum = {scipy = "beta", a = 2, b = 5}
pooling = {choice = ["max", "mean"], probabilities = [0.7, 0.3]}
width = {choice = [16, 64, 256], ordered = true}
max_depth = {choice = [{none = true}, {uniform = [1, 30], q = 1}]}
augmentations = {subset = ["flip", "crop", "blur"], min_size = 1}
order = {permutation = ["a", "b", "c"]}
betas = [0.9, {uniform = [0.99, 0.9999]}]
batch_size = 128
started = 2026-11-21

[layers]
min_size = 1
max_size = 8

[layers.list]
units = {log_uniform = [4, 1024], q = 1}
activation = {choice = ["relu", "tanh", "elu"]}

[[optimizer.choice]]
name = "sgd"
momentum = {uniform = [0, 0.99]}

[[optimizer.choice]]
name = "adam"
beta = {uniform = [0.8, 0.999]}

[data.table]
list = "train.txt"
choice = {choice = [1, 2]}
"""

"""Ways to propose rows, one a module, with one protocol: `propose` and `update`."""

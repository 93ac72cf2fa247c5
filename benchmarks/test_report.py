"""What the commands write into RESULTS.md."""

from report import told


def test_paths_of_this_machine_are_left_out():
    words = ["--seeds", "3", "--output", "somewhere/else.md", "--quick"]
    assert told([*words, "--geneticpy2-python", "python3", "--csv", "folder"]) == [
        "--seeds",
        "3",
        "--quick",
    ]

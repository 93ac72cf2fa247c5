"""What the commands write into RESULTS.md."""

from report import publish, told


def test_paths_of_this_machine_are_left_out():
    words = ["--seeds", "3", "--output", "somewhere/else.md", "--quick"]
    assert told([*words, "--geneticpy2-python", "python3", "--csv", "folder"]) == [
        "--seeds",
        "3",
        "--quick",
    ]


def test_a_section_is_printed_and_replaced(tmp_path, capsys):
    path = tmp_path / "results.md"
    path.write_text("# Results\n")
    for name, text in (("one", "first"), ("two", "second"), ("one", "third")):
        publish(text, path, name)
    publish("fourth", None, "one")
    assert capsys.readouterr().out == "first\nsecond\nthird\nfourth\n"
    assert path.read_text() == (
        "# Results\n\n<!-- one: begin -->\nthird\n<!-- one: end -->\n\n"
        "<!-- two: begin -->\nsecond\n<!-- two: end -->\n"
    )

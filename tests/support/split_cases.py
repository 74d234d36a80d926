"""Data sets to split: any class, and one whose counts are plain."""

from __future__ import annotations

from hypothesis import strategies as st

from adharness import Sample

DEFECTS = ("bent", "crack", "dent")


@st.composite
def class_of_samples(draw: st.DrawFn, name: str, *, train: int = 2) -> list[Sample]:
    """A class with groups of views in some of its images, and at least `train` groups to train."""
    samples = []
    for portion, low, high in (("train", train, 12), ("validation", 0, 3), ("test", 0, 20)):
        for number in range(draw(st.integers(low, high))):
            defect = draw(st.sampled_from(("good", *DEFECTS))) if portion == "test" else "good"
            alone = number < low or number < 2
            group = None if alone else draw(st.sampled_from([None, None, "a", "b"]))
            samples.append(
                Sample(
                    path=f"{name}/{portion}/{number}",
                    class_name=name,
                    portion=portion,  # type: ignore[arg-type]
                    label=0 if defect == "good" else 1,
                    defect=defect,
                    group=None if group is None else f"{portion}-{group}",
                )
            )
    return samples


def plain(name: str = "a", *, train: int = 10, validation: int = 0, bad: int = 10) -> list[Sample]:
    """A class of images that stand alone."""
    return [
        *(Sample(f"{name}/train/{i}", name, "train", 0) for i in range(train)),
        *(Sample(f"{name}/validation/{i}", name, "validation", 0) for i in range(validation)),
        *(Sample(f"{name}/test/good/{i}", name, "test", 0) for i in range(5)),
        *(Sample(f"{name}/test/bent/{i}", name, "test", 1, "bent") for i in range(bad)),
    ]

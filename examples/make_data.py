"""Write scikit-learn's wine and digits data as CSV with a header."""

from pathlib import Path

from sklearn.datasets import load_digits, load_wine


def csv_text(name: str) -> str:
    """Return the data of a search, ``wine`` or ``digits``, as CSV."""
    load, target = {"wine": (load_wine, "grower"), "digits": (load_digits, "digit")}[name]
    frame = load(as_frame=True).frame.rename(columns={"target": target})
    return frame.to_csv(index=False)


def main() -> None:
    """Write both files into ``data``."""
    folder = Path(__file__).resolve().parent / "data"
    for name in ("wine", "digits"):
        (folder / f"{name}.csv").write_text(csv_text(name), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Write scikit-learn's wine and digits data as CSV with a header, as a user would bring them."""

from pathlib import Path

from sklearn.datasets import load_digits, load_wine


def main() -> None:
    """Write both files into ``data``."""
    folder = Path(__file__).resolve().parent / "data"
    for name, load, target in (("wine", load_wine, "grower"), ("digits", load_digits, "digit")):
        frame = load(as_frame=True).frame.rename(columns={"target": target})
        frame.to_csv(folder / f"{name}.csv", index=False)


if __name__ == "__main__":
    main()

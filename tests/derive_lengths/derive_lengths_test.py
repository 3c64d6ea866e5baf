"""scripts/derive_lengths: what it derives from known raw data, and its errors."""

import importlib.machinery
import importlib.util
import pathlib
import tempfile
import unittest

import numpy as np
import tomllib

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "derive_lengths"
SHIPPED = SCRIPT.parents[1] / "workloads" / "lengths"


def load_script():
    loader = importlib.machinery.SourceFileLoader("derive_lengths", str(SCRIPT))
    loader_spec = importlib.util.spec_from_loader("derive_lengths", loader)
    module = importlib.util.module_from_spec(loader_spec)
    loader.exec_module(module)
    return module


derive_lengths = load_script()
TEXTS = dict.fromkeys(("title", "description", "source", "licence", "tokenizer", "cautions"), "x")


class DeriveTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def derive(self, raw_text, **row):
        (self.folder / "raw.csv").write_text(raw_text, encoding="utf-8")
        row = {"name": "set", "raw": "raw.csv", **TEXTS, **row}
        return tomllib.loads(derive_lengths.derive(row, self.folder))

    def test_lengths_become_bins_with_their_exact_extremes(self):
        random = np.random.default_rng(1)
        lengths = np.ceil(random.lognormal(7, 1.5, 20000)).astype(int)
        got = self.derive("tokens\n" + "\n".join(map(str, lengths)) + "\n")
        bins = got["bins"]
        self.assertEqual(bins[0][0], lengths.min())
        self.assertEqual(bins[-1][1], lengths.max())
        self.assertLessEqual(len(bins), 200)
        self.assertEqual(got["documents"], 20000)
        for low, high, count in bins:
            self.assertEqual(count, ((lengths >= low) & (lengths <= high)).sum())
        for share, length in got["published"]:
            self.assertEqual(length, np.sort(lengths)[round(share * 20000) - 1])
        self.assertAlmostEqual(got["published_mean"], lengths.mean(), delta=0.06)

    def test_one_length_only(self):
        got = self.derive("tokens\n7\n7\n")
        self.assertEqual(got["bins"], [[7, 7, 2]])

    def test_half_open_shares_lose_their_upper_edge_and_the_empty_document(self):
        raw = "bin_low,bin_high,share\n0,32,0.1\n32,64,0.5\n64,96,0.4\n"
        got = self.derive(raw, bounds="half_open", published=[[0.1, 31]])
        # The density rises to the second bin, and the first is wider than 2x, so it is uniform.
        self.assertEqual(got["bins"], [[1, 31, 100000, -1], [32, 63, 500000], [64, 95, 400000]])
        self.assertEqual(got["documents"], 0)

    def test_shared_edges_and_inclusive_bins(self):
        raw = "bin_low,bin_high,count\n4,9,1\n8,20,2\n19,40,1\n"
        got = self.derive(raw, bounds="quantiles", published=[])
        self.assertEqual([b[:2] for b in got["bins"]], [[4, 7], [8, 18], [19, 40]])
        raw = "bin_low,bin_high,count\n1,1,5\n2,3,0\n4,7,6\n"
        got = self.derive(raw, bounds="inclusive", published=[])
        self.assertEqual(got["bins"], [[1, 1, 5], [4, 7, 6]])

    def test_a_tail_gets_its_exponent_and_must_meet_its_share(self):
        raw = "bin_low,bin_high,count\n10,99,90\n100,99999,10\n"
        tail = {"exponent": 1.0, "above": 999, "share": 0.01}
        got = self.derive(raw, bounds="inclusive", published=[], tail=tail)
        self.assertEqual(got["bins"][-1], [100, 99999, 10, 1.0])
        with self.assertRaisesRegex(derive_lengths.RawDataError, "over 999, not 0.03"):
            self.derive(raw, bounds="inclusive", published=[], tail={**tail, "share": 0.03})

    def test_quantiles_that_disagree_are_refused(self):
        raw = "bin_low,bin_high,count\n10,19,90\n20,39,10\n"
        with self.assertRaisesRegex(derive_lengths.RawDataError, "0.5 quantile is 14"):
            self.derive(raw, bounds="inclusive", published=[[0.5, 40]])

    def test_bad_raw_data_is_refused_by_line(self):
        cases = {
            "tokens\n5\nfive\n": "raw.csv:3: column 'tokens' must be a number",
            "lengths\n5\n": "raw.csv:2: column 'tokens' must be a number",
            "tokens\n5\n0\n": "raw.csv:3: a length below 1",
            "tokens\n": "raw.csv: no rows",
        }
        for raw, message in cases.items():
            with self.assertRaisesRegex(derive_lengths.RawDataError, message):
                self.derive(raw)
        with self.assertRaisesRegex(derive_lengths.RawDataError, "raw.csv:3: bins must ascend"):
            self.derive("bin_low,bin_high,count\n1,9,1\n5,20,1\n", bounds="inclusive", published=[])
        with self.assertRaisesRegex(derive_lengths.RawDataError, "No such file"):
            derive_lengths.derive({"name": "set", "raw": "none.csv", **TEXTS}, self.folder)

    def test_every_row_has_its_shipped_file_and_no_other_is_there(self):
        names = {row["name"] for row in derive_lengths.SETS}
        self.assertEqual(names, {path.stem for path in SHIPPED.glob("*.toml")})
        for row in derive_lengths.SETS:
            shipped = tomllib.loads((SHIPPED / f"{row['name']}.toml").read_text(encoding="utf-8"))
            for key in TEXTS:
                self.assertEqual(shipped[key], row[key], row["name"])

    def test_the_readme_names_every_set_and_shape(self):
        readme = (SHIPPED.parent / "README.md").read_text(encoding="utf-8")
        for path in [*SHIPPED.glob("*.toml"), *(SHIPPED.parent / "shapes").glob("*.toml")]:
            self.assertIn(f"`{path.stem}`", readme)


if __name__ == "__main__":
    unittest.main()

// The texts and tables of the HTML page of `cpbench report`, as JSON for plots/report.py, which
// lays them out:
//
//   {"files": [FILE, ...], "output": FILE, "title": "...", "sections": [
//    {"title": "Results", "blocks": [
//     {"text": "..."}, {"caution": "..."}, {"command": "..."}, {"figures": true},
//     {"table": {"columns": [{"name": "time", "number": true}],
//                "groups": [{"heading": "ranks 4", "rows": [["1.2 ms"]]}]}}]}]}
//
// The first section has no title: it opens the page. A section with "folded": "summary" shows only
// the summary until the reader opens it.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/result_files.h"

namespace cpbench {

// `folder`: the folder that the results are in, after which the page is named. Throws UserError if
// no run has the baseline.
std::string page_json(const std::string& folder, const std::string& output,
                      const std::vector<StoredRun>& runs, const std::string& baseline);

}  // namespace cpbench

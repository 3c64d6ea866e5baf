// What the HTML page of `cpbench report` says, as JSON for plots/report.py, which lays it out:
//
//   {"path": DIR, "output": FILE, "title": "...", "sections": [{"title": "Results", "blocks": [
//     {"text": "..."}, {"caution": "..."}, {"command": "..."}, {"figures": true},
//     {"table": {"columns": [{"name": "time", "number": true}],
//                "groups": [{"heading": "ranks 4", "rows": [["1.2 ms"]]}]}}]}]}
//
// The first section has no title: it opens the page. A section with "folded": "summary" is shown
// when the reader asks for it.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/result_files.h"

namespace cpbench {

// `folder`: that of the results, which the page is named after. Throws UserError if no run has the
// baseline.
std::string page_json(const std::string& path, const std::string& folder, const std::string& output,
                      const std::vector<StoredRun>& runs, const std::string& baseline);

}  // namespace cpbench

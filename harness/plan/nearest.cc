#include "harness/plan/nearest.h"

#include <algorithm>

#include "harness/plan/shown.h"

namespace cpbench {
namespace {

size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& known) {
  std::string best;
  // A transposition costs two, so two changes are allowed even in a short word.
  size_t limit = std::max<size_t>(2, word.size() / 3);
  if (word.size() < 3) limit = 1;
  for (const std::string& candidate : known) {
    if (word.size() > candidate.size() + limit) continue;  // the distance is at least that
    size_t distance = edit_distance(word, candidate);
    if (distance <= limit && distance < candidate.size()) {
      if (best.empty() || distance < edit_distance(word, best)) best = candidate;
    }
  }
  return best;
}

std::string unknown_name(const std::string& kind, const std::string& word,
                         const std::vector<std::string>& known) {
  std::string text = "unknown " + kind + " '" + shown(word) + "'; ";
  std::string close = nearest(word, known);
  if (!close.empty()) return text + "did you mean '" + close + "'?";
  text += known.empty() ? "there are none" : "known: ";
  for (size_t i = 0; i < known.size(); ++i) text += (i ? ", " : "") + known[i];
  return text;
}

}  // namespace cpbench

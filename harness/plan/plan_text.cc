#include "harness/plan/plan_text.h"

#include <charconv>
#include <limits>
#include <sstream>
#include <string_view>

#include "harness/plan/errors.h"
#include "harness/plan/names.h"
#include "harness/plan/shown.h"

namespace cpbench {
namespace {

std::string heads_text(Heads heads) {
  return std::to_string(heads.begin) + "-" + std::to_string(heads.end);
}

void write_pass(std::ostringstream& out, const char* name, const Pass& pass) {
  out << name << " lookahead " << pass.lookahead << '\n';
  for (size_t i = 0; i < pass.collectives.size(); ++i) {
    out << "collective " << i << ' ' << name_of(pass.collectives[i].kind) << ' '
        << pass.collectives[i].padded_tokens << '\n';
  }
  for (const Attend& a : pass.attends) {
    out << "attend " << a.step << " rank " << a.rank << " q " << a.q << " kv " << a.kv << " heads "
        << heads_text(a.heads) << '\n';
  }
  for (const Send& s : pass.sends) {
    out << "send " << s.step << '.' << s.substage << " from " << s.from << " to " << s.to << ' '
        << name_of(s.tensor) << ' ' << s.tokens << " heads " << heads_text(s.heads);
    if (s.collective >= 0) out << " collective " << s.collective;
    out << '\n';
  }
}

// The words of one line, taken in order. Every error names the line.
class Words {
 public:
  Words(std::string_view line, int number) : number_(number) {
    std::istringstream in{std::string(line)};
    for (std::string word; in >> word;) words_.push_back(word);
  }
  bool empty() const { return next_ == words_.size(); }
  std::string word() {
    if (empty()) fail("the line ends too early");
    return words_[next_++];
  }
  void expect(const std::string& want) {
    std::string got = word();
    if (got != want) fail("expected '" + want + "', found '" + got + "'");
  }
  int64_t number() { return to_number(word()); }
  int32_t small() { return to_small(number()); }
  std::pair<int32_t, int32_t> small_pair(char separator) {
    auto [first, second] = to_pair(word(), separator);
    return {to_small(first), to_small(second)};
  }
  Heads heads() {
    expect("heads");
    auto [begin, end] = small_pair('-');
    return {begin, end};
  }
  Ranges ranges() {
    std::string text = word();
    Ranges out;
    if (text == "-") return out;
    std::istringstream in(text);
    for (std::string item; std::getline(in, item, ',');) {
      auto [begin, end] = to_pair(item, '-');
      out.push_back({begin, end});
    }
    if (!is_normal(out)) fail("'" + text + "' is not sorted, disjoint and joined ranges");
    return out;
  }
  template <typename Enum>
  Enum named(const std::string& what) {
    const std::string name = word();
    const std::optional<Enum> value = enum_named<Enum>(name);
    if (!value) fail("'" + name + "' is not a valid " + what);
    return *value;
  }
  void end() {
    if (!empty()) fail("unexpected '" + words_[next_] + "' at the end of the line");
  }
  [[noreturn]] void fail(const std::string& why) const {
    throw UserError("line " + std::to_string(number_) + ": " + shown(why, kLongestSentence));
  }

 private:
  // At least 0.
  int64_t to_number(const std::string& text) const {
    int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) {
      fail("'" + text + "' is not a valid number");
    }
    return value;
  }
  int32_t to_small(int64_t value) const {
    constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
    if (value > kMost) {
      fail(std::to_string(value) + " is out of range; must be from 0 to " + std::to_string(kMost));
    }
    return static_cast<int32_t>(value);
  }
  std::pair<int64_t, int64_t> to_pair(const std::string& text, char separator) const {
    size_t at = text.find(separator);
    if (at == std::string::npos)
      fail("'" + text + "' is not two numbers with '" + separator + "' between them");
    return {to_number(text.substr(0, at)), to_number(text.substr(at + 1))};
  }

  int number_;
  std::vector<std::string> words_;
  size_t next_ = 0;
};

void read_set(Words& words, RangeSets& sets) {
  int32_t id = words.small();
  if (sets.intern(words.ranges()) != id) {
    words.fail("set " + std::to_string(id) + " is out of order or repeats another");
  }
}

void read_send(Words& words, Pass& pass) {
  Send send;
  auto [step, substage] = words.small_pair('.');
  send.step = step;
  send.substage = substage;
  words.expect("from");
  send.from = words.small();
  words.expect("to");
  send.to = words.small();
  send.tensor = words.named<Tensor>("tensor");
  send.tokens = words.small();
  send.heads = words.heads();
  if (!words.empty()) {
    words.expect("collective");
    send.collective = words.small();
  }
  pass.sends.push_back(send);
}

void read_line(Words& words, Plan& plan, Pass*& pass) {
  std::string kind = words.word();
  if (kind == "plan") {
    words.expect("ranks");
    plan.ranks = words.small();
    words.expect("tokens");
    plan.tokens = words.number();
    words.expect("query_heads");
    plan.query_heads = words.small();
    words.expect("gradient_wire");
    plan.gradient_wire = words.named<GradientWire>("gradient wire");
  } else if (kind == "tokens") {
    read_set(words, plan.token_sets);
  } else if (kind == "ranks") {
    read_set(words, plan.rank_sets);
  } else if (kind == "home") {
    if (words.small() != static_cast<int32_t>(plan.home.size())) words.fail("home is out of order");
    plan.home.push_back(words.small());
  } else if (kind == "forward" || kind == "backward") {
    pass = kind == "forward" ? &plan.forward : &plan.backward;
    words.expect("lookahead");
    pass->lookahead = words.small();
  } else if (kind == "keep") {
    Keep keep;
    keep.rank = words.small();
    keep.tensor = words.named<Tensor>("tensor");
    keep.tokens = words.small();
    keep.heads = words.heads();
    plan.keep.push_back(keep);
  } else if (pass == nullptr) {
    words.fail("'" + kind + "' must come after 'forward' or 'backward'");
  } else if (kind == "collective") {
    if (words.small() != static_cast<int32_t>(pass->collectives.size())) {
      words.fail("collective is out of order");
    }
    Collective collective;
    collective.kind = words.named<CollectiveKind>("collective");
    collective.padded_tokens = words.number();
    pass->collectives.push_back(collective);
  } else if (kind == "attend") {
    Attend attend;
    attend.step = words.small();
    words.expect("rank");
    attend.rank = words.small();
    words.expect("q");
    attend.q = words.small();
    words.expect("kv");
    attend.kv = words.small();
    attend.heads = words.heads();
    pass->attends.push_back(attend);
  } else if (kind == "send") {
    read_send(words, *pass);
  } else {
    words.fail("'" + kind + "' is not a valid operation");
  }
  words.end();
}

}  // namespace

std::string ranges_text(RangeSpan ranges) {
  if (ranges.empty()) return "-";
  std::string out;
  for (const Range& r : ranges) {
    if (!out.empty()) out += ',';
    out += std::to_string(r.begin) + '-' + std::to_string(r.end);
  }
  return out;
}

std::string plan_text(const Plan& plan) {
  std::ostringstream out;
  out << "plan ranks " << plan.ranks << " tokens " << plan.tokens << " query_heads "
      << plan.query_heads << " gradient_wire " << name_of(plan.gradient_wire) << '\n';
  for (SetId id = 1; id < plan.token_sets.count(); ++id) {
    out << "tokens " << id << ' ' << ranges_text(plan.token_sets[id]) << '\n';
  }
  for (SetId id = 1; id < plan.rank_sets.count(); ++id) {
    out << "ranks " << id << ' ' << ranges_text(plan.rank_sets[id]) << '\n';
  }
  for (size_t rank = 0; rank < plan.home.size(); ++rank) {
    out << "home " << rank << ' ' << plan.home[rank] << '\n';
  }
  write_pass(out, "forward", plan.forward);
  write_pass(out, "backward", plan.backward);
  for (const Keep& k : plan.keep) {
    out << "keep " << k.rank << ' ' << name_of(k.tensor) << ' ' << k.tokens << " heads "
        << heads_text(k.heads) << '\n';
  }
  return out.str();
}

Plan plan_from_text(const std::string& text) {
  Plan plan;
  Pass* pass = nullptr;
  std::istringstream in(text);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    Words words(line, ++number);
    if (!words.empty()) read_line(words, plan, pass);
  }
  if (plan.ranks == 0) throw UserError("line 1: the line 'plan ranks ...' is missing");
  for (Pass* p : {&plan.forward, &plan.backward}) count_steps(*p);
  return plan;
}

}  // namespace cpbench

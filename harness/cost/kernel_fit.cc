#include "harness/cost/kernel_fit.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/cost/least_squares.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

KernelModel model_of(KernelPass pass, int32_t sms, const KernelConstants& constants) {
  KernelModel model;
  model.gpu.sms = sms;
  (pass == KernelPass::forward ? model.forward : model.backward) = constants;
  return model;
}

CallTime call_of(const KernelSample& sample, KernelPass pass, const KernelModel& model) {
  // The model takes the head size of the samples as its own, whatever it is.
  const AttentionShape shape{.head_dim = model.head_dim, .value_head_dim = model.head_dim};
  CallTime call(model, pass, shape, sample.query_heads);
  for (const AttentionSegment& s : sample.segments) call.add(s);
  return call;
}

// A constant and the quantity that it is multiplied by, besides heads per SM. If the calls cannot
// tell two constants apart, the earlier one is preferred.
struct Term {
  double KernelConstants::*constant;
  double CallWork::*work;  // null if it counts once per call
  bool per_head;
};
constexpr Term kPaddedTerms[] = {
    {&KernelConstants::block_us, &CallWork::blocks, true},
    {&KernelConstants::tile_us, &CallWork::tiles, true},
    {&KernelConstants::rows_us, &CallWork::rows, true},
    {&KernelConstants::kv_block_us, &CallWork::kv_blocks, true},
    {&KernelConstants::call_us, nullptr, false},
    {&KernelConstants::longest_us, &CallWork::longest, false},
    {&KernelConstants::empty_block_us, &CallWork::empty_blocks, true},
};
constexpr Term kExactTerms[] = {
    {&KernelConstants::pairs_us, &CallWork::pairs, true},
    {&KernelConstants::block_us, &CallWork::blocks, true},
    {&KernelConstants::tile_us, &CallWork::tiles, true},
    {&KernelConstants::rows_us, &CallWork::rows, true},
    {&KernelConstants::call_us, nullptr, false},
    {&KernelConstants::segment_us, &CallWork::segments, false},
};
std::span<const Term> terms_of(bool padded) {
  return padded ? std::span<const Term>(kPaddedTerms) : std::span<const Term>(kExactTerms);
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}
double worst(const std::vector<double>& values) {
  return *std::max_element(values.begin(), values.end());
}

// Slowdowns of long calls that a fit may choose from: up to kMostSlowdown.
constexpr double kSlowdownStep = 0.02, kMostSlowdown = 0.3;

// The time that a call would have taken without the slowdown.
double boosted(double us, double slowdown) {
  return us <= kBoostUs ? us : (us + slowdown * kBoostUs) / (1 + slowdown);
}

// One choice of tile, block and slowdown, with its terms for every sample.
struct Candidate {
  KernelConstants sizes;
  std::vector<std::vector<double>> terms;  // divided by the measured time
  bool empty_blocks = false;
};

// The candidate and constants that fit the chosen samples best.
KernelConstants best_fit(std::span<const KernelSample> samples, KernelPass pass, int32_t sms,
                         const std::vector<Candidate>& candidates,
                         const std::vector<size_t>& chosen) {
  std::vector<KernelSample> used;
  for (size_t i : chosen) used.push_back(samples[i]);
  const std::vector<double> ones(chosen.size(), 1.0);
  KernelConstants best;
  double least = -1;
  for (const Candidate& candidate : candidates) {
    std::vector<std::vector<double>> rows;
    for (size_t i : chosen) rows.push_back(candidate.terms[i]);
    const std::vector<double> found = non_negative_least_squares(rows, ones);
    KernelConstants constants = candidate.sizes;
    const std::span<const Term> terms = terms_of(constants.padded);
    for (size_t t = 0; t < terms.size(); ++t) constants.*terms[t].constant = found[t];
    const double error = mean(relative_errors(used, pass, sms, constants));
    if (least < 0 || error < least * (1 - 1e-9)) {
      least = error;
      best = constants;
    }
  }
  return best;
}

// Only none if no call is long enough to tell.
std::vector<double> slowdowns_of(std::span<const KernelSample> samples, bool padded) {
  std::vector<double> slowdowns = {0};
  const bool tells = padded && std::ranges::any_of(samples, [](const KernelSample& s) {
                       return s.seconds * 1e6 > kBoostUs;
                     });
  for (int i = 1; tells && i * kSlowdownStep <= kMostSlowdown; ++i) {
    slowdowns.push_back(i * kSlowdownStep);
  }
  return slowdowns;
}

std::vector<Candidate> candidates_of(std::span<const KernelSample> samples, KernelPass pass,
                                     int32_t sms, const FitChoices& choices) {
  std::vector<Candidate> candidates;
  const auto add = [&](int32_t tile, int32_t block, double slowdown) {
    Candidate candidate;
    candidate.sizes.tile_tokens = tile;
    candidate.sizes.block_tokens = block;
    candidate.sizes.sustained_slowdown = slowdown;
    candidate.sizes.padded = choices.padded;
    const KernelModel model = model_of(pass, sms, candidate.sizes);
    for (const KernelSample& s : samples) {
      const CallWork work = call_of(s, pass, model).work();
      const double heads_per_sm = static_cast<double>(s.query_heads) / sms;
      const double us = boosted(1e6 * s.seconds, slowdown);
      std::vector<double> values;
      for (const Term& term : terms_of(choices.padded)) {
        const double value = term.work == nullptr ? 1 : work.*term.work;
        values.push_back(value * (term.per_head ? heads_per_sm : 1) / us);
      }
      candidate.terms.push_back(std::move(values));
      if (work.empty_blocks > 0) candidate.empty_blocks = true;
    }
    candidates.push_back(std::move(candidate));
  };
  const std::vector<double> slowdowns = slowdowns_of(samples, choices.padded);
  for (int32_t tile : choices.tile_tokens) {
    for (int32_t block : choices.block_tokens) {
      for (double slowdown : slowdowns) add(tile, block, slowdown);
    }
  }
  return candidates;
}

}  // namespace

std::vector<double> relative_errors(std::span<const KernelSample> samples, KernelPass pass,
                                    int32_t sms, const KernelConstants& constants) {
  const KernelModel model = model_of(pass, sms, constants);
  std::vector<double> errors;
  for (const KernelSample& s : samples) {
    errors.push_back(std::abs(call_of(s, pass, model).seconds() / s.seconds - 1));
  }
  return errors;
}

KernelFit fit_kernel(std::span<const KernelSample> samples, KernelPass pass, int32_t sms,
                     const FitChoices& choices) {
  if (std::ssize(samples) < kLeastSamples) {
    throw UserError(std::to_string(samples.size()) + " measured calls are too few for a fit: " +
                    std::to_string(kLeastSamples) + " or more");
  }
  const std::vector<Candidate> candidates = candidates_of(samples, pass, sms, choices);
  std::vector<size_t> all(samples.size());
  std::iota(all.begin(), all.end(), 0);
  KernelFit fit;
  fit.samples = static_cast<int32_t>(samples.size());
  fit.constants = best_fit(samples, pass, sms, candidates, all);
  fit.empty_blocks = candidates.front().empty_blocks;
  const std::vector<double> fitted = relative_errors(samples, pass, sms, fit.constants);
  fit.fitted_mean_error = mean(fitted);
  fit.fitted_worst_error = worst(fitted);

  std::vector<double> errors;  // of calls that were left out of the fit
  for (size_t fold = 0; fold < kFolds; ++fold) {
    std::vector<size_t> others;
    std::vector<KernelSample> held_out;
    for (size_t i : all) {
      if (i % kFolds == fold) {
        held_out.push_back(samples[i]);
      } else {
        others.push_back(i);
      }
    }
    const KernelConstants constants = best_fit(samples, pass, sms, candidates, others);
    for (double error : relative_errors(held_out, pass, sms, constants)) errors.push_back(error);
  }
  fit.constants.mean_error = mean(errors);
  fit.constants.worst_error = worst(errors);
  return fit;
}

}  // namespace cpbench

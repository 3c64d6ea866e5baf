#include "harness/cost/kernel_fit.h"

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
  // The head size at which the samples were taken is the model's, whatever it is.
  const AttentionShape shape{.head_dim = model.head_dim, .value_head_dim = model.head_dim};
  CallTime call(model, pass, shape, sample.query_heads);
  for (const AttentionSegment& s : sample.segments) call.add(s);
  return call;
}

// The constants in the order of preference where the calls cannot tell them apart.
constexpr double KernelConstants::*kTerms[] = {
    &KernelConstants::call_us,    &KernelConstants::block_us,      &KernelConstants::tile_us,
    &KernelConstants::rows_us,    &KernelConstants::kv_block_us,   &KernelConstants::longest_us,
    &KernelConstants::segment_us, &KernelConstants::empty_block_us};

// What each of them is multiplied with.
std::vector<double> terms_of(const CallWork& w, double heads_per_sm) {
  return {1,
          w.blocks * heads_per_sm,
          w.tiles * heads_per_sm,
          w.rows * heads_per_sm,
          w.kv_blocks * heads_per_sm,
          w.longest,
          w.segments,
          w.empty_blocks * heads_per_sm};
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}
double worst(const std::vector<double>& values) {
  return *std::max_element(values.begin(), values.end());
}

// One choice of tile and block, with what it makes of every sample.
struct Candidate {
  KernelConstants sizes;
  std::vector<std::vector<double>> terms;  // over measured time
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
    for (size_t t = 0; t < std::size(kTerms); ++t) constants.*kTerms[t] = found[t];
    const double error = mean(relative_errors(used, pass, sms, constants));
    if (least < 0 || error < least * (1 - 1e-9)) {
      least = error;
      best = constants;
    }
  }
  return best;
}

std::vector<Candidate> candidates_of(std::span<const KernelSample> samples, KernelPass pass,
                                     int32_t sms, const FitSizes& sizes) {
  std::vector<Candidate> candidates;
  for (int32_t tile : sizes.tile_tokens) {
    for (int32_t block : sizes.block_tokens) {
      Candidate candidate;
      candidate.sizes.tile_tokens = tile;
      candidate.sizes.block_tokens = block;
      const KernelModel model = model_of(pass, sms, candidate.sizes);
      for (const KernelSample& s : samples) {
        std::vector<double> terms =
            terms_of(call_of(s, pass, model).work(), static_cast<double>(s.query_heads) / sms);
        for (double& term : terms) term *= 1e-6 / s.seconds;
        candidate.terms.push_back(std::move(terms));
      }
      candidates.push_back(std::move(candidate));
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
                     const FitSizes& sizes) {
  if (std::ssize(samples) < kLeastSamples) {
    throw UserError(std::to_string(samples.size()) + " measured calls are too few for a fit: " +
                    std::to_string(kLeastSamples) + " or more");
  }
  const std::vector<Candidate> candidates = candidates_of(samples, pass, sms, sizes);
  std::vector<size_t> all(samples.size());
  std::iota(all.begin(), all.end(), 0);
  KernelFit fit;
  fit.samples = static_cast<int32_t>(samples.size());
  fit.constants = best_fit(samples, pass, sms, candidates, all);
  for (const std::vector<double>& terms : candidates.front().terms) {
    fit.empty_blocks |= terms.back() > 0;
  }
  const std::vector<double> fitted = relative_errors(samples, pass, sms, fit.constants);
  fit.fitted_mean_error = mean(fitted);
  fit.fitted_worst_error = worst(fitted);

  std::vector<double> errors;  // of calls that had no part in the fit
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

// Says what a model.bin holds, without running it.

#include "runtime/support/Text.h"
#include "tools/tcc-run/Session.h"

#include <nlohmann/json.hpp>

using namespace tcc;
using namespace tcc::run;

/// Names in a file may be anything; JSON must be UTF-8.
static std::string textOf(const flatbuffers::String *text) {
  return text ? rt::printable(text->str()) : std::string();
}

static int64_t cacheBytesOfToken(const rt::Plan &plan) {
  return plan.caches.empty() ? 0
                             : plan.pageBytesOfAllLayers() / plan.pageTokens();
}

static int64_t launchesOf(const rt::StepPlan &step) {
  int64_t launches = 0;
  for (const rt::SectionPlan &section : step.sections)
    launches += section.layers * static_cast<int64_t>(section.launches.size());
  return launches;
}

/// What attention reads: keys and values, or latents of which both are made.
static const char *cacheOf(const rt::Plan &plan) {
  if (plan.caches.empty())
    return "none";
  return plan.caches.front().latent ? "latent" : "keys and values";
}

static nlohmann::ordered_json describeKernels(const rt::Plan &plan) {
  nlohmann::ordered_json kernels = nlohmann::ordered_json::array();
  for (const rt::KernelPlan &kernel : plan.kernels)
    kernels.push_back({{"name", rt::printable(kernel.name)},
                       {"configuration", rt::printable(kernel.configuration)}});
  return kernels;
}

static nlohmann::ordered_json describe(const rt::Executable &executable) {
  const schema::Executable &root = executable.root();
  const rt::Manifest &manifest = executable.manifest();
  const rt::Plan &plan = executable.plan();
  nlohmann::ordered_json result;
  result["file"] = executable.path();
  result["format_version"] = rt::formatVersion;
  result["producer"] = textOf(root.producer());
  result["model_name"] = textOf(root.model_name());
  result["architecture"] = textOf(root.architecture());
  result["parameters"] = root.parameters();
  result["vocabulary"] = root.vocabulary();
  result["max_positions"] = root.max_positions();
  result["activations"] = schema::EnumNameElementType(root.activations());
  result["end_ids"] = nlohmann::ordered_json::array();
  if (root.end_ids())
    for (int32_t id : *root.end_ids())
      result["end_ids"].push_back(id);
  result["tokenizer_tokens"] =
      root.tokenizer() ? root.tokenizer()->tokens()->size() : 0;
  result["targets"] = nlohmann::ordered_json::array();
  for (const schema::Target *target : *root.targets())
    result["targets"].push_back(rt::nameOf(target->kind()));
  result["target"] = rt::nameOf(manifest.kind); // Of which the rest is said.
  result["cpu"] = rt::printable(manifest.cpu);
  result["features"] = nlohmann::ordered_json::array();
  for (const std::string &feature : manifest.features)
    result["features"].push_back(rt::printable(feature));
  result["code_bytes"] = manifest.code.bytes;
  result["has_weights"] = manifest.weights.has_value();
  result["weight_bytes"] = manifest.weights ? manifest.weights->bytes : 0;
  result["cache"] = cacheOf(plan);
  result["cache_bytes_per_token"] = cacheBytesOfToken(plan);
  result["launches_per_step"] = launchesOf(plan.step);
  result["has_prediction"] = plan.prediction.has_value();
  result["kernels"] = describeKernels(plan);
  return result;
}

Status tcc::run::info(const rt::Executable &executable,
                      const Options &options) {
  nlohmann::ordered_json description = describe(executable);
  auto handler = nlohmann::ordered_json::error_handler_t::replace;
  if (options.json) {
    writeOutput(description.dump(-1, ' ', false, handler) + "\n", false);
    return finishOutput();
  }
  for (const auto &[key, value] : description.items()) {
    if (key == "kernels")
      continue;
    std::string text = value.is_string() ? value.get<std::string>()
                                         : value.dump(-1, ' ', false, handler);
    writeOutput(key + ": " + text + "\n", false);
  }
  for (const auto &kernel : description["kernels"])
    writeOutput("kernel: " + kernel["name"].get<std::string>() + "  " +
                    kernel["configuration"].get<std::string>() + "\n",
                false);
  return finishOutput();
}

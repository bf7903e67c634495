#include "test/unit/compiler/Weights.h"

#include "compiler/target/x86/PackedWeights.h"
#include "mlir/AsmParser/AsmParser.h"
#include "test/unit/compiler/Values.h"
#include "llvm/ADT/APFloat.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
/// Writes random elements as a checkpoint has them, and their values.
class Writer {
public:
  Writer(std::mt19937 &random, std::vector<uint8_t> &bytes,
         std::vector<double> &values)
      : random(random), bytes(bytes), values(values) {}

  void writeRow(Storage storage, int64_t depth);

private:
  template <typename T>
  void append(T value) {
    auto *from = reinterpret_cast<const uint8_t *>(&value);
    bytes.insert(bytes.end(), from, from + sizeof(T));
  }
  float draw() { return std::normal_distribution<float>()(random); }
  double appendHalf(float value);
  void writeElement(Storage storage);
  void writeBlockQ8();
  void writeBlockQ4(bool hasMinima);

  std::mt19937 &random;
  std::vector<uint8_t> &bytes;
  std::vector<double> &values;
};
} // namespace

/// Rounds `value` to f16 and returns what that is.
double Writer::appendHalf(float value) {
  llvm::APFloat half(value);
  bool losesInfo;
  half.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven,
               &losesInfo);
  append(static_cast<uint16_t>(half.bitcastToAPInt().getZExtValue()));
  return half.convertToDouble();
}

void Writer::writeElement(Storage storage) {
  float value = draw();
  switch (storage) {
  case Storage::F32:
    append(value);
    return values.push_back(value);
  case Storage::F16:
    return values.push_back(appendHalf(value));
  default:
    append(toBF16(value));
    return values.push_back(fromBF16(toBF16(value)));
  }
}

void Writer::writeBlockQ8() {
  double scale = appendHalf(draw() / 64);
  for (int i = 0; i < 32; ++i) {
    auto quant = static_cast<int8_t>(random());
    append(quant);
    values.push_back(scale * quant);
  }
}

/// Elements 0 to 15 are low nibbles, 16 to 31 high ones.
void Writer::writeBlockQ4(bool hasMinima) {
  double scale = appendHalf(draw() / 8);
  double least = hasMinima ? appendHalf(draw()) : -8 * scale;
  uint8_t quants[32];
  for (uint8_t &quant : quants) {
    quant = random() % 16;
    values.push_back(scale * quant + least);
  }
  for (int i = 0; i < 16; ++i)
    append(static_cast<uint8_t>(quants[i] | quants[i + 16] << 4));
}

void Writer::writeRow(Storage storage, int64_t depth) {
  bool isInBlocks = headerBytesOf(storage, 1) != 0;
  for (int64_t k = 0; k < depth; k += isInBlocks ? 32 : 1)
    if (!isInBlocks)
      writeElement(storage);
    else if (storage == Storage::Q8_0)
      writeBlockQ8();
    else
      writeBlockQ4(storage == Storage::Q4_1);
}

Weights::Weights(std::mt19937 &random, StringRef element, int64_t matrices,
                 int64_t rows, int64_t depth, int64_t columns, bool paired) {
  MLIRContext context;
  context.loadDialect<kernel::KernelDialect, transformer::TransformerDialect>();
  PackedLayout layout(
      RankedTensorType::get({rows, depth}, parseType(element, &context)),
      kernel::PackingAttr::get(&context, columns, paired));
  packed.resize(matrices * layout.totalBytes());
  for (int64_t matrix = 0; matrix < matrices; ++matrix) {
    std::vector<uint8_t> bytes;
    Writer writer(random, bytes, values);
    for (int64_t row = 0; row < rows; ++row)
      writer.writeRow(layout.storage, depth);
    packPanels(layout, {{SourceRows{bytes.data(), rows}}}, 0, layout.panels,
               packed.data() + matrix * layout.totalBytes());
  }
}

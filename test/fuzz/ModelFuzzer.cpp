// A model.fbs: what is accepted can be written and read again.

#include "frontends/model/ModelFile.h"
#include "test/fuzz/AllocationLimit.h"

using namespace tcc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  AllocationLimit limit(size);
  // A mapped file is aligned, libFuzzer's data is not.
  std::vector<uint8_t> bytes(data, data + size);
  ModelFile file;
  if (!readModel("m.fbs", bytes.data(), bytes.size(), file).ok())
    return 0;
  flatbuffers::FlatBufferBuilder builder;
  schema::FinishModelBuffer(builder, schema::Model::Pack(builder, &file.model));
  ModelFile again;
  if (!readModel("m.fbs", builder.GetBufferPointer(), builder.GetSize(), again)
           .ok())
    __builtin_trap();
  return 0;
}

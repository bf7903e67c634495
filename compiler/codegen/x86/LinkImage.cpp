// Links with JITLink, whose memory manager is ours: sections go into one buffer,
// at addresses that count from 0. Code and constants refer to each other by
// distances, so that the bytes do not depend on where the image is mapped.

#include "compiler/codegen/x86/LinkImage.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ExecutionEngine/JITLink/JITLink.h"
#include "llvm/ExecutionEngine/JITLink/x86_64.h"
#include "llvm/ExecutionEngine/Orc/SymbolStringPool.h"

using namespace llvm;
using namespace llvm::jitlink;
using namespace mlir::tcc::x86;

// Section addresses begin here and not at 0, where an edge to a missing symbol
// would look as if it were right.
static constexpr uint64_t baseAddress = 1 << 20;

namespace {
/// The bytes of a link in progress: one segment of code and constants.
class FlatAllocation : public JITLinkMemoryManager::InFlightAlloc {
public:
  void abandon(OnAbandonedFunction onAbandoned) override {
    onAbandoned(Error::success());
  }
  void finalize(OnFinalizedFunction onFinalized) override {
    onFinalized(JITLinkMemoryManager::FinalizedAlloc());
  }
};

/// Lays out all sections of a graph one after another in `bytes`.
class FlatMemoryManager : public JITLinkMemoryManager {
public:
  explicit FlatMemoryManager(std::vector<uint8_t> &bytes) : bytes(bytes) {}

  void allocate(const JITLinkDylib *, LinkGraph &graph,
                OnAllocatedFunction onAllocated) override {
    if (Error error = layOut(graph))
      return onAllocated(std::move(error));
    onAllocated(std::make_unique<FlatAllocation>());
  }
  void deallocate(std::vector<FinalizedAlloc>,
                  OnDeallocatedFunction onDeallocated) override {
    onDeallocated(Error::success());
  }

private:
  Error layOut(LinkGraph &graph);

  std::vector<uint8_t> &bytes;
};

/// Takes the offsets of symbols from a graph after it is laid out.
class FlatContext : public JITLinkContext {
public:
  FlatContext(LinkedImage &image, ArrayRef<std::string> symbols, Error &result)
      : JITLinkContext(nullptr), image(image), symbols(symbols),
        result(result), memory(image.bytes) {}

  JITLinkMemoryManager &getMemoryManager() override { return memory; }
  void notifyFailed(Error error) override {
    result = joinErrors(std::move(result), std::move(error));
  }
  void lookup(const LookupMap &names,
              std::unique_ptr<JITLinkAsyncLookupContinuation> done) override;
  Error notifyResolved(LinkGraph &graph) override;
  void notifyFinalized(JITLinkMemoryManager::FinalizedAlloc alloc) override {
    alloc.release();
  }
  Error modifyPassConfig(LinkGraph &, PassConfiguration &passes) override;

private:
  LinkedImage &image;
  ArrayRef<std::string> symbols;
  Error &result;
  FlatMemoryManager memory;
};
} // namespace

/// Sections in the order of the file, blocks in the order of their addresses.
Error FlatMemoryManager::layOut(LinkGraph &graph) {
  std::vector<Block *> blocks;
  for (Section &section : graph.sections()) {
    if (section.getMemLifetime() == orc::MemLifetime::NoAlloc)
      continue;
    if ((section.getMemProt() & orc::MemProt::Write) != orc::MemProt::None &&
        !section.empty())
      return make_error<JITLinkError>("section " + section.getName() +
                                      " is written when the code runs");
    std::vector<Block *> ordered(section.blocks().begin(),
                                 section.blocks().end());
    llvm::sort(ordered, [](Block *a, Block *b) {
      return a->getAddress() < b->getAddress();
    });
    blocks.insert(blocks.end(), ordered.begin(), ordered.end());
  }
  // Sizes first: the buffer must not move once blocks point into it.
  uint64_t end = 0;
  std::vector<uint64_t> offsets;
  for (Block *block : blocks) {
    offsets.push_back(alignToBlock(end, *block));
    end = offsets.back() + block->getSize();
  }
  bytes.assign(end, 0);
  for (auto [block, offset] : zip(blocks, offsets)) {
    char *place = reinterpret_cast<char *>(bytes.data() + offset);
    if (!block->isZeroFill())
      memcpy(place, block->getContent().data(), block->getSize());
    block->setAddress(orc::ExecutorAddr(baseAddress + offset));
    block->setMutableContent({place, block->getSize()});
  }
  return Error::success();
}

// No name is looked up: a link with one has failed before.
void FlatContext::lookup(const LookupMap &,
                         std::unique_ptr<JITLinkAsyncLookupContinuation> done) {
  done->run(AsyncLookupResult());
}

/// Names a symbol that the code refers to and does not define.
static Error checkSymbols(LinkGraph &graph) {
  std::vector<std::string> missing;
  for (Symbol *symbol : graph.external_symbols())
    missing.push_back((*symbol->getName()).str());
  if (missing.empty())
    return Error::success();
  return make_error<JITLinkError>("code refers to the undefined symbol '" +
                                  *llvm::min_element(missing) + "'");
}

Error FlatContext::notifyResolved(LinkGraph &graph) {
  StringMap<uint64_t> found;
  for (Symbol *symbol : graph.defined_symbols())
    if (symbol->hasName())
      found[*symbol->getName()] =
          symbol->getAddress().getValue() - baseAddress;
  for (const std::string &name : symbols) {
    auto entry = found.find(name);
    if (entry == found.end())
      return make_error<JITLinkError>("code lacks the symbol '" + name + "'");
    image.entries.push_back(entry->second);
  }
  return Error::success();
}

/// Only distances between two places of the image are the same wherever it is
/// mapped.
static Error checkEdges(LinkGraph &graph) {
  for (Block *block : graph.blocks()) {
    if (block->getSection().getMemLifetime() == orc::MemLifetime::NoAlloc)
      continue;
    for (Edge &edge : block->edges()) {
      if (!edge.isRelocation())
        continue;
      switch (edge.getKind()) {
      case x86_64::Delta32:
      case x86_64::Delta64:
      case x86_64::NegDelta32:
      case x86_64::NegDelta64:
      case x86_64::BranchPCRel32:
      case x86_64::PCRel32:
        continue;
      default:
        return make_error<JITLinkError>(
            "section " + block->getSection().getName() +
            " has a relocation that depends on the address: " +
            graph.getEdgeKindName(edge.getKind()));
      }
    }
  }
  return Error::success();
}

Error FlatContext::modifyPassConfig(LinkGraph &graph,
                                    PassConfiguration &passes) {
  passes.PrePrunePasses.push_back([this](LinkGraph &graph) {
    // Everything that no kernel needs goes, above all unwind tables.
    StringMap<bool> wanted;
    for (const std::string &name : symbols)
      wanted[name] = true;
    for (Symbol *symbol : graph.defined_symbols())
      symbol->setLive(symbol->hasName() && wanted.contains(*symbol->getName()));
    return Error::success();
  });
  // Before JITLink makes tables for what is not here.
  passes.PostPrunePasses.insert(passes.PostPrunePasses.begin(), checkSymbols);
  passes.PostPrunePasses.push_back(checkEdges);
  return Error::success();
}

Expected<LinkedImage>
mlir::tcc::x86::linkImage(MemoryBufferRef object,
                          ArrayRef<std::string> symbols) {
  auto graph = createLinkGraphFromObject(
      object, std::make_shared<orc::SymbolStringPool>());
  if (!graph)
    return graph.takeError();
  LinkedImage image;
  Error result = Error::success();
  // With this memory manager and these lookups the link is done on return.
  link(std::move(*graph),
       std::make_unique<FlatContext>(image, symbols, result));
  if (result)
    return std::move(result);
  return image;
}

// Writing model.fbs, and opening the weights that it points to.

#include "test/unit/frontends/TinyModel.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace tcc;
namespace fs = std::filesystem;

namespace {
/// A folder of its own for each test.
class WriteModel : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern =
        (fs::temp_directory_path() / "tcc-write-model-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    fs::create_directories(folder / "a" / "b");
    file.model = makeTinyModel();
    file.folder = (folder / "a").string();
    std::ofstream(folder / "a" / "weights.bin")
        << std::string(file.model.files[0]->bytes, 'w');
  }
  void TearDown() override { fs::remove_all(folder); }

  std::string pathAfterWriting(const fs::path &output) {
    EXPECT_EQ(writeModel(file, output.string()).message(), "");
    ModelFile read;
    EXPECT_EQ(loadModel(output.string(), false, read).message(), "");
    ModelWeights weights;
    EXPECT_EQ(ModelWeights::open(read, weights).message(), "");
    return read.model.files.empty() ? "" : read.model.files[0]->path;
  }

  fs::path folder;
  ModelFile file;
};
} // namespace

TEST_F(WriteModel, PathsAreRelativeToTheOutput) {
  EXPECT_EQ(pathAfterWriting(folder / "a" / "m.fbs"), "weights.bin");
  EXPECT_EQ(pathAfterWriting(folder / "m.fbs"), "a/weights.bin");
  EXPECT_EQ(pathAfterWriting(folder / "a" / "b" / "m.fbs"), "../weights.bin");
}

// ".." of a link is the parent of what it points to.
TEST_F(WriteModel, OutputFolderIsALink) {
  fs::create_directory_symlink("a/b", folder / "link");
  EXPECT_EQ(pathAfterWriting(folder / "link" / "m.fbs"), "../weights.bin");
}

TEST_F(WriteModel, WeightsOfAnotherSize) {
  std::string output = (folder / "m.fbs").string();
  ASSERT_TRUE(writeModel(file, output).ok());
  std::ofstream(folder / "a" / "weights.bin") << "short";
  ModelFile read;
  ASSERT_TRUE(loadModel(output, false, read).ok());
  ModelWeights weights;
  Status status = ModelWeights::open(read, weights);
  EXPECT_EQ(status.code(), Status::Code::BadData);
  EXPECT_EQ(status.message(),
            (folder / "a/weights.bin").string() +
                ": expected 2336 bytes, got 5; it has changed since it was "
                "imported: import it again");
}

TEST_F(WriteModel, WeightsAreMissing) {
  fs::remove(folder / "a" / "weights.bin");
  ModelWeights weights;
  Status status = ModelWeights::open(file, weights);
  EXPECT_EQ(status.code(), Status::Code::NoInput);
  EXPECT_EQ(status.message(), (folder / "a/weights.bin").string() +
                                  ": cannot read: No such file or directory");
}

TEST_F(WriteModel, DescriptionWithoutWeights) {
  file.model.files.clear();
  for (auto &tensor : file.model.tensors) {
    tensor->file = -1;
    tensor->offset = 0;
  }
  std::string output = (folder / "m.fbs").string();
  ASSERT_TRUE(writeModel(file, output).ok());
  ModelFile read;
  EXPECT_EQ(loadModel(output, true, read).message(), "");
  EXPECT_EQ(loadModel(output, false, read).message(),
            output + ": expected a description with weights, got one without; "
                     "use --no-weights");
}

TEST_F(WriteModel, WithoutWeightsDropsThem) {
  std::string output = (folder / "m.fbs").string();
  ASSERT_TRUE(writeModel(file, output).ok());
  ModelFile read;
  ASSERT_TRUE(loadModel(output, true, read).ok());
  EXPECT_TRUE(read.model.files.empty());
  EXPECT_EQ(read.model.tensors[0]->file, -1);
  EXPECT_EQ(read.model.tensors[0]->bytes, 160u);
}

TEST_F(WriteModel, FindsTensors) {
  const schema::TensorT *norm = findTensor(file.model, "model.norm.weight");
  ASSERT_NE(norm, nullptr);
  EXPECT_EQ(norm->name, "model.norm.weight");
  EXPECT_EQ(findTensor(file.model, "model.norm"), nullptr);
  EXPECT_EQ(findTensor(file.model, "zzz"), nullptr);
}

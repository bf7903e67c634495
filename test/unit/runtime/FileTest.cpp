// Files that appear whole or not at all, and NumPy's header.

#include "runtime/support/File.h"

#include "runtime/support/Npy.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

using namespace tcc;

namespace {
/// A folder of its own for each test.
class Files : public testing::Test {
protected:
  void SetUp() override {
    folder = testing::TempDir() + "tcc-files-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string path(const std::string &name) const {
    return folder + "/" + name;
  }

  std::string contentsOf(const std::string &name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string folder;
};
using AtomicFiles = Files;
using MappedFiles = Files;
} // namespace

TEST_F(AtomicFiles, AppearWhenCommitted) {
  {
    AtomicFile file;
    ASSERT_TRUE(file.create(path("a")).ok());
    ASSERT_TRUE(file.writeAt(2, "cd", 2).ok());
    ASSERT_TRUE(file.writeAt(0, "ab", 2).ok());
    EXPECT_NE(access(path("a").c_str(), F_OK), 0);
    ASSERT_TRUE(file.commit().ok());
  }
  EXPECT_EQ(contentsOf("a"), "abcd");
  struct stat info = {};
  ASSERT_EQ(stat(path("a").c_str(), &info), 0);
  mode_t mask = umask(0);
  umask(mask);
  EXPECT_EQ(info.st_mode & 0777, 0666 & ~mask);
}

TEST_F(AtomicFiles, LeaveNothingOtherwise) {
  {
    AtomicFile file;
    ASSERT_TRUE(file.create(path("a")).ok());
    ASSERT_TRUE(file.writeAt(0, "ab", 2).ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(AtomicFiles, ReplaceTheOldOneAtOnce) {
  std::ofstream(path("a")) << "old";
  AtomicFile file;
  ASSERT_TRUE(file.create(path("a")).ok());
  ASSERT_TRUE(file.writeAt(0, "new", 3).ok());
  EXPECT_EQ(contentsOf("a"), "old");
  ASSERT_TRUE(file.commit().ok());
  EXPECT_EQ(contentsOf("a"), "new");
}

TEST_F(AtomicFiles, AreRemovedFromASignalHandler) {
  std::vector<AtomicFile> files(20);
  for (size_t i = 0; i < files.size(); ++i)
    ASSERT_TRUE(files[i].create(path(std::to_string(i))).ok());
  AtomicFile::removeAllTemporaries();
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(AtomicFiles, KeepLinks) {
  std::filesystem::create_directory(path("real"));
  std::ofstream(path("real/a")) << "old";
  std::filesystem::create_symlink("real/a", path("link"));
  AtomicFile file;
  ASSERT_TRUE(file.create(path("link")).ok());
  ASSERT_TRUE(file.writeAt(0, "new", 3).ok());
  ASSERT_TRUE(file.commit().ok());
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  std::string text;
  std::ifstream(path("real/a")) >> text;
  EXPECT_EQ(text, "new");
}

TEST_F(AtomicFiles, SayWhyNot) {
  AtomicFile file;
  Status status = file.create(folder);
  EXPECT_EQ(status.code(), Status::Code::CannotWrite);
  EXPECT_EQ(status.message(), folder + ": cannot write: it is a directory");
  EXPECT_EQ(file.create("/dev/null").message(),
            "/dev/null: cannot write: it is not a regular file");
  EXPECT_EQ(file.create(path("none/a")).message(),
            path("none/a") + ": cannot write: No such file or directory");
}

TEST_F(MappedFiles, HoldTheBytes) {
  std::ofstream(path("a")) << "abc";
  MappedFile file;
  ASSERT_TRUE(MappedFile::open(path("a"), file).ok());
  EXPECT_EQ(std::string(file.data(), file.data() + file.size()), "abc");
  EXPECT_EQ(file.path(), path("a"));
  MappedFile moved = std::move(file);
  EXPECT_EQ(moved.size(), 3u);
}

TEST_F(MappedFiles, MayBeEmpty) {
  std::ofstream(path("a")).flush();
  MappedFile file;
  ASSERT_TRUE(MappedFile::open(path("a"), file).ok());
  EXPECT_EQ(file.size(), 0u);
}

TEST_F(MappedFiles, SayWhyNot) {
  MappedFile file;
  Status status = MappedFile::open(path("none"), file);
  EXPECT_EQ(status.code(), Status::Code::NoInput);
  EXPECT_EQ(status.message(),
            path("none") + ": cannot read: No such file or directory");
  EXPECT_EQ(MappedFile::open(folder, file).message(),
            folder + ": cannot read: it is a directory");
  // Nothing waits for a writer.
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(MappedFile::open(path("fifo"), file).message(),
            path("fifo") + ": cannot read: it is not a regular file");
}

TEST(Npy, HeadersAreOfOneLength) {
  std::string header = npyHeader("<f4", {3, 512});
  EXPECT_EQ(header.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ(header[8] + 10, 128);
  EXPECT_EQ(header.substr(10, 65),
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 512, ), }"
            "  ");
  EXPECT_EQ(header.back(), '\n');
  for (int64_t size : {0, 1, 1 << 30})
    EXPECT_EQ(npyHeader("<f4", {size, 1 << 24}).size(), npyHeaderBytes);
}

// A table of aligned columns.

#ifndef TCC_TOOLS_PTXSIM_REPORT_TABLE_H
#define TCC_TOOLS_PTXSIM_REPORT_TABLE_H

#include <string>
#include <vector>

namespace ptxreport {

/// The first column and the last are aligned to the left, others to the right.
class Table {
public:
  explicit Table(std::vector<std::string> heads) : rows{std::move(heads)} {}

  void add(std::vector<std::string> cells) { rows.push_back(std::move(cells)); }
  /// Adds a line that is printed as it is, below the row added last.
  void addText(std::string text) { rows.push_back({std::move(text)}); }
  bool isEmpty() const { return rows.size() == 1; }

  /// Prints it, every line indented by `indent` blanks.
  void print(unsigned indent) const;

private:
  std::vector<std::vector<std::string>> rows;
};

} // namespace ptxreport

#endif // TCC_TOOLS_PTXSIM_REPORT_TABLE_H

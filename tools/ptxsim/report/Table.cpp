// Prints tables.

#include "tools/ptxsim/report/Table.h"

#include <algorithm>
#include <cstdio>

namespace ptxreport {

void Table::print(unsigned indent) const {
  size_t columns = rows[0].size();
  std::vector<size_t> widths(columns, 0);
  for (const std::vector<std::string> &row : rows)
    for (size_t i = 0; i < columns && row.size() == columns; ++i)
      widths[i] = std::max(widths[i], row[i].size());
  for (const std::vector<std::string> &row : rows) {
    std::string line(indent, ' ');
    if (row.size() != columns)
      line += row[0];
    for (size_t i = 0; i < columns && row.size() == columns; ++i) {
      std::string blanks(widths[i] - row[i].size(), ' ');
      bool isLeft = i == 0 || i + 1 == columns;
      line += (i == 0 ? "" : "  ") + (isLeft ? row[i] + blanks : blanks + row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::puts(line.c_str());
  }
}

} // namespace ptxreport

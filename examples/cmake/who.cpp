// Says who serves operator new, and keeps its strings in a vector of HAKMEM's own allocator.
#include <hakmem.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

int main() {
    using Pointer = std::unique_ptr<std::string>;
    std::vector<Pointer, hakmem::allocator<Pointer>> strings;
    for (int i = 0; i < 1000; i++) strings.push_back(std::make_unique<std::string>(i, 'x'));
    std::cout << "served by " << hak_version() << ", last string of " << strings.back()->size() << " bytes\n";
}

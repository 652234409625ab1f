// Says who serves operator new.
#include <hakmem.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

int main() {
    std::vector<std::unique_ptr<std::string>> strings;
    for (int i = 0; i < 1000; i++) strings.push_back(std::make_unique<std::string>(i, 'x'));
    std::cout << "served by " << hak_version() << ", last string of " << strings.back()->size() << " bytes\n";
}

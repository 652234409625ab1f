// HAKMEM's statistics as a Prometheus page and as JSON, as a server would hand them out.
//
//     c++ -Iinclude examples/cpp/metrics.cpp -Ltarget/release -lhakmem -Wl,-rpath,$PWD/target/release -o metrics && ./metrics
#include <hakmem.h>

#include <cstddef>
#include <cstdio>
#include <map>
#include <string>

using Writer = std::size_t (*)(char *, std::size_t);

// The figures change with the string that holds them: ask until it fits.
static std::string page(Writer write) {
    std::string text;
    for (std::size_t needed = write(nullptr, 0); needed >= text.size(); needed = write(&text[0], text.size())) {
        text.resize(needed + 1024);
    }
    text.resize(text.find('\0'));
    return text;
}

int main() {
    std::map<int, std::string> words;
    for (int i = 0; i < 1000; i++) words[i] = std::string(static_cast<std::size_t>(i), 'x');
    hak_thread_flush(); // what this thread keeps for itself goes back: others could use it now
    const std::string metrics = page(hak_stats_prometheus), json = page(hak_stats_json);
    std::fputs(metrics.c_str(), stdout);
    return metrics.find("\nhakmem_live_bytes ") != std::string::npos && json.front() == '{' && json.back() == '\n' ? 0 : 1;
}

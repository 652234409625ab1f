# Who serves this process? Starts a thread and a child too, which are served likewise.
def name_of(maps) = maps.include?("libhakmem") ? "HAKMEM" : "the system's malloc"
strings = Thread.new { Array.new(100_000) { |i| "string #{i}" } }.value
child = IO.popen("cat /proc/self/maps", &:read) # its own, for one that ends or begins has none
puts "#{strings.size} strings, on #{name_of(File.read("/proc/self/maps"))}; a child on #{name_of(child)}"

# Who serves this process? Starts a thread and a child too, which are served likewise.
def malloc_of(process) = File.foreach("/proc/#{process}/maps").grep(/libhakmem/).any? ? "HAKMEM" : "the system's malloc"
strings = Thread.new { Array.new(100_000) { |i| "string #{i}" } }.value
child = IO.popen("sleep 1 & echo $!", &:read).to_i
puts "#{strings.size} strings, on #{malloc_of("self")}; a child on #{malloc_of(child)}"

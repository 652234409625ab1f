# Strings, hashes, GC with compaction, threads, fork; Fiddle and the ffi gem, which take malloc and free from libc's own handle.
packages="ruby ruby-ffi"
work() {
    cat >w.rb <<'R'
x = 42; rnd = ->(n) { x = x * 16807 % 2147483647; x % n }
h = Hash.new { |t, k| t[k] = [] }
200_000.times { |i| k = "k#{rnd[5000]}"; h[k] << "v" * rnd[90] + i.to_s; h[k].shift(8) if h[k].size > 15 }
p h.size, h.sort.flatten.join.sum(64), h.values.map(&:size).tally.sort
s = h.values.flatten.join(" "); p s.scan(/v+\d/).size, s.gsub(/v{3,}/) { |m| m.size.to_s }.sum(64)
GC.compact if GC.respond_to?(:compact)
Node = Struct.new(:v, :l, :r)
root = nil
60_000.times { v = rnd[1 << 30]; n = Node.new(v); if !root then root = n; next end
  at = root; loop { side = v < at.v ? :l : :r; if at[side] then at = at[side] else at[side] = n; break end } }
depth = ->(n) { n ? 1 + [depth[n.l], depth[n.r]].max : 0 }; p depth[root]
p (1..4).map { |t| Thread.new { (1..40_000).map { |i| "#{t}:#{i}" }.each_slice(100).map { |a| a.join.sum(32) }.sum } }.map(&:value)
p Marshal.load(Marshal.dump(h.to_a)).size, [h.to_a.inspect].pack("u").sum(64), (2**20_000).to_s.sum(64)
r, w = IO.pipe; pid = fork { r.close; GC.start; w << h.keys.sort.last; w.close }; w.close; p r.read; Process.wait pid; p $?.success?
require "fiddle"
libc = Fiddle.dlopen("libc.so.6")
dup = Fiddle::Function.new(libc["strdup"], [Fiddle::TYPE_VOIDP], Fiddle::TYPE_VOIDP)
free = Fiddle::Function.new(libc["free"], [Fiddle::TYPE_VOIDP], Fiddle::TYPE_VOID)
p (1..2000).sum { |i| q = dup.call("z" * i); n = q.to_s.size; free.call(q); n }
require "ffi"
module C; extend FFI::Library; ffi_lib "libc.so.6"
  attach_function :strdup, [:string], :pointer; attach_function :free, [:pointer], :void; attach_function :malloc, [:size_t], :pointer
  attach_function :qsort, [:pointer, :size_t, :size_t, callback([:pointer, :pointer], :int)], :void; end
p (1..2000).sum { |i| q = C.strdup("y" * i); n = q.read_string.size; C.free(q); n }
m = C.malloc(4000); m.write_array_of_int(Array.new(1000) { rnd[9999] }); C.qsort(m, 1000, 4) { |a, b| a.read_int <=> b.read_int }
p m.read_array_of_int(1000).each_cons(2).all? { |a, b| a <= b }; C.free(m)
R
    ruby w.rb
}

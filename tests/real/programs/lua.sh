packages="lua5.4"
work() {
    cat >w.lua <<'L'
local x = 42; local function rnd(n) x = x * 16807 % 2147483647; return x % n end
local function h(s) local a = 5381; for i = 1, #s do a = (a * 33 + s:byte(i)) & 0xffffffff end return a end
local t = {}
for i = 1, 400000 do t[rnd(20000)] = ("s"):rep(rnd(60)) .. i; if i % 9 == 0 then t[rnd(20000)] = nil end end
local p = {}; for k, v in pairs(t) do p[#p + 1] = k .. v end; table.sort(p); print(#p, h(table.concat(p)))
local s = table.concat(p, " "); print(select(2, s:gsub("(%d+)(s+)", "%2%1")), h(s:gsub("s+", function(m) return #m end)))
for mode, gc in pairs { [1] = "incremental", [2] = "generational" } do collectgarbage(gc)
  local q = {}; for i = 1, 300000 do q[i % 1000] = { i, { tostring(i) }, function() return i end } end print(q[999][1], q[7][3]()) end
local cs = {}; for i = 1, 5000 do cs[i] = coroutine.wrap(function() local n = 0; while true do n = n + i; coroutine.yield(n) end end) end
local n = 0; for r = 1, 20 do for i = 1, 5000 do n = n + cs[i]() end end print(n)
local b = {}; for i = 1, 200 do b[i] = ("z"):rep(i * 1000) end print(#table.concat(b)); print(pcall(error, "e"), (pcall(string.rep, "x", 1 << 40)))
L
    lua5.4 w.lua
}

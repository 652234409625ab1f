-- Strings, tables, closures, coroutines: work.lua COUNT.
local count = tonumber(arg[1])
local x = 42
local function draw(n) x = x * 16807 % 2147483647; return x % n end

local words = {}
for i = 1, count do
  words[draw(20000)] = ("s"):rep(draw(60)) .. i
  if i % 9 == 0 then words[draw(20000)] = nil end
end
local list = {}
for k, v in pairs(words) do list[#list + 1] = k .. v end
table.sort(list)
local text = table.concat(list, " ")
print(#list, #text, select(2, text:gsub("(%d+)(s+)", "%2%1")))

for _, mode in ipairs { "incremental", "generational" } do
  collectgarbage(mode)
  local ring = {}
  for i = 1, count do ring[i % 1000] = { i, { tostring(i) }, function() return i end } end
  print(mode, ring[0][1], ring[0][3]())
end

local lanes, sum = {}, 0
for i = 1, 2000 do
  lanes[i] = coroutine.wrap(function() local n = 0; while true do n = n + i; coroutine.yield(n) end end)
end
for _ = 1, math.max(1, count // 20000) do for i = 1, 2000 do sum = sum + lanes[i]() end end
print(sum)

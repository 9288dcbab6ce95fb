-- Counts one for a key unless its limit is reached: the sliding window of window.go, by the server's clock.
-- KEYS[1]  a hash: the instant at which an entry leaves the window (ms) -> how many leave then
-- ARGV     limit, period (ms), slot (ms)
-- returns  {1 when allowed, remaining, ms until all leave, ms until the first leaves}
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local limit, period, slot = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local used, oldest, newest, gone = 0, nil, now, {}
local entries = redis.call('HGETALL', KEYS[1])
for i = 1, #entries, 2 do
  local leaves = tonumber(entries[i])
  if leaves <= now then
    gone[#gone + 1] = entries[i]
  else
    used = used + tonumber(entries[i + 1])
    if not oldest or leaves < oldest then oldest = leaves end
    if leaves > newest then newest = leaves end
  end
end
if #gone > 0 then
  redis.call('HDEL', KEYS[1], unpack(gone))
end
if used >= limit then
  return {0, 0, newest - now, oldest - now}
end

local leaves = math.ceil(now / slot) * slot + period
if leaves < newest then leaves = newest end -- the clock went back
redis.call('HINCRBY', KEYS[1], string.format('%.0f', leaves), 1)
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', leaves))
return {1, limit - used - 1, leaves - now, 0}
